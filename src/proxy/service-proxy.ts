import { Node } from '../apis/core/node.ts'
import { Service } from '../apis/core/service.ts'
import { changeTimeAnnotation, EndpointSlice } from '../apis/discovery/endpoint-slice.ts'
import type { Component, ComponentContext } from '../client/component.ts'
import { expositionType } from '../machinery/metrics/exposition.ts'
import { MetricRegistry } from '../machinery/metrics/registry.ts'
import { keyOf } from '../machinery/object.ts'
import type { V1Node } from '../machinery/schema/generated/types.ts'
import { type RunCommand, runCommand } from '../network/command.ts'
import { type ListenAddress, startHealthServer } from '../network/health-server.ts'
import { serviceKeyOf } from '../network/service-endpoints.ts'
import { forgetFlow, staleFlows } from './connections.ts'
import type { Element } from './element.ts'
import { HealthCheckPorts, healthCheckOf } from './health-check-ports.ts'
import { ProxyMetrics } from './proxy-metrics.ts'
import { serviceRules } from './service-rules.ts'
import { Table } from './table.ts'

export interface ServiceProxyOptions {
  nodeName: string
  /** Blocks of all pods: traffic from elsewhere to a Service gets the node's address. */
  clusterCIDRs: string[]
  serviceCIDR?: string
  table?: string
  /** `/healthz` and `/livez`; not served when absent. Upstream's port is 10256. */
  health?: ListenAddress
  /** `/metrics`; not served when absent. Upstream's port is 10249. */
  metrics?: ListenAddress
  run?: RunCommand
}

/** Keeps the node's nftables rules as the Services and their endpoints are. Rules stay when it stops. */
export async function startServiceProxy(context: ComponentContext, options: ServiceProxyOptions): Promise<Component> {
  const proxy = new ServiceProxy(context, options)
  await proxy.start()
  return proxy
}

const zoneOf = ({ metadata }: V1Node): string | undefined => metadata.labels?.['topology.kubernetes.io/zone']

const retryMs = { first: 500, most: 30_000 }

class ServiceProxy implements Component {
  readonly name = 'kube-proxy'
  readonly #context: ComponentContext
  readonly #options: ServiceProxyOptions
  readonly #run: RunCommand
  readonly #table: Table
  readonly #registry: MetricRegistry
  readonly #metrics: ProxyMetrics
  readonly #healthChecks: HealthCheckPorts
  readonly #changed = new Set<string>()
  /** Changes since the last load. */
  #pending = { service: 0, endpoint: 0 }
  readonly #stops: (() => unknown)[] = []
  /** UDP elements of each Service, to know which flows end. */
  readonly #udp = new Map<string, Element[]>()
  readonly #causes: number[] = []
  readonly #startedAt: number
  #loaded = false
  #syncing: Promise<void> | undefined
  #stopped = false
  #failures = 0
  #lastSync = 0

  constructor(context: ComponentContext, options: ServiceProxyOptions) {
    this.#context = context
    this.#startedAt = context.clock.now()
    this.#options = options
    this.#run = options.run ?? runCommand
    this.#healthChecks = new HealthCheckPorts(context.log)
    this.#registry = context.metrics ?? new MetricRegistry()
    this.#metrics = new ProxyMetrics(this.#registry, (what) => this.#pending[what])
    this.#table = new Table(options.table ?? 'skiff-proxy', options)
  }

  async start(): Promise<void> {
    const { informers } = this.#context
    const services = informers.informer(Service)
    const slices = informers.informer(EndpointSlice)
    const nodes = informers.informer(Node)
    slices.addIndex('service', (slice) => [serviceKeyOf(slice) ?? ''])
    this.#stops.push(
      services.onChange(({ object }) => this.#wake(keyOf(object), 'service')),
      slices.onChange(({ object, previous }) => {
        this.#note(object.metadata.annotations?.[changeTimeAnnotation], previous?.metadata.annotations?.[changeTimeAnnotation])
        for (const key of new Set([serviceKeyOf(object), previous && serviceKeyOf(previous)])) if (key) this.#wake(key, 'endpoint')
      }),
      nodes.onChange(({ object }) => {
        if (object.metadata.name !== this.#options.nodeName || zoneOf(object) === this.#zone) return
        this.#zone = zoneOf(object)
        for (const service of services.list()) this.#wake(keyOf(service), 'service')
      }),
    )
    await this.#serve()
    void Promise.all([services.whenSynced(), slices.whenSynced()]).then(() => {
      this.#synced = true
      this.#schedule()
    })
  }
  #synced = false
  /** Of this node; not waited for. */
  #zone: string | undefined

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#stops.map((stop) => stop()))
    await this.#syncing
    await this.#healthChecks.close()
  }

