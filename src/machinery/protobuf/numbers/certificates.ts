/** Field numbers on the wire; `2.1` is field 1 of an embedded message that is field 2. */
export const certificates: Readonly<Record<string, string>> = {
  V1CertificateSigningRequest: 'metadata 1, spec 2, status 3',
  V1CertificateSigningRequestCondition: 'type 1, reason 2, message 3, lastUpdateTime 4, lastTransitionTime 5, status 6',
  V1CertificateSigningRequestSpec: 'request 1, username 2, uid 3, groups 4, usages 5, extra 6, signerName 7, expirationSeconds 8',
  V1CertificateSigningRequestStatus: 'conditions 1, certificate 2',
}
