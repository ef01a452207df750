/** A node under a virtual clock: the real kubelet over the simulated runtime, against a real API server in process. */
import assert from 'node:assert/strict'
import { createInProcessTransport } from '../../apiserver/in-process-transport.ts'
import { type ApiServer, createApiServer } from '../../apiserver/server.ts'
import { allowEverything } from '../../apiserver/testing/test-server.ts'
import { createClient } from '../../client/api-client.ts'
import type { Client, Span } from '../../client/client.ts'
import { createInformerFactory } from '../../client/informer-factory.ts'
import { silentLogger } from '../../client/logger.ts'
import { Event, Namespace, Pod } from '../../client/resources.ts'
import type { Transport } from '../../client/transport.ts'
import { isApiError } from '../../machinery/errors.ts'
import type { MetricRegistry } from '../../machinery/metrics/registry.ts'
import type { V1Container, V1Pod, V1PodSpec } from '../../machinery/schema/generated/types.ts'
import { VirtualClock } from '../../machinery/virtual-clock.ts'
import type { ContainerConfig } from '../../runtime/runtime.ts'
import type { SimulatedLife } from '../../runtime/simulated/life.ts'
import type { PullOf } from '../../runtime/simulated/simulated-images.ts'
import { SimulatedRuntime } from '../../runtime/simulated/simulated-runtime.ts'
import { MemoryStore } from '../../store/memory-store.ts'
import { noFiles } from '../files/no-files.ts'
import { type Kubelet, startKubelet } from '../kubelet.ts'
import type { KubeletOptions } from '../options.ts'
import { simulatedProbes } from '../probes/network-probes.ts'
import { BreakableTransport } from './breakable-transport.ts'

export const nodeName = 'node-1'

export interface BenchOptions {
  /** By container name; may be changed while it runs. */
  lives?: Record<string, SimulatedLife | ((container: ContainerConfig) => SimulatedLife)>
  pull?: PullOf
  kubelet?: Partial<KubeletOptions>
  /** Real files below this directory: real time passes beside the virtual one. */
  directory?: string
  /** Where the kubelet counts. */
  metrics?: MetricRegistry
}

export class NodeBench {
  readonly clock = new VirtualClock()
  readonly lives: NonNullable<BenchOptions['lives']>
  readonly runtime: SimulatedRuntime
  readonly client: Client
  /** Those that writes carried. */
  readonly spans: Span[]
  readonly #server: ApiServer
  readonly #options: BenchOptions
  #kubelet: { kubelet: Kubelet; stop(): Promise<void> } | undefined
  #link: BreakableTransport | undefined

  private constructor(server: ApiServer, clock: VirtualClock, spans: Span[], options: BenchOptions) {
    this.spans = spans
    this.clock = clock
    this.#server = server
    this.#options = options
    this.lives = options.lives ?? {}
    this.client = createClient(this.#transport('test'), { userAgent: 'test' })
    this.runtime = new SimulatedRuntime({
      clock,
      life: (container) => {
        const life = this.lives[container.metadata.name]
        return typeof life === 'function' ? life(container) : (life ?? {})
      },
      ...(options.pull ? { pull: options.pull } : {}),
    })
  }

  static async start(options: BenchOptions = {}): Promise<NodeBench> {
    const clock = new VirtualClock()
    const spans: Span[] = []
    const server = createApiServer({
      store: new MemoryStore(),
      clock,
      parts: [allowEverything],
      onWrite: ({ cause }) => void spans.push(...(cause?.spans ?? [])),
    })
    await server.start()
    const bench = new NodeBench(server, clock, spans, options)
    for (const name of ['default', 'kube-node-lease'])
      await bench.client.create(Namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {} }).catch((error) => {
        if (!isApiError(error, 'AlreadyExists')) throw error
      })
    await bench.startKubelet()
    return bench
  }

