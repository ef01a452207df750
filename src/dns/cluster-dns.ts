import { readFile } from 'node:fs/promises'
import { Namespace } from '../apis/core/namespace.ts'
import { Service } from '../apis/core/service.ts'
import { EndpointSlice } from '../apis/discovery/endpoint-slice.ts'
import type { Component, ComponentContext } from '../client/component.ts'
import { expositionType } from '../machinery/metrics/exposition.ts'
import { MetricRegistry } from '../machinery/metrics/registry.ts'
import { keyOf } from '../machinery/object.ts'
import { type ListenAddress, startHealthServer } from '../network/health-server.ts'
import { serviceKeyOf } from '../network/service-endpoints.ts'
import { DnsMetrics } from './dns-metrics.ts'
import { type DnsAddress, DnsSockets } from './dns-sockets.ts'
import { Forwarder, type Upstream } from './forwarder.ts'
import { nameservers } from './resolv-conf.ts'
import { Responder } from './responder.ts'
import { serviceRecords } from './service-records.ts'
import { Zone } from './zone.ts'

export interface ClusterDnsOptions {
  listen: DnsAddress[]
  /** `cluster.local` when absent. */
  domain?: string
  /** Who is asked for names outside: the host's own servers, these, or nobody (then they fail at once). */
  upstream: 'host' | 'off' | Upstream[]
  /** `/health`; upstream's port is 8080. */
  health?: ListenAddress
  /** `/ready`; upstream's port is 8181. */
  ready?: ListenAddress
  /** `/metrics`; upstream's port is 9153. */
  metrics?: ListenAddress
}

export interface ClusterDns extends Component {
  /** Where it listens, in the order of the options; tells which port a 0 became. */
  readonly addresses: DnsAddress[]
}

/** Serves the names of Services and pods on the given addresses. */
export async function startClusterDns(context: ComponentContext, options: ClusterDnsOptions): Promise<ClusterDns> {
  const { informers, clock, log } = context
  const domain = (options.domain ?? 'cluster.local').toLowerCase()
  const namespaces = informers.informer(Namespace)
  const services = informers.informer(Service)
  const slices = informers.informer(EndpointSlice)
  slices.addIndex('service', (slice) => [serviceKeyOf(slice) ?? ''])
  const zone = new Zone({ domain, hasNamespace: (name) => namespaces.get(name) !== undefined })
  const registry = context.metrics ?? new MetricRegistry()
  const [first] = options.listen
  const metrics = new DnsMetrics({ registry, clock, server: `dns://${first?.address ?? ''}:${first?.port ?? 53}`, domain })
  const forwarder = new Forwarder({ clock, upstreams: await upstreamsOf(options), metrics })
  const responder = new Responder({
    zone,
    metrics,
    forward: (query, way) => forwarder.forward(query, way),
    resolveOutside: (name, type) => forwarder.resolve(name, type),
  })

  const update = (key: string) => {
    const start = clock.now()
    const service = services.get(key)
    const records = service ? serviceRecords(service, slices.indexed('service', key), domain) : []
    const isNew = !zone.has(key) && records.length > 0
    zone.set(key, records)
    responder.changed()
    if (!isNew || !service) return
    const name = `${service.metadata.name}.${service.metadata.namespace}.svc.${domain}`
    context.span({ name: 'name registered', start, end: clock.now(), about: key, attributes: { name, records: records.length } })
  }
  const stops: (() => unknown)[] = [
    services.onChange(({ object }) => update(keyOf(object))),
    slices.onChange(({ object, previous }) => {
      for (const key of new Set([serviceKeyOf(object), previous && serviceKeyOf(previous)])) if (key) update(key)
    }),
    namespaces.onChange(({ type }) => {
      if (type !== 'updated') responder.changed()
    }),
  ]

  const isReady = () => services.synced && slices.synced && namespaces.synced
  const addresses: DnsAddress[] = []
  for (const wanted of options.listen) {
    // Until the names are known, silence: a client asks again, while "no such name" would be believed.
    const sockets = new DnsSockets(
      (query, way) => (isReady() ? responder.respond(query, way) : undefined),
      (error) => log.warn('a name could not be answered', { error }),
    )
    addresses.push({ address: wanted.address, port: await sockets.listen(wanted) })
    stops.push(() => sockets.close())
  }
  stops.push(...(await servePages(options, registry, isReady)))
  return {
    name: 'cluster-dns',
    addresses,
    async stop() {
      await Promise.all(stops.map((stop) => stop()))
    },
  }
}

async function upstreamsOf({ upstream, listen }: ClusterDnsOptions): Promise<Upstream[]> {
  if (upstream === 'off') return []
  if (upstream !== 'host') return upstream
  const text = await readFile('/etc/resolv.conf', 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  // Asking ourselves would go round for ever.
  return nameservers(
    text,
    listen.map(({ address }) => address),
  )
}

async function servePages({ health, ready, metrics }: ClusterDnsOptions, registry: MetricRegistry, isReady: () => boolean): Promise<(() => Promise<void>)[]> {
  const closes: (() => Promise<void>)[] = []
  const serve = async (at: ListenAddress | undefined, pages: Parameters<typeof startHealthServer>[1]) => {
    if (at) closes.push((await startHealthServer(at, pages)).close)
  }
  await serve(health, { '/health': () => ({ body: 'OK' }) })
  await serve(ready, { '/ready': () => (isReady() ? { body: 'OK' } : { status: 503, body: 'kubernetes' }) })
  await serve(metrics, { '/metrics': () => ({ type: expositionType, body: registry.text() }) })
  return closes
}
