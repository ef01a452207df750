/** A cluster to be measured: one of our own, or whichever a kubeconfig leads to, with a namespace and a token for the load. */
import { createClient } from '../src/client/api-client.ts'
import type { Client } from '../src/client/client.ts'
import { createHttpTransport } from '../src/client/http-transport.ts'
import { loadKubeconfig } from '../src/client/kubeconfig.ts'
import { ClusterRoleBinding, Namespace, ServiceAccount } from '../src/client/resources.ts'
import { firstProcess, kubeconfigOf, remove } from './skiff.ts'

export interface BenchCluster {
  client: Client
  server: string
  ca: string
  /** Of a service account that may do everything: load generators need no certificate. */
  token: string
  /** Where everything is made, and removed in the end. */
  namespace: string
  /** First processes of the cluster, where they run on this machine. */
  processes: readonly number[]
  remove(): Promise<void>
}

export interface ClusterToMeasure {
  kubeconfig: string
  processes: readonly number[]
  remove(): Promise<void>
}

export const ownCluster = (dataDir: string): ClusterToMeasure => ({
  kubeconfig: kubeconfigOf(dataDir),
  processes: [firstProcess(dataDir) ?? 0],
  remove: () => remove(dataDir),
})

const namespace = 'skiff-bench'
const account = { name: 'load', namespace }

export async function openCluster(cluster: ClusterToMeasure): Promise<BenchCluster> {
  const access = loadKubeconfig(cluster.kubeconfig)
  const transport = createHttpTransport(access)
  const client = createClient(transport, { userAgent: 'skiff-bench' })
  const binding = { name: namespace }
  await client.create(Namespace, { metadata: { name: namespace }, spec: {} })
  await client.create(ServiceAccount, { metadata: account })
  await client.create(ClusterRoleBinding, {
    metadata: binding,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  })
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } }
  const request = await client.subresource<{ status: { token: string } }>(ServiceAccount, account, 'token', 'create', body)
  return {
    client,
    server: access.server,
    ca: String(access.ca ?? ''),
    token: request.status.token,
    namespace,
    processes: cluster.processes,
    async remove() {
      await client.delete(ClusterRoleBinding, binding).catch(() => {})
      await client.delete(Namespace, { name: namespace }).catch(() => {})
      transport.close()
      await cluster.remove()
    },
  }
}
