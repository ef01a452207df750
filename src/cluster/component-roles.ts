/** Roles of the components that upstream does not ship with its API server: Ingress, provisioner. */
import type { New } from '../machinery/object.ts'
import type { V1ClusterRole, V1ClusterRoleBinding } from '../machinery/schema/generated/types.ts'

const role = (name: string, rules: V1ClusterRole['rules']): New<V1ClusterRole> => ({ metadata: { name }, rules })

const binding = (roleName: string, account: string): New<V1ClusterRoleBinding> => ({
  metadata: { name: `skiff:${account}` },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: roleName },
  subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'kube-system' }],
})

const read = ['get', 'list', 'watch']

export const componentRoles: readonly New<V1ClusterRole>[] = [
  role('skiff:ingress-nginx', [
    { apiGroups: [''], resources: ['services', 'secrets', 'endpoints', 'configmaps', 'nodes', 'pods', 'namespaces'], verbs: read },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
    { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'ingressclasses'], verbs: read },
    { apiGroups: ['networking.k8s.io'], resources: ['ingresses/status'], verbs: ['update', 'patch'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: [...read, 'create', 'update'] },
  ]),
]

export const componentBindings: readonly New<V1ClusterRoleBinding>[] = [
  binding('skiff:ingress-nginx', 'ingress-nginx'),
  binding('system:persistent-volume-provisioner', 'local-directory-provisioner'),
  binding('system:controller:persistent-volume-binder', 'local-directory-provisioner'),
]
