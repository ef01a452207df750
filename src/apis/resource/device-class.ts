import type { V1DeviceClass } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'

export const DeviceClass = defineResource<V1DeviceClass>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  plural: 'deviceclasses',
  namespaced: false,
  model: 'V1DeviceClass',
  generation: true,
  columns: [nameColumn, ageColumn],
})
