import { apiPackage, atomic, quantity } from './api-package.ts'

export const nodeV1 = apiPackage(
  'io.k8s.api.node.v1',
  {
    Overhead: {
      podFixed: quantity,
    },
    Scheduling: {
      nodeSelector: { map: 'atomic' },
      tolerations: atomic,
    },
  },
  `
  RuntimeClass RuntimeClassList
  `,
)
