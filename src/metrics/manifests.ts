/** What the metrics server is to the API: its account and rights, its Service, and the group that it serves. */
import type { New } from '../machinery/object.ts'
import type {
  V1APIService,
  V1ClusterRole,
  V1ClusterRoleBinding,
  V1EndpointSlice,
  V1RoleBinding,
  V1Service,
  V1ServiceAccount,
} from '../machinery/schema/generated/types.ts'

export interface MetricsObjectsOptions {
  /** Where the server listens. */
  address: string
  port: number
  nodeName?: string
  /** PEM of the authority that signed its certificate. */
  ca: string
}

export const metricsAccount = { namespace: 'kube-system', name: 'metrics-server' }
/** Names that its certificate must hold. */
export const metricsServiceNames = ['metrics-server.kube-system.svc', 'metrics-server.kube-system', 'metrics-server']

const { namespace, name } = metricsAccount
const labels = { 'k8s-app': name }
const rbac = 'rbac.authorization.k8s.io'
const account = { kind: 'ServiceAccount', name, namespace }
const meta = (name: string, more: Record<string, string> = {}) => ({ name, labels: { ...labels, ...more } })

export interface MetricsObjects {
  serviceAccount: New<V1ServiceAccount>
  clusterRoles: New<V1ClusterRole>[]
  clusterRoleBindings: New<V1ClusterRoleBinding>[]
  roleBinding: New<V1RoleBinding>
  service: New<V1Service>
  endpointSlice: New<V1EndpointSlice>
  apiService: New<V1APIService>
}

export function metricsObjects(options: MetricsObjectsOptions): MetricsObjects {
  const { address, port, nodeName, ca } = options
  const toReaders = Object.fromEntries(['admin', 'edit', 'view'].map((role) => [`rbac.authorization.k8s.io/aggregate-to-${role}`, 'true']))
  return {
    serviceAccount: { metadata: { ...meta(name), namespace } },
    clusterRoles: [
      {
        metadata: meta('system:metrics-server'),
        rules: [
          { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
          { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
        ],
      },
      {
        metadata: meta('system:aggregated-metrics-reader', toReaders),
        rules: [{ apiGroups: ['metrics.k8s.io'], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] }],
      },
    ],
    clusterRoleBindings: [
      { metadata: meta('system:metrics-server'), roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'system:metrics-server' }, subjects: [account] },
      {
        metadata: meta('metrics-server:system:auth-delegator'),
        roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'system:auth-delegator' },
        subjects: [account],
      },
    ],
    roleBinding: {
      metadata: { ...meta('metrics-server-auth-reader'), namespace },
      roleRef: { apiGroup: rbac, kind: 'Role', name: 'extension-apiserver-authentication-reader' },
      subjects: [account],
    },
    service: {
      metadata: { ...meta(name), namespace },
      spec: { ports: [{ name: 'https', appProtocol: 'https', port: 443, protocol: 'TCP', targetPort: port }] },
    },
    endpointSlice: {
      metadata: { ...meta(name, { 'kubernetes.io/service-name': name, 'endpointslice.kubernetes.io/managed-by': 'skiff-metrics-server' }), namespace },
      addressType: 'IPv4',
      ports: [{ name: 'https', protocol: 'TCP', port }],
      endpoints: [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false }, ...(nodeName ? { nodeName } : {}) }],
    },
    apiService: {
      metadata: meta('v1beta1.metrics.k8s.io'),
      spec: {
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        caBundle: Buffer.from(ca).toString('base64'),
        service: { name, namespace, port: 443 },
      },
    },
  }
}
