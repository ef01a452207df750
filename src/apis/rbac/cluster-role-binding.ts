import { isPathSegment } from '../../machinery/names.ts'
import type { V1ClusterRoleBinding } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { bindingColumns, bindingDefaults, validateBinding, validateBindingUpdate } from './binding.ts'

const roleKinds = ['ClusterRole']

export const ClusterRoleBinding = defineResource<V1ClusterRoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  namespaced: false,
  model: 'V1ClusterRoleBinding',
  columns: bindingColumns,
  validateName: isPathSegment,
  applyDefaults: bindingDefaults,
  validate: (binding) => validateBinding(binding, roleKinds, false),
  validateUpdate: (draft, stored) => [...validateBinding(draft, roleKinds, false), ...validateBindingUpdate(draft, stored)],
})
