/** The scheduler over an API server in this process, with nodes that are only objects. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Component } from '../client/component.ts'
import { Namespace, Node, Pod, PodDisruptionBudget, PriorityClass, ServiceAccount } from '../client/resources.ts'
import { Bench } from '../controllers/testing/bench.ts'
import { timestamp } from '../machinery/clock.ts'
import { MetricRegistry } from '../machinery/metrics/registry.ts'
import { type Labels, valueIn } from '../machinery/metrics/testing/read-metrics.ts'
import { parseStrictly } from '../machinery/metrics/testing/strict-parser.ts'
import type { V1NodeSpec, V1Pod, V1PodSpec } from '../machinery/schema/generated/types.ts'
import { startScheduler } from './scheduler.ts'

const namespace = 'default'

class Cluster {
  readonly bench: Bench
  readonly #scheduler: Component

  private constructor(bench: Bench) {
    this.bench = bench
    this.#scheduler = bench.runWith((context) => startScheduler(context))
  }

  static async start(): Promise<Cluster> {
    const bench = await Bench.start()
    for (const [name, value] of [
      ['low', 10],
      ['middle', 100],
      ['high', 1000],
    ] as const)
      await bench.client.create(PriorityClass, { metadata: { name }, value })
    return new Cluster(bench)
  }

  async node(name: string, { cpu = '2', labels = {}, spec = {} }: { cpu?: string; labels?: Record<string, string>; spec?: V1NodeSpec } = {}): Promise<void> {
    const node = await this.bench.client.create(Node, { metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } }, spec: {} })
    const allocatable = { cpu, memory: '8Gi', pods: '110' }
    await this.bench.client.updateStatus(Node, { ...node, status: { ...node.status, allocatable, capacity: allocatable } })
    await this.bench.client.patch(Node, { name }, 'merge', { spec: { taints: null, ...spec } })
    await this.bench.settle(10)
  }

  async pod(
    name: string,
    { cpu = '1', labels = {}, at = namespace, ...spec }: Partial<V1PodSpec> & { cpu?: string; labels?: Record<string, string>; at?: string } = {},
  ): Promise<void> {
    const containers = [{ name: 'main', image: 'main', resources: { requests: { cpu } } }]
    await this.bench.client.create(Pod, { metadata: { name, namespace: at, labels }, spec: { containers, ...spec } as V1PodSpec })
    await this.bench.settle(20)
  }

  /** As a kubelet would: what runs has begun, what is to end has ended. */
  async kubelet(): Promise<void> {
    for (const pod of await this.bench.pods()) {
      if (!pod.spec.nodeName) continue
      if (pod.metadata.deletionTimestamp) await this.bench.client.delete(Pod, pod.metadata, { gracePeriodSeconds: 0 })
      else if (pod.status?.phase !== 'Running')
        await this.bench.client.updateStatus(Pod, { ...pod, status: { ...pod.status, phase: 'Running', startTime: timestamp(this.bench.clock.now()) } })
    }
    await this.bench.settle(20)
  }

  async get(name: string): Promise<V1Pod | undefined> {
    return await this.bench.client.find(Pod, { name, namespace })
  }

  async where(name: string): Promise<string | undefined> {
    return (await this.get(name))?.spec.nodeName
  }

  async ending(): Promise<string[]> {
    return (await this.bench.pods())
      .filter(({ metadata }) => metadata.deletionTimestamp)
      .map(({ metadata }) => metadata.name)
      .sort()
  }

  async stop(): Promise<void> {
    await this.#scheduler.stop()
    await this.bench.stop()
  }
}

test('a pod for which there is no room takes that of less important ones, and no more of it than it needs', async () => {
  const cluster = await Cluster.start()
  await cluster.node('a')
  await cluster.pod('one', { priorityClassName: 'low' })
  await cluster.pod('two', { priorityClassName: 'middle' })
  await cluster.kubelet()
  await cluster.pod('urgent', { priorityClassName: 'high' })
  const urgent = await cluster.get('urgent')
  assert.equal(urgent?.spec.nodeName, undefined)
  assert.equal(urgent?.status?.nominatedNodeName, 'a')
  assert.deepEqual(await cluster.ending(), ['one'])
  const condition = (await cluster.get('one'))?.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')
  assert.equal(condition?.reason, 'PreemptionByScheduler')
  assert.equal(condition?.message, 'default-scheduler: preempting to accommodate a higher priority pod')
  // Until the room is there nobody else goes, and nobody less important takes it.
  await cluster.bench.settle(5000)
  assert.deepEqual(await cluster.ending(), ['one'])
  await cluster.kubelet()
  await cluster.pod('sneaky', { priorityClassName: 'middle' })
  await cluster.bench.settle(11_000)
  assert.equal(await cluster.where('urgent'), 'a')
  assert.equal(await cluster.where('sneaky'), undefined)
  const events = await cluster.bench.events()
  assert.ok(events.includes(`Normal Preempted Preempted by pod ${urgent?.metadata.uid} on node a`), events.join('\n'))
  assert.ok(events.includes('Warning FailedScheduling 0/1 nodes are available: 1 Insufficient cpu.'), events.join('\n'))
  await cluster.stop()
})

