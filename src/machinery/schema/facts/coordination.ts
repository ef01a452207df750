import { apiPackage } from './api-package.ts'

export const coordinationV1 = apiPackage(
  'io.k8s.api.coordination.v1',
  {},
  `
  Lease LeaseList LeaseSpec
  `,
)

export const coordinationV1beta1 = apiPackage(
  'io.k8s.api.coordination.v1beta1',
  {},
  `
  LeaseCandidate LeaseCandidateList LeaseCandidateSpec
  `,
)
