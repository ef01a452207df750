import { isPathSegment } from '../../machinery/names.ts'
import type { V1ClusterRole } from '../../machinery/schema/generated/types.ts'
import { nameColumn } from '../columns.ts'
import { createdAtColumn } from '../created-at-column.ts'
import { defineResource } from '../define-resource.ts'
import { validateRules } from './policy-rule-validation.ts'

export const ClusterRole = defineResource<V1ClusterRole>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  namespaced: false,
  model: 'V1ClusterRole',
  columns: [nameColumn, createdAtColumn],
  validateName: isPathSegment,
  applyDefaults(role) {
    role.rules ??= []
  },
  validate: (role) => validateRules(role.rules, false),
  validateUpdate: (draft) => validateRules(draft.rules, false),
})
