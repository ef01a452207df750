/** The whole cluster in one process: control plane, node, DNS and ingress, put together inside the namespaces. */

import type { ExtensionServer } from '../apiserver/aggregation/extension-client.ts'
import { kubeletProxy } from '../apiserver/proxy/proxy.ts'
import type { UserInfo } from '../apiserver/request.ts'
import { services } from '../apiserver/services/services.ts'
import { autoscalerAccount } from '../autoscaler/manifests.ts'
import type { Component, ComponentContext, Logger } from '../client/component.ts'
import { startControllerManager } from '../controllers/all-controllers.ts'
import { startClusterDns } from '../dns/cluster-dns.ts'
import { startIngressController } from '../ingress/ingress-controller.ts'
import { realClock } from '../machinery/real-clock.ts'
import { type Egress, startEgress } from '../network/egress.ts'
import { startNodeRoutes } from '../network/node-routes.ts'
import { startScheduler } from '../scheduler/scheduler.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { openTraceLog } from '../trace/trace-log.ts'
import { cgroupParent } from './cgroup-parent.ts'
import { startNodePools } from './cluster-autoscaler.ts'
import { apiPortInside, clusterCIDR, clusterDomain, dnsServiceAddress, nodeAddressOf, podBlock, serviceCIDR } from './cluster-network.ts'
import { componentContext, type StopContext } from './component-context.ts'
import { startComponentPages } from './component-pages.ts'
import { startControlPlane } from './control-plane.ts'
import { type DataDirectory, electionIdentity } from './data-directory.ts'
import { ensureJoinObjects } from './join/join-objects.ts'
import type { InsideOptions } from './launcher.ts'
import { localVolumes } from './local-volumes.ts'
import { startClusterMetrics } from './metrics-server.ts'
import { ensureNodeBridge, ownNetwork } from './namespaces.ts'
import { startNode } from './node.ts'
import { leaseFor } from './node-lease.ts'
import { startJoinLink } from './nodes/join-link.ts'
import type { LocalNodes } from './nodes/local-nodes.ts'
import { nodeControl } from './nodes/node-control.ts'
import { localNodesReady, startLocalNodes } from './nodes/start-local-nodes.ts'
import type { OptionalComponent } from './optional-components.ts'
import { writeKubeconfig } from './pki/kubeconfig.ts'
import { ensurePki } from './pki/pki.ts'
import { renewRegularly } from './pki/renewal.ts'
import { requestSigner } from './pki/request-signer.ts'
import { sessionName } from './session.ts'
import type { SimulatedNodes } from './simulated-nodes/simulated-nodes.ts'
import { simulatedNodesAccount, startSimulatedNodes } from './simulated-nodes/start-simulated-nodes.ts'
import { ensureSystemObjects } from './system-objects.ts'
import { bootstrapUser, controllerManagerUser, controllerUser, nodeUser, proxyUser, schedulerUser, serviceAccountUser } from './users.ts'

export interface ServerOptions extends Omit<InsideOptions, 'dataDir'> {
  data: DataDirectory
  log: Logger
  onApiReady(): void
}

/** Descriptors of the host's listening sockets. */
const apiSocket = 3
const httpSocket = 4
const httpsSocket = 5
/** The host's network namespace. */
const hostNetwork = 7
/** The API for machines that join, where they may. */
const joinSocket = 8

const nodeName = 'node-1'
const nodeAddress = nodeAddressOf(0)
const podCIDR = podBlock(0)
const metricsPort = 4443
/** Directories of this machine are reached from all its nodes. */
const machineLabels = { 'topology.skiff.dev/machine': 'local' }
/** Rarer than upstream's 2 s: the Lease is in the same process, and a cluster at rest should write little. */
const electionRetryMs = 5000

