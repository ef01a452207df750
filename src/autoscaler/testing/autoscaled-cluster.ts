/** A cluster with the real scheduler and the autoscaler, over machines that are pretended, under a virtual clock. */
import type { Component, ComponentContext } from '../../client/component.ts'
import type { Election } from '../../client/leader-election.ts'
import { ConfigMap, Event, Node, Pod, PodDisruptionBudget } from '../../client/resources.ts'
import { MetricRegistry } from '../../machinery/metrics/registry.ts'
import { parseStrictly } from '../../machinery/metrics/testing/strict-parser.ts'
import type { V1Pod, V1PodSpec } from '../../machinery/schema/generated/types.ts'
import { startScheduler } from '../../scheduler/scheduler.ts'
import { startClusterAutoscaler } from '../cluster-autoscaler.ts'
import { NodePool, type NodePoolSpec } from '../node-pool.ts'
import { madeNodes } from '../providers/made-nodes.ts'
import type { AutoscalerSettings } from '../settings.ts'
import { AutoscalerServer } from './autoscaler-server.ts'
import { PretendMachines } from './pretend-machines.ts'

export interface PodWish {
  cpu?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  namespace?: string
  /** Kind of its controller; `null` for none. */
  owner?: string | null
  spec?: Partial<V1PodSpec>
}

export class AutoscaledCluster {
  readonly server: AutoscalerServer
  readonly machines: PretendMachines
  /** Of the autoscaler that was started last. */
  metrics = new MetricRegistry()
  readonly #settings: Partial<AutoscalerSettings>
  readonly #running: (() => Promise<void>)[] = []

  private constructor(server: AutoscalerServer, settings: Partial<AutoscalerSettings>) {
    this.server = server
    this.machines = new PretendMachines(server.client, server.clock)
    this.#settings = settings
  }

  static async start(settings: Partial<AutoscalerSettings> = {}): Promise<AutoscaledCluster> {
    const cluster = new AutoscaledCluster(await AutoscalerServer.start(), settings)
    cluster.#run('scheduler', (context) => startScheduler(context))
    cluster.startAutoscaler()
    return cluster
  }

