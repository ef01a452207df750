import type { V1CertificateSigningRequest } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { statusSubresource } from '../subresources.ts'

export const CertificateSigningRequest = defineResource<V1CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  shortNames: ['csr'],
  namespaced: false,
  model: 'V1CertificateSigningRequest',
  subresources: [{ name: 'approval', verbs: ['get', 'patch', 'update'] }, statusSubresource()],
})
