import type { V1ComponentStatus } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const ComponentStatus = defineResource<V1ComponentStatus>({
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  shortNames: ['cs'],
  namespaced: false,
  model: 'V1ComponentStatus',
  verbs: ['get', 'list'],
  virtual: true,
})