export async function startServer(options: ServerOptions): Promise<{ stop(): Promise<void> }> {
  const { data, log } = options
  const clock = realClock
  const [pki, store] = await Promise.all([
    ensurePki(data.pki, { clock, extraNames: [nodeAddress, ...(options.joinAddress ? [options.joinAddress] : [])] }),
    openSqliteStore(data.state),
    ensureNodeBridge(nodeAddress),
  ])
  const trace = openTraceLog(data.trace, clock)
  const extensions = new Map<string, ExtensionServer>()
  let localNodes: LocalNodes | undefined
  const controlPlane = await startControlPlane({
    store,
    clock,
    log: log.with({ component: 'kube-apiserver' }),
    pki,
    encryptionFile: data.encryption,
    advertise: { address: nodeAddress, port: apiPortInside },
    serviceCidr: serviceCIDR,
    onWrite: (write) => trace.record(write),
    extensions,
    parts: [
      services({ clusterIpRange: serviceCIDR }),
      kubeletProxy({ ca: pki.ca.certificate, client: pki.kubeletClient }),
      nodeControl(nodeName, () => localNodes),
    ],
  })
  await writeKubeconfig(data.kubeconfig, {
    context: 'skiff',
    server: `https://127.0.0.1:${options.apiPort}`,
    authority: pki.ca.certificate,
    credentials: pki.admin,
  })
  await controlPlane.http.listen({ fd: apiSocket })
  if (options.joinAddress) await controlPlane.http.listen({ fd: joinSocket })
  options.onApiReady()

  const contexts: StopContext[] = []
  const context = (component: string, user: UserInfo): ComponentContext => {
    const [made, stop] = componentContext({ controlPlane, clock, log, recordSpan: (name, span) => trace.recordSpan(name, span) }, component, user)
    contexts.push(stop)
    return made
  }
  await controlPlane.http.listen({ host: nodeAddress, port: apiPortInside })
  const runs = (component: OptionalComponent) => !options.without.includes(component)
  const lease = leaseFor(options.nodeMonitorGraceSeconds)
  const leaderElection = { identity: electionIdentity(data), retryPeriodMs: electionRetryMs }
  const components: Component[] = []
  const manager = runs('controller-manager') ? context('kube-controller-manager', controllerManagerUser) : undefined
  const scheduler = runs('scheduler') ? context('kube-scheduler', schedulerUser) : undefined
  components.push(
    await startComponentPages({ pki, clock, address: nodeAddress, components: { 'kube-controller-manager': manager, 'kube-scheduler': scheduler } }),
  )
  if (manager)
    components.push(
      startControllerManager(manager, {
        clusterCa: pki.ca.certificate,
        certificateSigner: requestSigner(pki.ca, clock),
        volumeDirectories: localVolumes(data.volumes),
        // Nodes of this machine come with their block; those of others are given one.
        ...(options.joinAddress ? { nodeRanges: { clusterCidr: clusterCIDR } } : {}),
        ...(options.nodeMonitorGraceSeconds ? { nodeLifecycle: { gracePeriodMs: options.nodeMonitorGraceSeconds * 1000 } } : {}),
        clientFor: (controller) => controlPlane.client(controllerUser(controller), controller, manager.metrics),
        leaderElection,
      }),
    )
  if (scheduler) components.push(startScheduler(scheduler, { leaderElection }))
  const currentServing = () => pki.kubeletServing(nodeName, [nodeAddress, '127.0.0.1'])
  const serving = await currentServing()
  const [node, egress] = await Promise.all([
    startNode({
      nodeName,
      address: nodeAddress,
      data,
      cgroupRoot: `${cgroupParent(options.id)}/${nodeName}`,
      serving,
      clientCa: pki.ca.certificate,
      labels: machineLabels,
      capacity: options.nodeCapacity,
      settings: options.kubelet,
      pidMax: options.pidMax,
      podCIDR,
      clusterCIDR,
      serviceCIDR,
      clusterDNS: dnsServiceAddress,
      clusterDomain,
      lease,
      kubelet: context(`kubelet/${nodeName}`, nodeUser(nodeName)),
      proxy: runs('proxy') ? context('kube-proxy', proxyUser) : undefined,
    }),
    options.egress === 'on' ? wayOut(data, log) : undefined,
    ensureSystemObjects(context('skiff', bootstrapUser).client, { dnsServiceAddress, dnsAddress: nodeAddress, nodeName }),
    ensureJoinObjects(context('skiff', bootstrapUser).client, {
      server: options.joinAddress ? `https://${options.joinAddress}:${options.apiPort}` : `https://${nodeAddress}:${apiPortInside}`,
      authority: pki.ca.certificate,
    }),
  ])
  const endRenewal = renewRegularly({
    clock,
    shown: serving,
    current: currentServing,
    renew: (pair) => node.renewServing(pair),
    failed(error) {
      node.certificates?.notRenewed('server')
      log.warn("the kubelet's serving certificate could not be renewed", { error: String(error) })
    },
  })
  if (options.joinAddress)
    components.push(
      await startJoinLink(context('node-routes', proxyUser), {
        admin: context('skiff', bootstrapUser).client,
        nodeName,
        machineAddress: options.joinAddress,
        clusterId: options.id,
        machineNetwork: `/proc/${process.pid}/fd/${hostNetwork}`,
      }),
    )
  components.push(startNodeRoutes(context('node-routes', proxyUser), { nodeName }))
  localNodes = await startLocalNodes({
    data,
    id: options.id,
    pki,
    firstAddress: nodeAddress,
    client: context('skiff', bootstrapUser).client,
    atLeast: options.nodes,
    capacity: options.nodeCapacity,
    kubelet: options.kubelet,
    pidMax: options.pidMax,
    labels: machineLabels,
    proxy: runs('proxy'),
    lease,
    clock,
  })
  let simulatedNodes: SimulatedNodes | undefined
  const faces: Promise<Component>[] = []
  if (runs('dns'))
    faces.push(
      startClusterDns(context('coredns', serviceAccountUser('kube-system', 'coredns')), {
        listen: [{ address: nodeAddress, port: 53 }],
        domain: clusterDomain,
        upstream: egress ? [{ address: egress.nameserver, port: 53 }] : 'off',
        metrics: { host: nodeAddress, port: 9153 },
      }),
    )
  if (runs('metrics-server'))
    components.push(
      await startClusterMetrics(context('metrics-server', serviceAccountUser('kube-system', 'metrics-server')), {
        address: nodeAddress,
        port: metricsPort,
        nodeName,
        pki,
        admin: context('skiff', bootstrapUser).client,
        extensions,
        scrape: ({ metadata }) => simulatedNodes?.samples(metadata.name),
      }),
    )
  if (runs('ingress'))
    faces.push(
      startIngressController(context('ingress-nginx', serviceAccountUser('kube-system', 'ingress-nginx')), {
        http: [{ fd: httpSocket, address: '127.0.0.1', port: options.httpPort }],
        https: [{ fd: httpsSocket, address: '127.0.0.1', port: options.httpsPort }],
        publishAddress: '127.0.0.1',
        stateDirectory: data.run,
        resolver: dnsServiceAddress,
        metrics: { host: nodeAddress, port: 10254 },
      }),
    )
  // Those that were asked for, and those that node pools ask for, are of one kind.
  let simulation: Promise<SimulatedNodes> | undefined
  const simulated = (): Promise<SimulatedNodes> => {
    if (simulation) return simulation
    const starting = startSimulatedNodes({
      context: context('simulated-nodes', serviceAccountUser('kube-system', simulatedNodesAccount)),
      admin: context('skiff', bootstrapUser).client,
      clientFor: (name) => controlPlane.client(nodeUser(name), 'kubelet'),
      clusterDNS: dnsServiceAddress,
      clusterDomain,
      wish: options.simulatedNodes ?? { count: 0 },
      session: sessionName(),
      lease,
      async serving(name, address) {
        const { certificate: cert, key } = await pki.kubeletServing(name, [address])
        return { cert, key, clientCA: pki.ca.certificate }
      },
      onMade: (nodes) => {
        simulatedNodes = nodes
      },
    })
    // Who asked hears of a failure; the next who asks tries again.
    starting.catch(() => {
      simulation = undefined
    })
    simulation = starting
    return starting
  }
  if (options.simulatedNodes) await simulated()
  if (runs('cluster-autoscaler'))
    faces.push(
      startNodePools(context('cluster-autoscaler', serviceAccountUser(autoscalerAccount.namespace, autoscalerAccount.name)), {
        localNodes,
        simulatedNodes: simulated,
        admin: context('skiff', bootstrapUser).client,
        leaderElection,
        host: nodeAddress,
        ...(options.autoscaler ? { settings: options.autoscaler } : {}),
      }),
    )
  components.push(...(await Promise.all(faces)))
  await localNodesReady(localNodes, context('skiff', bootstrapUser).client, clock)
  return {
    async stop() {
      for (const component of components.reverse()) await component.stop()
      await (await simulation?.catch(() => undefined))?.stop()
      endRenewal()
      await Promise.all([localNodes?.stopAll(), node.shutDown()])
      for (const stop of contexts) stop()
      await controlPlane.stop()
      trace.close()
      await store.close()
    },
  }
}

/** Lets pods reach what lies outside; without the means the cluster goes on, and says so. It ends with the namespaces. */
async function wayOut(data: DataDirectory, log: Logger): Promise<Egress | undefined> {
  const egress = await startEgress({ netnsPath: ownNetwork(data), hostNetnsPath: `/proc/${process.pid}/fd/${hostNetwork}`, clock: realClock })
  if (!('missing' in egress)) return egress
  log.warn(egress.missing)
  return undefined
}