  /** Another one, which knows nothing of what those before it did. Resolves when it has stopped, and what it began has been left. */
  startAutoscaler(leaderElection?: Election): () => Promise<void> {
    const { client, clock } = this.server
    this.metrics = new MetricRegistry()
    const { metrics } = this
    return this.#run('cluster-autoscaler', (context) =>
      startClusterAutoscaler(
        { ...context, metrics },
        {
          providers: { Simulated: madeNodes({ maker: this.machines, client, clock }) },
          settings: this.#settings,
          ...(leaderElection ? { leaderElection } : {}),
        },
      ),
    )
  }

  /** The autoscaler that runs is no more. */
  async stopAutoscaler(): Promise<void> {
    await this.#running.pop()?.()
  }

  #run(name: string, start: (context: ComponentContext) => Component): () => Promise<void> {
    const { stopInformers, ...context } = this.server.context(name)
    const component = start(context)
    const stop = async () => {
      const at = this.#running.indexOf(stop)
      if (at >= 0) this.#running.splice(at, 1)
      const stopping = component.stop()
      stopInformers()
      await stopping
    }
    this.#running.push(stop)
    return stop
  }

  get client() {
    return this.server.client
  }

  /** Seconds pass, in which kubelets do their work. */
  async pass(seconds: number): Promise<void> {
    for (let left = seconds; left > 0; left -= 1) {
      await this.server.clock.advance(Math.min(left, 1) * 1000)
      await this.machines.tendPods()
    }
  }

  async pool(name: string, spec: Partial<NodePoolSpec> = {}, cpu: string | number = 4): Promise<void> {
    const template = { capacity: { cpu, memory: '16Gi' }, ...spec.template }
    await this.client.create(NodePool, { metadata: { name }, spec: { kind: 'Simulated', minSize: 0, maxSize: 10, ...spec, template } })
    await this.server.clock.advance(100)
  }

  async poolNow(name: string): Promise<NodePool> {
    return this.client.get(NodePool, { name })
  }

  async pod(name: string, { cpu = '1', labels = {}, annotations = {}, namespace = 'default', owner = 'ReplicaSet', spec = {} }: PodWish = {}): Promise<void> {
    const ownerReferences = owner === null ? [] : [{ apiVersion: 'apps/v1', kind: owner, name: 'owner', uid: 'owner', controller: true }]
    const containers = [{ name: 'main', image: 'main', resources: { requests: { cpu } } }]
    await this.client.create(Pod, { metadata: { name, namespace, labels, annotations, ownerReferences }, spec: { containers, ...spec } as V1PodSpec })
  }

  async pods(count: number, wish: PodWish = {}, prefix = 'pod'): Promise<void> {
    for (let i = 0; i < count; i++) await this.pod(`${prefix}-${i}`, wish)
  }

  /** Of a metric of the autoscaler, without its prefix: the value with these labels. */
  metric(name: string, labels: Record<string, string> = {}): number | undefined {
    const samples = [...parseStrictly(this.metrics.text()).values()].flatMap((family) => family.samples)
    const fits = (of: Record<string, string>) => Object.entries(labels).every(([key, value]) => of[key] === value)
    return samples.find((sample) => sample.name === `cluster_autoscaler_${name}` && fits(sample.labels))?.value
  }

  async budget(name: string, labels: Record<string, string>, disruptionsAllowed: number, namespace = 'default'): Promise<void> {
    await this.client.create(PodDisruptionBudget, { metadata: { name, namespace }, spec: { selector: { matchLabels: labels }, minAvailable: 1 } })
    await this.allow(name, disruptionsAllowed, namespace)
  }

  /** What a budget's controller would find. */
  async allow(name: string, disruptionsAllowed: number, namespace = 'default'): Promise<void> {
    const budget = await this.client.get(PodDisruptionBudget, { name, namespace })
    const status = { currentHealthy: 1 + disruptionsAllowed, desiredHealthy: 1, disruptionsAllowed, expectedPods: 1, observedGeneration: 1 }
    await this.client.updateStatus(PodDisruptionBudget, { ...budget, status })
  }

  async delete(...names: string[]): Promise<void> {
    for (const name of names) await this.client.delete(Pod, { name, namespace: 'default' })
    await this.machines.tendPods()
  }

  /** Asks for it; it goes when its nodes have gone. */
  async deletePool(name: string): Promise<void> {
    await this.client.delete(NodePool, { name })
    await this.server.clock.advance(300)
  }

  async condition(pool: string, type: string) {
    return (await this.client.find(NodePool, { name: pool }))?.status?.conditions?.find((one) => one.type === type)
  }

  /** Names of the pool's nodes. */
  async nodes(pool?: string): Promise<string[]> {
    const { items } = await this.client.list(Node, pool ? { labelSelector: `skiff.dev/node-pool=${pool}` } : {})
    return items.map(({ metadata }) => metadata.name)
  }

  async where(name: string): Promise<V1Pod['spec']['nodeName']> {
    return (await this.client.find(Pod, { name, namespace: 'default' }))?.spec.nodeName
  }

  /** `reason: message` of the autoscaler's events about objects of this kind. */
  async events(kind?: string): Promise<string[]> {
    const { items } = await this.client.list(Event)
    return items
      .filter(({ involvedObject, source }) => source?.component === 'cluster-autoscaler' && (kind === undefined || involvedObject.kind === kind))
      .map(({ reason, message }) => `${reason}: ${message}`)
  }

  async status(): Promise<string> {
    return (await this.client.get(ConfigMap, { name: 'cluster-autoscaler-status', namespace: 'kube-system' })).data?.status ?? ''
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running].map((stop) => stop()))
    await this.server.stop()
  }
}

/** A cluster for one test, stopped however that ends. */
export async function withAutoscaledCluster(run: (cluster: AutoscaledCluster) => Promise<void>, settings: Partial<AutoscalerSettings> = {}): Promise<void> {
  const cluster = await AutoscaledCluster.start(settings)
  try {
    await run(cluster)
  } finally {
    await cluster.stop()
  }
}
