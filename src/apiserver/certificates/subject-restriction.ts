/** Nobody is given a client certificate that makes him a superuser, whoever approves it. */
import type { V1CertificateSigningRequest } from '../../machinery/schema/generated/types.ts'
import { draftOf, isWriteOf, refused } from '../admission/refuse.ts'
import { superuserGroup } from '../authorization/superuser.ts'
import type { AdmissionPlugin } from '../contracts.ts'

const clientSigner = 'kubernetes.io/kube-apiserver-client'

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  handles: (attributes) => attributes.verb === 'create' && isWriteOf(attributes, 'certificatesigningrequests', 'certificates.k8s.io'),
  async validate(attributes) {
    const { spec } = draftOf<V1CertificateSigningRequest>(attributes)
    if (spec.signerName !== clientSigner) return
    const organizations = await organizationsOf(Buffer.from(spec.request ?? '', 'base64').toString())
    if (organizations === undefined) throw refused(attributes, 'failed to parse CSR: asn1: structure error')
    if (organizations.includes(superuserGroup)) throw refused(attributes, `use of ${clientSigner} signer with ${superuserGroup} group is not allowed`)
  },
}

/** Undefined for what is no request at all. */
async function organizationsOf(pem: string): Promise<string[] | undefined> {
  await import('reflect-metadata')
  const { Pkcs10CertificateRequest } = await import('@peculiar/x509')
  try {
    return new Pkcs10CertificateRequest(pem).subjectName.getField('O')
  } catch {
    return undefined
  }
}
