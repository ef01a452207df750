import type { V1ResourceClaimTemplate } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { immutable } from '../immutable.ts'

export const ResourceClaimTemplate = defineResource<V1ResourceClaimTemplate>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  plural: 'resourceclaimtemplates',
  namespaced: true,
  model: 'V1ResourceClaimTemplate',
  generation: true,
  columns: [nameColumn, ageColumn],
  validateUpdate: (draft, stored) => immutable('spec', draft.spec, stored.spec),
})
