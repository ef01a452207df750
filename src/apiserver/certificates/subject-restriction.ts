/** Nobody is given a client certificate that makes him a superuser, whoever approves it. */
import type { V1CertificateSigningRequest } from '../../machinery/schema/generated/types.ts'
import { draftOf, isWriteOf, refused } from '../admission/refuse.ts'
import { superuserGroup } from '../authorization/superuser.ts'
import type { AdmissionPlugin } from '../contracts.ts'
import { requestSubject } from './request-subject.ts'

const clientSigner = 'kubernetes.io/kube-apiserver-client'

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  handles: (attributes) => attributes.verb === 'create' && isWriteOf(attributes, 'certificatesigningrequests', 'certificates.k8s.io'),
  async validate(attributes) {
    const { spec } = draftOf<V1CertificateSigningRequest>(attributes)
    if (spec.signerName !== clientSigner) return
    const subject = await requestSubject(Buffer.from(spec.request ?? '', 'base64').toString())
    if (!subject) throw refused(attributes, 'failed to parse CSR: asn1: structure error')
    if (subject.organizations.includes(superuserGroup)) throw refused(attributes, `use of ${clientSigner} signer with ${superuserGroup} group is not allowed`)
  },
}
