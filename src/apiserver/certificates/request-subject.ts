/** Whom a certificate request (PKCS #10, PEM) names; undefined for what is no request at all. */
export async function requestSubject(pem: string): Promise<{ commonName: string; organizations: string[] } | undefined> {
  // Loaded when one is looked at: few servers ever do.
  await import('reflect-metadata')
  const { Pkcs10CertificateRequest } = await import('@peculiar/x509')
  try {
    const { subjectName } = new Pkcs10CertificateRequest(pem)
    return { commonName: subjectName.getField('CN')[0] ?? '', organizations: subjectName.getField('O') }
  } catch {
    return undefined
  }
}
