/** What the autoscaler is to the API: its account, and what that may do. */
import type { New } from '../machinery/object.ts'
import type { V1ClusterRole, V1ClusterRoleBinding, V1Role, V1RoleBinding, V1ServiceAccount } from '../machinery/schema/generated/types.ts'
import { nodePoolDefinition } from './node-pool-definition.ts'

export const autoscalerAccount = { namespace: 'kube-system', name: 'cluster-autoscaler' }

const { namespace, name } = autoscalerAccount
const apiGroup = 'rbac.authorization.k8s.io'
const subjects = [{ kind: 'ServiceAccount', name, namespace }]
const read = ['get', 'list', 'watch']
const definitions = { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'] }

export const autoscalerObjects: {
  serviceAccount: New<V1ServiceAccount>
  clusterRole: New<V1ClusterRole>
  clusterRoleBinding: New<V1ClusterRoleBinding>
  role: New<V1Role>
  roleBinding: New<V1RoleBinding>
} = {
  serviceAccount: { metadata: autoscalerAccount },
  clusterRole: {
    metadata: { name: 'system:cluster-autoscaler' },
    rules: [
      { apiGroups: [''], resources: ['pods', 'namespaces', 'persistentvolumes', 'persistentvolumeclaims'], verbs: read },
      { apiGroups: [''], resources: ['nodes'], verbs: [...read, 'update', 'patch', 'delete'] },
      { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
      // When budgets have held up the nodes of a deleted pool for too long.
      { apiGroups: [''], resources: ['pods'], verbs: ['delete'] },
      { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
      { apiGroups: ['apps'], resources: ['daemonsets'], verbs: read },
      { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: read },
      { apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: read },
      // To hold a pool that is deleted until its nodes are gone.
      { apiGroups: ['skiff.dev'], resources: ['nodepools'], verbs: [...read, 'patch'] },
      { apiGroups: ['skiff.dev'], resources: ['nodepools/status'], verbs: ['get', 'patch', 'update'] },
      { ...definitions, verbs: ['create'] },
      { ...definitions, resourceNames: [nodePoolDefinition.metadata.name ?? ''], verbs: ['get', 'patch'] },
    ],
  },
  clusterRoleBinding: {
    metadata: { name: 'system:cluster-autoscaler' },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'system:cluster-autoscaler' },
    subjects,
  },
  role: {
    metadata: autoscalerAccount,
    rules: [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create', 'patch', 'update'] },
      // Certificates for external providers.
      { apiGroups: [''], resources: ['secrets'], verbs: ['get'] },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
    ],
  },
  roleBinding: { metadata: autoscalerAccount, roleRef: { apiGroup, kind: 'Role', name }, subjects },
}
