import type { V1StorageClass } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const StorageClass = defineResource<V1StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  shortNames: ['sc'],
  namespaced: false,
  model: 'V1StorageClass',
})
