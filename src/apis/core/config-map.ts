import type { V1ConfigMap } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const ConfigMap = defineResource<V1ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  namespaced: true,
  model: 'V1ConfigMap',
})
