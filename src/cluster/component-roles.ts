/** Rights of components that upstream does not ship with its API server. Roles of the whole cluster are among the default ones. */
import { nodeProxyAccount } from '../apis/core/node-proxy-account.ts'
import type { New } from '../machinery/object.ts'
import type { V1ClusterRoleBinding, V1Role, V1RoleBinding } from '../machinery/schema/generated/types.ts'

const apiGroup = 'rbac.authorization.k8s.io'

const binding = (role: string, account: string, name = `skiff:${role.replace(/^system:/, '')}:${account}`): New<V1ClusterRoleBinding> => ({
  metadata: { name },
  roleRef: { apiGroup, kind: 'ClusterRole', name: role },
  subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'kube-system' }],
})

/** The provisioner of local directories works as external provisioners do. */
export const componentBindings: readonly New<V1ClusterRoleBinding>[] = [
  binding('system:persistent-volume-provisioner', 'local-directory-provisioner'),
  binding('system:controller:persistent-volume-binder', 'local-directory-provisioner'),
  // Under kubeadm's name.
  binding('system:node-proxier', nodeProxyAccount.name, 'kubeadm:node-proxier'),
]

/** Of before nodes had a credential for their Service proxies: with it each could read of all others. */
export const outdatedBinding = 'skiff:node-proxier:nodes'

const proxyToken = 'skiff:node-proxy-token'
const { namespace, name: accountName } = nodeProxyAccount

/** A node asks for the token of its Service proxy; admission looks at that it is bound to its own Node. */
export const proxyTokenRole: New<V1Role> = {
  metadata: { name: proxyToken, namespace },
  rules: [{ apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames: [accountName], verbs: ['create'] }],
}
export const proxyTokenBinding: New<V1RoleBinding> = {
  metadata: { name: proxyToken, namespace },
  roleRef: { apiGroup, kind: 'Role', name: proxyToken },
  subjects: [{ kind: 'Group', apiGroup, name: 'system:nodes' }],
}
