import { isPathSegment } from '../../machinery/names.ts'
import type { V1ClusterRole } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const ClusterRole = defineResource<V1ClusterRole>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  namespaced: false,
  validateName: isPathSegment,
  model: 'V1ClusterRole',
})
