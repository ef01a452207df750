import type { V1VolumeAttributesClass } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const VolumeAttributesClass = defineResource<V1VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  shortNames: ['vac'],
  namespaced: false,
  model: 'V1VolumeAttributesClass',
  generation: true,
})
