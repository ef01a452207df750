import type { V1PriorityClass } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const PriorityClass = defineResource<V1PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  shortNames: ['pc'],
  namespaced: false,
  model: 'V1PriorityClass',
  generation: true,
})
