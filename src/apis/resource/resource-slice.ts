import type { V1ResourceSlice } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const ResourceSlice = defineResource<V1ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  plural: 'resourceslices',
  namespaced: false,
  model: 'V1ResourceSlice',
  generation: true,
})
