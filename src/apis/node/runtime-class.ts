import type { V1RuntimeClass } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const RuntimeClass = defineResource<V1RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  namespaced: false,
  model: 'V1RuntimeClass',
})
