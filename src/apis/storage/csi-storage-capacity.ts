import type { V1CSIStorageCapacity } from '../../machinery/schema/generated/types.ts'
import { nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { immutable } from '../immutable.ts'
import { canonicalOr } from '../resource-list.ts'

export const CSIStorageCapacity = defineResource<V1CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  namespaced: true,
  model: 'V1CSIStorageCapacity',
  columns: [nameColumn, text('StorageClassName', (capacity) => capacity.storageClassName), text('Capacity', (capacity) => capacity.capacity ?? '<unset>')],
  applyDefaults(capacity) {
    if (capacity.capacity) capacity.capacity = canonicalOr(capacity.capacity)
    if (capacity.maximumVolumeSize) capacity.maximumVolumeSize = canonicalOr(capacity.maximumVolumeSize)
  },
  validateUpdate: (draft, stored) => [
    ...immutable('nodeTopology', draft.nodeTopology, stored.nodeTopology),
    ...immutable('storageClassName', draft.storageClassName, stored.storageClassName),
  ],
})
