import { apiPackage, atomic, atomicStruct, set } from './api-package.ts'

export const discoveryV1 = apiPackage(
  'io.k8s.api.discovery.v1',
  {
    Endpoint: {
      addresses: set,
    },
    EndpointHints: {
      forNodes: atomic,
      forZones: atomic,
    },
    EndpointPort: {
      '': atomicStruct,
    },
    EndpointSlice: {
      endpoints: atomic,
      ports: atomic,
    },
  },
  `
  EndpointConditions EndpointSliceList ForNode ForZone
  `,
)
