import type { V1ClusterRole } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const ClusterRole = defineResource<V1ClusterRole>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  namespaced: false,
  model: 'V1ClusterRole',
})
