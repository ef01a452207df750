import type { V1Binding } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import type { Unstored } from '../resource.ts'

export const Binding = defineResource<Unstored<V1Binding>>({
  group: '',
  version: 'v1',
  kind: 'Binding',
  plural: 'bindings',
  namespaced: true,
  model: 'V1Binding',
  virtual: true,
  verbs: ['create'],
})