  /** When the cause of a change was, as the slice tells; what was before this proxy it could not follow sooner. */
  #note(told: string | undefined, before: string | undefined): void {
    const at = told === undefined || told === before ? Number.NaN : Date.parse(told)
    if (at >= this.#startedAt) this.#causes.push(at)
  }

  #wake(key: string, what: 'service' | 'endpoint'): void {
    this.#changed.add(key)
    this.#pending[what]++
    this.#metrics.changed(what)
    this.#metrics.queued.set(this.#context.clock.now() / 1000)
    this.#schedule()
  }

  /** Changes that come while rules are loading are taken together by the next turn. */
  #schedule(delayMs = 0): void {
    if (this.#syncing || this.#stopped || !this.#synced) return
    this.#syncing = this.#context.clock
      .sleep(delayMs)
      .then(() => this.#sync())
      .finally(() => {
        this.#syncing = undefined
        if (this.#failures > 0) this.#schedule(Math.min(retryMs.first * 2 ** (this.#failures - 1), retryMs.most))
        else if (this.#changed.size > 0) this.#schedule()
      })
  }

  async #sync(): Promise<void> {
    if (this.#stopped) return
    const { clock, log } = this.#context
    const start = clock.now()
    const began = clock.monotonic()
    const keys = [...this.#changed]
    const causes = this.#causes.splice(0)
    this.#changed.clear()
    this.#pending = { service: 0, endpoint: 0 }
    const stale = keys.flatMap((key) => this.#update(key))
    const whole = !this.#loaded
    const script = whole ? this.#table.full() : this.#table.difference()
    try {
      if (script !== '') await this.#run('nft', ['-f', '-'], script)
      this.#loaded = true
      this.#failures = 0
      this.#record(keys, start, began, whole, script !== '')
      for (const at of causes) this.#metrics.followed(clock.now() - at)
      await this.#forget(stale)
    } catch (error) {
      // What the kernel holds now is not known for sure: the next turn replaces all of it.
      this.#loaded = false
      this.#causes.unshift(...causes)
      this.#failures++
      this.#metrics.failures.add()
      log.error('could not load the rules of Services', { error })
    }
  }

  #update(key: string): ReturnType<typeof staleFlows> {
    const { informers } = this.#context
    const service = informers.informer(Service).get(key)
    const slices = informers.informer(EndpointSlice).indexed('service', key)
    const rules = service ? serviceRules(service, slices, { nodeName: this.#options.nodeName, zone: this.#zone }) : { elements: [], chains: [] }
    this.#table.set(key, rules)
    this.#healthChecks.set(key, service && healthCheckOf(service, slices, this.#options.nodeName))
    const before = this.#udp.get(key) ?? []
    const after = rules.elements.filter((element) => element.key.includes('udp . '))
    if (after.length > 0) this.#udp.set(key, after)
    else this.#udp.delete(key)
    return staleFlows(before, after)
  }

  async #forget(flows: ReturnType<typeof staleFlows>): Promise<void> {
    for (const flow of flows) {
      if (await forgetFlow(flow, this.#run)) continue
      this.#context.log.warn('the conntrack program is missing: UDP clients may reach endpoints that are gone for up to three minutes')
      return
    }
  }

  #record(keys: string[], start: number, began: number, whole: boolean, changed: boolean): void {
    const { clock, span } = this.#context
    const seconds = (clock.monotonic() - began) / 1000
    this.#lastSync = clock.now()
    this.#metrics.loaded(seconds, whole)
    this.#metrics.synced.set(this.#lastSync / 1000)
    if (!changed) return
    const about = keys.slice(0, 5).join(' ') + (keys.length > 5 ? ` and ${keys.length - 5} more` : '')
    span({
      name: 'rules loaded',
      start,
      end: this.#lastSync,
      about,
      attributes: { node: this.#options.nodeName, services: keys.length, elements: this.#table.elementCount },
    })
  }

  async #serve(): Promise<void> {
    const { health, metrics } = this.#options
    const page = (name: 'healthz' | 'livez') => () => {
      const now = new Date(this.#context.clock.now()).toISOString()
      const ok = this.#loaded
      this.#metrics.answered(name, ok ? 200 : 503)
      return {
        status: ok ? 200 : 503,
        type: 'application/json',
        body: `${JSON.stringify({ lastUpdated: new Date(this.#lastSync).toISOString(), currentTime: now, nodeEligible: true })}\n`,
      }
    }
    if (health) this.#stops.push((await startHealthServer(health, { '/healthz': page('healthz'), '/livez': page('livez') })).close)
    if (metrics) {
      const text = () => ({ type: expositionType, body: this.#registry.text() })
      const server = await startHealthServer(metrics, { '/metrics': text, '/healthz': () => ({ body: 'ok' }), '/proxyMode': () => ({ body: 'nftables' }) })
      this.#stops.push(server.close)
    }
  }
}
