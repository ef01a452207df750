import type { V1PersistentVolume } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { statusSubresource } from '../subresources.ts'

export const PersistentVolume = defineResource<V1PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  namespaced: false,
  model: 'V1PersistentVolume',
  subresources: [statusSubresource()],
})
