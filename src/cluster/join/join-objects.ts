/**
 * What lets nodes join, under kubeadm's names: what is publicly known of the cluster, and the rights of those who
 * bring a bootstrap token. A token's bearer asks for a certificate as the node that it says it is; what the node may
 * do then is the Node authorizer's to say.
 */
import { stringify } from 'yaml'
import { clusterInfo, nodeBootstrappersGroup } from '../../apis/core/bootstrap-token.ts'
import type { Client } from '../../client/client.ts'
import { ClusterRole, ClusterRoleBinding, ConfigMap, Role, RoleBinding } from '../../client/resources.ts'
import type { New } from '../../machinery/object.ts'
import type { V1ClusterRoleBinding, V1ConfigMap } from '../../machinery/schema/generated/types.ts'
import { ensure } from '../ensure.ts'

export interface JoinObjectOptions {
  /** Where nodes reach the API server: `https://10.0.0.1:6443`. */
  server: string
  /** PEM of the cluster's authority. */
  authority: string
}

const rbac = 'rbac.authorization.k8s.io'
const role = (name: string) => ({ apiGroup: rbac, kind: 'ClusterRole', name })
const group = (name: string) => ({ apiGroup: rbac, kind: 'Group', name })

const serverRole = 'skiff:certificatesigningrequests:selfnodeserver'

const bindings: readonly New<V1ClusterRoleBinding>[] = [
  { metadata: { name: 'kubeadm:kubelet-bootstrap' }, roleRef: role('system:node-bootstrapper'), subjects: [group(nodeBootstrappersGroup)] },
  {
    metadata: { name: 'kubeadm:node-autoapprove-bootstrap' },
    roleRef: role('system:certificates.k8s.io:certificatesigningrequests:nodeclient'),
    subjects: [group(nodeBootstrappersGroup)],
  },
  {
    metadata: { name: 'kubeadm:node-autoapprove-certificate-rotation' },
    roleRef: role('system:certificates.k8s.io:certificatesigningrequests:selfnodeclient'),
    subjects: [group('system:nodes')],
  },
  // Upstream leaves serving certificates to a person; here a node is given those for its own names.
  { metadata: { name: serverRole }, roleRef: role(serverRole), subjects: [group('system:nodes')] },
  {
    metadata: { name: 'skiff:kubelet-serving-approver:certificate-controller' },
    roleRef: role('system:certificates.k8s.io:kubelet-serving-approver'),
    subjects: [{ kind: 'ServiceAccount', name: 'certificate-controller', namespace: 'kube-system' }],
  },
  // Who joins asks first whether a node of its name is there already.
  { metadata: { name: 'kubeadm:get-nodes' }, roleRef: role('kubeadm:get-nodes'), subjects: [group(nodeBootstrappersGroup)] },
]

const publicReader = 'kubeadm:bootstrap-signer-clusterinfo'
const { name, namespace } = clusterInfo

function clusterInfoOf({ server, authority }: JoinObjectOptions): New<V1ConfigMap> {
  const cluster = { 'certificate-authority-data': Buffer.from(authority).toString('base64'), server }
  const kubeconfig = stringify({ apiVersion: 'v1', kind: 'Config', clusters: [{ name: '', cluster }], contexts: null, 'current-context': '', users: null })
  return { metadata: { name, namespace }, data: { kubeconfig } }
}

export async function ensureJoinObjects(client: Client, options: JoinObjectOptions): Promise<void> {
  await Promise.all([
    ...bindings.map((binding) => ensure(client, ClusterRoleBinding, binding)),
    ensure(client, ClusterRole, { metadata: { name: 'kubeadm:get-nodes' }, rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }] }),
    ensure(client, ClusterRole, {
      metadata: { name: serverRole },
      rules: [{ apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests/selfnodeserver'], verbs: ['create'] }],
    }),
    ensure(client, Role, {
      metadata: { name: publicReader, namespace },
      rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [name], verbs: ['get'] }],
    }),
    ensure(client, RoleBinding, {
      metadata: { name: publicReader, namespace },
      roleRef: { apiGroup: rbac, kind: 'Role', name: publicReader },
      subjects: [{ apiGroup: rbac, kind: 'User', name: 'system:anonymous' }],
    }),
    publish(client, clusterInfoOf(options)),
  ])
}

/** Unlike the rest, it follows what is true now: the address may be another than at the last start. */
async function publish(client: Client, wanted: New<V1ConfigMap>): Promise<void> {
  await ensure(client, ConfigMap, wanted)
  const stored = await client.get(ConfigMap, { name, namespace })
  if (stored.data?.kubeconfig !== wanted.data?.kubeconfig) await client.update(ConfigMap, { ...stored, data: { ...stored.data, ...wanted.data } })
}
