import type { V1ResourceSlice } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { immutable } from '../immutable.ts'

export const ResourceSlice = defineResource<V1ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  plural: 'resourceslices',
  namespaced: false,
  model: 'V1ResourceSlice',
  generation: true,
  selectableFields: {
    'spec.driver': ({ spec }) => spec.driver,
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
  },
  columns: [
    nameColumn,
    text('Node', ({ spec }) => spec.nodeName || '<unset>'),
    text('Driver', ({ spec }) => spec.driver),
    text('Pool', ({ spec }) => spec.pool.name),
    ageColumn,
  ],
  validateUpdate: (draft, stored) => [
    ...immutable('spec.nodeName', draft.spec.nodeName, stored.spec.nodeName),
    ...immutable('spec.driver', draft.spec.driver, stored.spec.driver),
    ...immutable('spec.pool.name', draft.spec.pool?.name, stored.spec.pool?.name),
  ],
})
