import type { V1CSIDriver } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const CSIDriver = defineResource<V1CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  namespaced: false,
  model: 'V1CSIDriver',
  generation: true,
})
