import { isPathSegment } from '../../machinery/names.ts'
import type { V1Role } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const Role = defineResource<V1Role>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  namespaced: true,
  validateName: isPathSegment,
  model: 'V1Role',
})
