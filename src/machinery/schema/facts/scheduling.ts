import { apiPackage } from './api-package.ts'

export const schedulingV1 = apiPackage(
  'io.k8s.api.scheduling.v1',
  {},
  `
  PriorityClass PriorityClassList
  `,
)
