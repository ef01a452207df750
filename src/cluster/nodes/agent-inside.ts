/**
 * A node's own process, inside its namespaces: kubelet, container runtime, Service proxy, and the routes to the pods
 * of other nodes. Reaches the API server as any client does: the kubelet as the node, all else as the node's proxy.
 * Started again by its loop when it was killed: containers go on.
 */
import { readFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { createClient } from '../../client/api-client.ts'
import type { Component, ComponentContext } from '../../client/component.ts'
import { createHttpTransport } from '../../client/http-transport.ts'
import { createInformerFactory } from '../../client/informer-factory.ts'
import { createLogger, type LogLevel } from '../../client/logger.ts'
import { meteredTransport } from '../../client/metered-transport.ts'
import type { Transport } from '../../client/transport.ts'
import { realClock } from '../../machinery/real-clock.ts'
import { startEgress } from '../../network/egress.ts'
import { startNodeRoutes } from '../../network/node-routes.ts'
import { startOverlay } from '../../network/overlay.ts'
import { clusterCIDR, clusterDomain, dnsServiceAddress, serviceCIDR } from '../cluster-network.ts'
import { componentMetrics } from '../component-metrics.ts'
import { prepareDataDirectory } from '../data-directory.ts'
import { readCredentials, readServingPair } from '../join/credential-files.ts'
import { keepCredentials } from '../join/keep-credentials.ts'
import { proxyTransport } from '../join/proxy-token.ts'
import { ownNetwork, prepareNamespaces } from '../namespaces.ts'
import { startNode } from '../node.ts'
import type { AgentOptions } from './agent-options.ts'
import { machineNetworkDescriptor } from './node-process.ts'

const options = JSON.parse(readFileSync(process.env.SKIFF_AGENT ?? '', 'utf8')) as AgentOptions
const { nodeName, dataDir } = options
const log = createLogger({
  clock: realClock,
  write: (line) => console.log(line),
  level: (process.env.SKIFF_LOG as LogLevel | undefined) ?? 'info',
  fields: { node: nodeName },
})

process.on('uncaughtException', (error) => {
  log.error('an error that nobody caught ends the agent', { error })
  process.exit(1)
})
process.on('unhandledRejection', (error) => log.error('a promise was rejected and nobody caught it', { error }))

const pki = join(dataDir, 'pki')

async function credentialsOf() {
  const found = await readCredentials(pki, nodeName, realClock.now())
  if (!found) throw new Error(`the credentials in ${pki} are missing, or count no more`)
  return found
}

async function servingPair(authority: string) {
  const pair = await readServingPair(pki, authority, realClock.now())
  if (!pair) throw new Error(`the serving certificate in ${pki} is missing, or counts no more`)
  return pair
}

try {
  const data = prepareDataDirectory(dataDir)
  const [credentials] = await Promise.all([credentialsOf(), prepareNamespaces(data)])
  const { ca: authority, client } = credentials
  const transport = createHttpTransport({
    server: options.server,
    ca: authority,
    certificate: client.certificate,
    key: client.key,
    authorization: () => undefined,
  })
  const userAgent = `skiff-agent/${nodeName}`
  /** One set of caches for all that has the same rights. */
  const identity = (its: Transport) => {
    const client = createClient(its, { userAgent })
    return { transport: its, client, informers: createInformerFactory({ client, clock: realClock, log }) }
  }
  type Identity = ReturnType<typeof identity>
  const asNode = identity(transport)
  const asProxy = identity(proxyTransport(options.server, authority, { client: asNode.client, nodeName, clock: realClock }))
  const context = ({ transport: its, informers }: Identity, component: string): ComponentContext => ({
    client: createClient(its, { userAgent: component }),
    informers,
    clock: realClock,
    log: log.with({ component }),
    span: () => {},
  })
  /** Of one that tells what it does. */
  const measured = (as: Identity, component: string): ComponentContext => {
    const metrics = componentMetrics()
    const metered = meteredTransport(as.transport, { registry: metrics, clock: realClock, host: new URL(options.server).host })
    return { ...context(as, component), client: createClient(metered, { userAgent: component }), metrics }
  }
  const links: Component[] = [startNodeRoutes(context(asProxy, 'node-routes'), { nodeName })]
  const { overlay } = options
  if (overlay) links.push(startOverlay(context(asProxy, 'overlay'), { address: overlay.machineAddress, always: overlay.peers }))
  if (options.egress === 'on') {
    const hostNetnsPath = `/proc/${process.pid}/fd/${machineNetworkDescriptor}`
    const egress = await startEgress({ netnsPath: ownNetwork(data), hostNetnsPath, clock: realClock })
    if ('missing' in egress) log.warn(egress.missing)
  }
  const serving = await servingPair(authority)
  const node = await startNode({
    nodeName,
    address: options.address,
    data,
    imagesDir: options.imagesDir,
    cgroupRoot: options.cgroupRoot,
    serving,
    clientCa: authority,
    podCIDR: options.podCIDR,
    lease: options.lease,
    clusterCIDR,
    serviceCIDR,
    clusterDNS: dnsServiceAddress,
    clusterDomain,
    labels: options.labels,
    taints: options.taints,
    capacity: options.capacity,
    settings: options.kubelet,
    pidMax: options.pidMax,
    providerID: options.providerID,
    kubelet: measured(asNode, `kubelet/${nodeName}`),
    proxy: options.proxy ? measured(asProxy, 'kube-proxy') : undefined,
  })
  const endRotation = keepCredentials({
    nodeName,
    credentials,
    directory: pki,
    transport,
    serving: { shown: serving, addresses: [options.address], renew: (pair) => node.renewServing(pair) },
    certificates: node.certificates,
    clock: realClock,
    log,
  })
  log.info('the node is ready', { ms: Math.round(performance.now()) })
  realClock.after(5000, flushCompileCache)
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      log.info('stopping', { signal: name })
      endRotation()
      Promise.all(links.map((link) => link.stop()))
        .then(() => node.shutDown())
        .catch((error) => log.error('stopping failed', { error }))
        .finally(() => process.exit(0))
    })
  }
} catch (error) {
  log.error('the agent did not start', { error })
  process.exit(1)
}
