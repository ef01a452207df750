import { isPathSegment } from '../../machinery/names.ts'
import type { V1RoleBinding } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const RoleBinding = defineResource<V1RoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  namespaced: true,
  validateName: isPathSegment,
  model: 'V1RoleBinding',
})
