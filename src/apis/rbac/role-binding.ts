import { isPathSegment } from '../../machinery/names.ts'
import type { V1RoleBinding } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { bindingColumns, bindingDefaults, validateBinding, validateBindingUpdate } from './binding.ts'

const roleKinds = ['ClusterRole', 'Role']

export const RoleBinding = defineResource<V1RoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  namespaced: true,
  model: 'V1RoleBinding',
  columns: bindingColumns,
  validateName: isPathSegment,
  applyDefaults: bindingDefaults,
  validate: (binding) => validateBinding(binding, roleKinds, true),
  validateUpdate: (draft, stored) => [...validateBinding(draft, roleKinds, true), ...validateBindingUpdate(draft, stored)],
})
