/** Bindings of components that upstream does not ship with its API server. Their roles are among the default ones. */
import type { New } from '../machinery/object.ts'
import type { V1ClusterRoleBinding } from '../machinery/schema/generated/types.ts'

const binding = (role: string, account: string): New<V1ClusterRoleBinding> => ({
  metadata: { name: `skiff:${role.replace(/^system:/, '')}:${account}` },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'kube-system' }],
})

/** The provisioner of local directories works as external provisioners do. */
export const componentBindings: readonly New<V1ClusterRoleBinding>[] = [
  binding('system:persistent-volume-provisioner', 'local-directory-provisioner'),
  binding('system:controller:persistent-volume-binder', 'local-directory-provisioner'),
  // A node's own process is its Service proxy too, and finds the ways to the pods of other nodes.
  {
    metadata: { name: 'skiff:node-proxier:nodes' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-proxier' },
    subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:nodes' }],
  },
]
