import { isPathSegment } from '../../machinery/names.ts'
import type { V1ClusterRoleBinding } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const ClusterRoleBinding = defineResource<V1ClusterRoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  namespaced: false,
  validateName: isPathSegment,
  model: 'V1ClusterRoleBinding',
})
