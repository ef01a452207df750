import type { V1CSINode } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const CSINode = defineResource<V1CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  namespaced: false,
  model: 'V1CSINode',
})
