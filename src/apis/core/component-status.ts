import type { V1ComponentStatus } from '../../machinery/schema/generated/types.ts'
import { nameColumn, text } from '../columns.ts'
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
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  columns: [
    nameColumn,
    text('Status', ({ conditions = [] }) => {
      const healthy = conditions.find((one) => one.type === 'Healthy')
      return !healthy || healthy.status === 'Unknown' ? 'Unknown' : healthy.status === 'True' ? 'Healthy' : 'Unhealthy'
    }),
    text('Message', ({ conditions = [] }) => conditions.find((one) => one.type === 'Healthy')?.message ?? ''),
    text('Error', ({ conditions = [] }) => conditions.find((one) => one.type === 'Healthy')?.error ?? ''),
  ],
})