  get kubelet(): Kubelet {
    assert.ok(this.#kubelet)
    return this.#kubelet.kubelet
  }

  async startKubelet(): Promise<void> {
    const clock = this.clock
    const transport = this.#transport(`system:node:${nodeName}`, true)
    const client = createClient(transport, { userAgent: 'kubelet' })
    const informers = createInformerFactory({ client, clock, log: silentLogger })
    const kubelet = startKubelet(
      { client, informers, clock, log: silentLogger, span() {}, ...(this.#options.metrics ? { metrics: this.#options.metrics } : {}) },
      {
        nodeName,
        runtime: this.runtime,
        addresses: [
          { type: 'InternalIP', address: '192.168.0.1' },
          { type: 'Hostname', address: nodeName },
        ],
        rootDirectory: this.#options.directory ?? '/nowhere',
        clusterDNS: ['10.96.0.10'],
        clusterDomain: 'cluster.local',
        capacity: { cpu: '2', memory: '4Gi' },
        ...(this.#options.directory ? {} : { files: noFiles }),
        probes: simulatedProbes(this.runtime),
        ...this.#options.kubelet,
      },
    )
    this.#kubelet = {
      kubelet,
      async stop() {
        const stopping = kubelet.stop()
        informers.stop()
        await stopping
      },
    }
    if (!this.#link?.isCut) await this.until('the kubelet is ready', () => this.#isReady())
  }

  #ready = false
  #isReady(): boolean {
    if (this.#ready) return true
    this.kubelet.ready.then(
      () => {
        this.#ready = true
      },
      () => {},
    )
    return false
  }

  async stopKubelet(): Promise<void> {
    this.#ready = false
    const stopping = this.#kubelet?.stop()
    let stopped = false
    stopping?.finally(() => {
      stopped = true
    })
    await this.until('the kubelet has stopped', () => stopped || !stopping)
    this.#kubelet = undefined
  }

  async stop(): Promise<void> {
    await this.stopKubelet()
    await this.#server.stop()
  }

  /** The kubelet can reach no API server until {@link comeBack}. */
  goAway(): void {
    this.#link?.cut()
  }

  comeBack(): void {
    this.#link?.mend()
  }

  async createPod(name: string, spec: Partial<V1PodSpec> = {}, metadata: Partial<V1Pod['metadata']> = {}): Promise<V1Pod> {
    const containers = (spec.containers ?? [{ name: 'main' }]).map((container): V1Container => ({ image: 'image:1', ...container }))
    const initContainers = (spec.initContainers ?? []).map((container): V1Container => ({ image: 'image:1', ...container }))
    return this.client.create(Pod, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', ...metadata },
      spec: { nodeName, ...spec, containers, ...(initContainers.length > 0 ? { initContainers } : {}) },
    })
  }

  async pod(name: string): Promise<V1Pod> {
    return this.client.get(Pod, { name, namespace: 'default' })
  }

  async find(name: string): Promise<V1Pod | undefined> {
    return this.client.find(Pod, { name, namespace: 'default' })
  }

  /** Lets time go on in small steps until it is so; at most ten minutes. */
  async until(what: string, holds: () => boolean | Promise<boolean>, stepMs = 100): Promise<void> {
    for (let passed = 0; passed < 600_000; passed += stepMs) {
      if (await holds()) return
      await this.clock.advance(stepMs)
      if (this.#options.directory) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    assert.fail(`waited in vain until ${what}`)
  }

  async untilPod(name: string, what: string, holds: (pod: V1Pod) => boolean): Promise<V1Pod> {
    let last: V1Pod | undefined
    try {
      await this.until(`${name} ${what}`, async () => {
        last = await this.find(name)
        return last !== undefined && holds(last)
      })
    } catch (error) {
      assert.fail(`${(error as Error).message}; it is ${JSON.stringify(last?.status, undefined, 1)}`)
    }
    assert.ok(last)
    return last
  }

  untilReady = (name: string) => this.untilPod(name, 'is ready', isReady)

  async events(): Promise<string[]> {
    await this.clock.advance(1000)
    const { items } = await this.client.list(Event)
    return items.filter(({ involvedObject }) => involvedObject.kind === 'Pod').map(({ type, reason, message }) => `${type} ${reason} ${message}`)
  }

  async eventsOf(reason: string): Promise<string[]> {
    return (await this.events()).filter((line) => line.split(' ')[1] === reason)
  }

  #transport(user: string, breakable = false): Transport {
    const inner = createInProcessTransport(this.#server, { user: { name: user, groups: ['system:masters'] }, userAgent: user })
    if (!breakable) return inner
    this.#link ??= new BreakableTransport(inner)
    return this.#link
  }
}

export const isReady = (pod: V1Pod): boolean => pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false

export const conditionOf = (pod: V1Pod, type: string) => pod.status?.conditions?.find((condition) => condition.type === type)

export const containerOf = (pod: V1Pod, name: string) =>
  [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find((status) => status.name === name)
