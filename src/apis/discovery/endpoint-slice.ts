import type { V1EndpointSlice } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const EndpointSlice = defineResource<V1EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
  model: 'V1EndpointSlice',
  generation: true,
})