test('where nobody can be made to go it says so, and a pod that must not preempt does not', async () => {
  const cluster = await Cluster.start()
  await cluster.node('a')
  await cluster.node('b', { spec: { unschedulable: true } })
  await cluster.pod('one', { cpu: '2', priorityClassName: 'high' })
  await cluster.pod('two', { priorityClassName: 'high' })
  const message = async (name: string) => (await cluster.get(name))?.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message
  const start = '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable. no new claims to deallocate, preemption: '
  assert.equal(
    await message('two'),
    `${start}0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.`,
  )
  await cluster.bench.client.create(PriorityClass, { metadata: { name: 'polite' }, value: 5000, preemptionPolicy: 'Never' })
  await cluster.pod('three', { priorityClassName: 'polite' })
  assert.equal(await message('three'), `${start}not eligible due to preemptionPolicy=Never.`)
  assert.deepEqual(await cluster.ending(), [])
  await cluster.stop()
})

test('among nodes it takes the one whose pods matter least, and spares those that a budget protects', async () => {
  const cluster = await Cluster.start()
  await cluster.node('a')
  await cluster.node('b')
  await cluster.node('c')
  const on = (node: string) => ({ nodeSelector: { 'kubernetes.io/hostname': node } })
  await cluster.pod('protected', { cpu: '2', priorityClassName: 'low', labels: { app: 'db' }, ...on('a') })
  await cluster.pod('middle', { cpu: '2', priorityClassName: 'middle', ...on('b') })
  await cluster.pod('low-1', { priorityClassName: 'low', ...on('c') })
  await cluster.pod('low-2', { priorityClassName: 'low', ...on('c') })
  await cluster.kubelet()
  const selector = { matchLabels: { app: 'db' } }
  const budget = await cluster.bench.client.create(PodDisruptionBudget, { metadata: { name: 'db', namespace }, spec: { minAvailable: 1, selector } })
  await cluster.bench.client.updateStatus(PodDisruptionBudget, {
    ...budget,
    status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, observedGeneration: 1 },
  })
  await cluster.bench.settle(10)
  await cluster.pod('urgent', { cpu: '2', priorityClassName: 'high' })
  assert.deepEqual(await cluster.ending(), ['low-1', 'low-2'])
  await cluster.kubelet()
  await cluster.bench.settle(2000)
  assert.equal(await cluster.where('urgent'), 'c')
  // Budgets are kept as long as there is another way, and not when there is none.
  await cluster.pod('second', { cpu: '2', priorityClassName: 'high' })
  assert.deepEqual(await cluster.ending(), ['middle'])
  await cluster.kubelet()
  await cluster.bench.settle(2000)
  await cluster.pod('third', { cpu: '2', priorityClassName: 'high' })
  assert.deepEqual(await cluster.ending(), ['protected'])
  await cluster.stop()
})

test('pods that others do not want beside them are preempted too', async () => {
  const cluster = await Cluster.start()
  await cluster.node('a', { cpu: '8' })
  await cluster.pod('guard', {
    priorityClassName: 'low',
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { app: 'web' } }, topologyKey: 'kubernetes.io/hostname' }],
      },
    },
  })
  await cluster.pod('harmless', { priorityClassName: 'low' })
  await cluster.kubelet()
  await cluster.pod('web', { priorityClassName: 'high', labels: { app: 'web' } })
  assert.deepEqual(await cluster.ending(), ['guard'])
  await cluster.kubelet()
  await cluster.bench.settle(2000)
  assert.equal(await cluster.where('web'), 'a')
  assert.equal(await cluster.where('harmless'), 'a')
  await cluster.stop()
})

test('affinity may mean pods of other namespaces, by their labels, as these change', async () => {
  const cluster = await Cluster.start()
  await cluster.node('a', { cpu: '8' })
  await cluster.node('b', { cpu: '16' })
  await cluster.bench.client.create(Namespace, { metadata: { name: 'shop' }, spec: {} })
  await cluster.bench.client.create(ServiceAccount, { metadata: { name: 'default', namespace: 'shop' } })
  await cluster.pod('db', { at: 'shop', labels: { app: 'db' }, nodeSelector: { 'kubernetes.io/hostname': 'a' } })
  const term = { labelSelector: { matchLabels: { app: 'db' } }, namespaceSelector: { matchLabels: { team: 'data' } }, topologyKey: 'kubernetes.io/hostname' }
  await cluster.pod('near', { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } })
  assert.equal(await cluster.where('near'), undefined)
  await cluster.bench.client.patch(Namespace, { name: 'shop' }, 'merge', { metadata: { labels: { team: 'data' } } })
  await cluster.bench.settle(2000)
  assert.equal(await cluster.where('near'), 'a')
  await cluster.pod('far', { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } })
  assert.equal(await cluster.where('far'), 'b')
  await cluster.stop()
})

