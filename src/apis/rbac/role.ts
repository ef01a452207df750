import { isPathSegment } from '../../machinery/names.ts'
import type { V1Role } from '../../machinery/schema/generated/types.ts'
import { nameColumn } from '../columns.ts'
import { createdAtColumn } from '../created-at-column.ts'
import { defineResource } from '../define-resource.ts'
import { validateRules } from './policy-rule-validation.ts'

export const Role = defineResource<V1Role>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  namespaced: true,
  model: 'V1Role',
  columns: [nameColumn, createdAtColumn],
  validateName: isPathSegment,
  applyDefaults(role) {
    role.rules ??= []
  },
  validate: (role) => validateRules(role.rules, true),
  validateUpdate: (draft) => validateRules(draft.rules, true),
})
