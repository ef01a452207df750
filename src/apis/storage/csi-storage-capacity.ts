import type { V1CSIStorageCapacity } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const CSIStorageCapacity = defineResource<V1CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  namespaced: true,
  model: 'V1CSIStorageCapacity',
})