test('a hundred nodes are filled evenly, to the last place, and what is too much waits for room', async () => {
  const cluster = await Cluster.start()
  for (let i = 0; i < 100; i++) await cluster.node(`node-${i}`, { labels: { 'topology.kubernetes.io/zone': `zone-${i % 4}` } })
  const spread = { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } } }
  for (let i = 0; i < 205; i++) await cluster.pod(`pod-${i}`, { labels: { app: 'web' }, topologySpreadConstraints: [spread] })
  await cluster.bench.settle(2000)
  const pods = await cluster.bench.pods()
  const byNode = new Map<string, number>()
  for (const { spec } of pods) if (spec.nodeName) byNode.set(spec.nodeName, (byNode.get(spec.nodeName) ?? 0) + 1)
  assert.deepEqual([byNode.size, Math.max(...byNode.values())], [100, 2])
  assert.equal(pods.filter(({ spec }) => !spec.nodeName).length, 5)
  await cluster.node('another', { cpu: '5', labels: { 'topology.kubernetes.io/zone': 'zone-4' } })
  await cluster.bench.settle(15_000)
  assert.equal((await cluster.bench.pods()).filter(({ spec }) => !spec.nodeName).length, 0)
  await cluster.stop()
})

test('what it does is told under the names that dashboards know', async () => {
  const bench = await Bench.start()
  const metrics = new MetricRegistry()
  const scheduler = bench.runWith((context) => startScheduler({ ...context, metrics }))
  const node = await bench.client.create(Node, { metadata: { name: 'a' }, spec: {} })
  await bench.client.updateStatus(Node, { ...node, status: { allocatable: { cpu: '1', memory: '1Gi', pods: '10' } } })
  await bench.client.patch(Node, { name: 'a' }, 'merge', { spec: { taints: null } })
  await bench.settle(10)
  const pod = (name: string, cpu: string, more: object = {}) =>
    bench.client.create(Pod, { metadata: { name, namespace }, spec: { containers: [{ name: 'main', image: 'x', resources: { requests: { cpu } } }], ...more } })
  await pod('fits', '500m')
  await pod('large', '2')
  await pod('gated', '1m', { schedulingGates: [{ name: 'example.com/wait' }] })
  await bench.settle(100)
  const families = parseStrictly(metrics.text())
  const values = (name: string) => Object.fromEntries((families.get(name)?.samples ?? []).map(({ labels, value }) => [Object.values(labels).join(' '), value]))
  assert.deepEqual(values('scheduler_schedule_attempts_total'), { 'scheduled default-scheduler': 1, 'unschedulable default-scheduler': 1 })
  assert.deepEqual(values('scheduler_pending_pods'), { active: 0, backoff: 0, unschedulable: 1, gated: 1 })
  assert.deepEqual(values('scheduler_unschedulable_pods'), { 'NodeResourcesFit default-scheduler': 1 })
  assert.deepEqual(values('scheduler_cache_size'), { nodes: 1, pods: 1, assumed_pods: 0 })
  assert.equal(values('scheduler_queue_incoming_pods_total')['active PodAdd'], 3)
  const sli = families.get('scheduler_pod_scheduling_sli_duration_seconds')?.samples.find(({ name }) => name.endsWith('_count'))
  assert.deepEqual([sli?.labels, sli?.value], [{ attempts: '1' }, 1])
  assert.deepEqual(values('scheduler_preemption_attempts_total'), { '': 1 })
  const times = (family: string, extension_point: string, labels: Labels) =>
    valueIn(metrics.text(), `scheduler_${family}_duration_seconds_count`, { extension_point, ...labels })
  const profile = 'default-scheduler'
  for (const point of ['PreFilter', 'Filter', 'Reserve', 'PreBind', 'Bind'])
    assert.equal(times('framework_extension_point', point, { status: 'Success', profile }), point === 'PreFilter' ? 2 : 1, point)
  for (const point of ['Filter', 'PostFilter']) assert.equal(times('framework_extension_point', point, { status: 'Unschedulable', profile }), 1, point)
  // One node is chosen without scores, and only the first of ten cycles is looked at more closely.
  assert.equal(times('framework_extension_point', 'Score', {}), 0)
  assert.equal(times('plugin_execution', 'Filter', { plugin: 'NodeResourcesFit', status: 'Success' }), 1)
  assert.equal(times('plugin_execution', 'Filter', { plugin: 'NodeResourcesFit', status: 'Unschedulable' }), 0)
  await scheduler.stop()
  await bench.stop()
})
