/** The metrics server of a cluster of Skiff: its API on the node's address, and the objects that lead to it. */
import type { ExtensionServer } from '../apiserver/aggregation/extension-client.ts'
import { createHttpServer } from '../apiserver/http/http-server.ts'
import type { Client } from '../client/client.ts'
import type { Component, ComponentContext } from '../client/component.ts'
import { APIService, ClusterRole, ClusterRoleBinding, EndpointSlice, RoleBinding, Service, ServiceAccount } from '../client/resources.ts'
import type { V1Node } from '../machinery/schema/generated/types.ts'
import { metricsAccount, metricsObjects, metricsServiceNames } from '../metrics/manifests.ts'
import { startMetricsServer } from '../metrics/metrics-server.ts'
import type { NodeSamples } from '../metrics/resource-samples.ts'
import { ensure } from './ensure.ts'
import { startMetricsApi } from './metrics-api.ts'
import type { Pki } from './pki/pki.ts'

export interface ClusterMetricsOptions {
  address: string
  port: number
  nodeName: string
  pki: Pki
  /** The administrator's, for the objects. */
  admin: Client
  /** Where the API server finds the extension servers of its own process. */
  extensions: Map<string, ExtensionServer>
  /** Nodes of this process say what they use without a connection. */
  scrape?(node: V1Node): Promise<NodeSamples> | undefined
}

export async function startClusterMetrics(context: ComponentContext, options: ClusterMetricsOptions): Promise<Component> {
  const { client, clock, log } = context
  const { address, port, nodeName, pki, admin, extensions } = options
  const { namespace, name } = metricsAccount
  const [kubeletClient, serving] = await Promise.all([
    pki.client('metrics-server', `system:serviceaccount:${namespace}:${name}`, ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]),
    pki.extensionServing('metrics-server', metricsServiceNames, [address]),
    ensureObjects(admin, { address, port, nodeName, ca: pki.ca.certificate }),
  ])
  const metrics = startMetricsServer(context, {
    kubelet: { ca: pki.ca.certificate, certificate: kubeletClient.certificate, key: kubeletClient.key },
    ...(options.scrape ? { scrape: options.scrape } : {}),
  })
  const api = await startMetricsApi({ metrics, client, clock, log, ...(context.metrics ? { registry: context.metrics } : {}) })
  const http = createHttpServer({
    handle: (request) => api.handle(request),
    clock,
    certificate: serving.certificate,
    key: serving.key,
    clientCa: pki.frontProxyCa.certificate,
    log: (level, message, fields) => log[level](message, fields),
  })
  await http.listen({ host: address, port })
  const place = `${address}:${port}`
  extensions.set(place, api)
  return {
    name: 'metrics-server',
    async stop() {
      extensions.delete(place)
      await metrics.stop()
      await api.stop()
      await http.stop(0)
    },
  }
}

async function ensureObjects(admin: Client, where: Parameters<typeof metricsObjects>[0]): Promise<void> {
  const objects = metricsObjects(where)
  await Promise.all([
    ensure(admin, ServiceAccount, objects.serviceAccount),
    ...objects.clusterRoles.map((role) => ensure(admin, ClusterRole, role)),
    ...objects.clusterRoleBindings.map((binding) => ensure(admin, ClusterRoleBinding, binding)),
    ensure(admin, RoleBinding, objects.roleBinding),
    ensure(admin, Service, objects.service),
    ensure(admin, EndpointSlice, objects.endpointSlice),
    ensure(admin, APIService, objects.apiService),
  ])
}
