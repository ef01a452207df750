import { apiPackage, atomic, mergedBy } from './api-package.ts'

export const apiregistrationV1 = apiPackage(
  'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1',
  {
    APIServiceSpec: {
      caBundle: atomic,
    },
    APIServiceStatus: {
      conditions: mergedBy('type'),
    },
  },
  `
  APIService APIServiceCondition APIServiceList ServiceReference
  `,
)
