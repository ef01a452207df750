/** Nodes go that nobody needs, and no others. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Node, Pod, PodDisruptionBudget, PriorityClass } from '../../client/resources.ts'
import { NodePool } from '../node-pool.ts'
import { defaultSettings } from '../settings.ts'
import { type AutoscaledCluster, type PodWish, withAutoscaledCluster as withCluster } from '../testing/autoscaled-cluster.ts'
import { AutoscalerServer } from '../testing/autoscaler-server.ts'
import { drain } from './drain.ts'

const scaleDown = { unneededSeconds: 30, delayAfterAddSeconds: 0 }

test('empty nodes go together after their time, down to the least size', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers', { minSize: 1, scaleDown })
    await cluster.pods(12)
    await cluster.pass(12)
    assert.equal((await cluster.nodes()).length, 3)
    await cluster.delete(...Array.from({ length: 12 }, (_, i) => `pod-${i}`))
    await cluster.pass(25)
    assert.equal((await cluster.nodes()).length, 3)
    await cluster.pass(20)
    assert.equal((await cluster.nodes()).length, 1)
    assert.equal((await cluster.machines.list()).length, 1)
    await cluster.pass(60)
    assert.equal((await cluster.nodes()).length, 1)
    const events = await cluster.events('NodePool')
    assert.equal(events.filter((event) => /^ScaleDownEmpty: Scale-down: empty node workers-\w+ removed$/.test(event)).length, 2)
    assert.ok((await cluster.events('Node')).includes('ScaleDown: marked the node as toBeDeleted/unschedulable'))
    assert.equal((await cluster.poolNow('workers')).status?.size, 1)
  }))

/** Two nodes, of which one has little on it; returns the name of the little used one. */
async function littleUsed(cluster: AutoscaledCluster, wish: PodWish, pool: object = {}): Promise<string> {
  await cluster.pool('workers', { scaleDown, ...pool })
  await cluster.pod('large', { cpu: '2500m' })
  await cluster.pass(3)
  await cluster.pod('filler', { cpu: '2500m' })
  await cluster.pass(8)
  await cluster.pod('moving', {
    cpu: '500m',
    ...wish,
    spec: { ...wish.spec, nodeSelector: { 'kubernetes.io/hostname': (await cluster.where('filler')) ?? '' } },
  })
  await cluster.pass(3)
  const node = (await cluster.where('moving')) ?? ''
  assert.equal(node, await cluster.where('filler'))
  return node
}

/** The same with a pod that may go anywhere: it is put there by its node's name. */
async function pinned(cluster: AutoscaledCluster, wish: PodWish = {}, pool: object = {}): Promise<string> {
  await cluster.pool('workers', { scaleDown, ...pool })
  await cluster.pod('large', { cpu: '2500m' })
  await cluster.pass(3)
  await cluster.pod('filler', { cpu: '2500m' })
  await cluster.pass(8)
  const node = (await cluster.where('filler')) ?? ''
  await cluster.pod('moving', { cpu: '500m', ...wish, spec: { ...wish.spec, nodeName: node } })
  await cluster.delete('filler')
  return node
}

test('a little used node is drained when its pods have a place elsewhere', () =>
  withCluster(async (cluster) => {
    const node = await pinned(cluster)
    await cluster.pass(20)
    assert.ok((await cluster.nodes()).includes(node))
    await cluster.pass(30)
    assert.ok(!(await cluster.nodes()).includes(node))
    assert.equal((await cluster.nodes()).length, 1)
    assert.ok((await cluster.events('Pod')).includes('ScaleDown: deleting pod for node scale down'))
    assert.ok((await cluster.events('NodePool')).includes(`ScaleDown: Scale-down: node ${node} removed with drain`))
  }))

test('a node stays whose pods have no place elsewhere', () =>
  withCluster(async (cluster) => {
    const node = await littleUsed(cluster, {})
    await cluster.delete('filler')
    await cluster.pass(90)
    assert.ok((await cluster.nodes()).includes(node))
    assert.equal(await cluster.where('moving'), node)
  }))

const staying: [string, PodWish, object?][] = [
  ['has nobody who would make it again', { owner: null }],
  ['has a controller of a kind that is not known', { owner: 'Custom' }],
  ['says that it must not be moved', { annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' } }],
  ['keeps something on the node', { spec: { volumes: [{ name: 'scratch', emptyDir: {} }] } }],
]

for (const [why, wish] of staying)
  test(`a node stays when a pod of it ${why}`, () =>
    withCluster(async (cluster) => {
      const node = await pinned(cluster, wish)
      await cluster.pass(90)
      assert.ok((await cluster.nodes()).includes(node))
    }))

const going: [string, PodWish][] = [
  ['says that it may be moved, whoever made it', { owner: null, annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' } }],
  ['keeps only memory', { spec: { volumes: [{ name: 'scratch', emptyDir: { medium: 'Memory' } }] } }],
  [
    'says that its volume is not worth keeping',
    { spec: { volumes: [{ name: 'scratch', emptyDir: {} }] }, annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes': 'scratch' } },
  ],
  ['is of a DaemonSet', { owner: 'DaemonSet', cpu: '1' }],
  ['says that it is like one of a DaemonSet', { owner: null, annotations: { 'cluster-autoscaler.kubernetes.io/daemonset-pod': 'true' } }],
  ['is less important than pods that count', { owner: null, spec: { priorityClassName: 'expendable' } }],
  ['is the node’s own', { owner: null, annotations: { 'kubernetes.io/config.mirror': 'x' } }],
]

for (const [why, wish] of going)
  test(`a node goes when its pod ${why}`, () =>
    withCluster(async (cluster) => {
      await cluster.client.create(PriorityClass, { metadata: { name: 'expendable' }, value: -11 })
      const node = await pinned(cluster, wish)
      await cluster.pass(90)
      assert.ok(!(await cluster.nodes()).includes(node))
    }))

test('a node stays when a pod of kube-system is on it that no budget covers', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers', { scaleDown })
    await cluster.pod('dns', { namespace: 'kube-system' })
    await cluster.pass(3)
    await cluster.pass(90)
    assert.equal((await cluster.nodes()).length, 1)
  }))

test('a node goes when a budget covers the pod of kube-system that is on it', () =>
  withCluster(async (cluster) => {
    await pinned(cluster)
    await cluster.pod('dns', { namespace: 'kube-system', cpu: '100m', labels: { app: 'dns' }, spec: { nodeName: (await cluster.where('moving')) ?? '' } })
    await cluster.pass(60)
    assert.equal((await cluster.nodes()).length, 2)
    await cluster.budget('dns', { app: 'dns' }, 1, 'kube-system')
    await cluster.pass(60)
    assert.equal((await cluster.nodes()).length, 1)
  }))

test('a budget that allows nothing keeps the node; once it does, the node goes', () =>
  withCluster(async (cluster) => {
    await cluster.server.clock.advance(10)
    await cluster.budget('budget', { app: 'moving' }, 0)
    const node = await pinned(cluster, { labels: { app: 'moving' } })
    await cluster.pass(90)
    assert.ok((await cluster.nodes()).includes(node))
    assert.deepEqual(await cluster.events('Node'), [], 'nothing was begun')
    const budget = await cluster.client.get(PodDisruptionBudget, { name: 'budget', namespace: 'default' })
    const status = { currentHealthy: 2, desiredHealthy: 1, disruptionsAllowed: 1, expectedPods: 2, observedGeneration: 1 }
    await cluster.client.updateStatus(PodDisruptionBudget, { ...budget, status })
    await cluster.pass(90)
    assert.ok(!(await cluster.nodes()).includes(node))
  }))

test('a node that is marked, or whose pool is told so, stays', () =>
  withCluster(async (cluster) => {
    await cluster.pool('marked', { scaleDown, minSize: 2 })
    await cluster.pool('told', { scaleDown: { ...scaleDown, disabled: true }, minSize: 1 })
    await cluster.pass(3)
    const [first = ''] = await cluster.nodes('marked')
    await cluster.client.patch(Node, { name: first }, 'merge', {
      metadata: { annotations: { 'cluster-autoscaler.kubernetes.io/scale-down-disabled': 'true' } },
    })
    for (const name of ['marked', 'told']) await cluster.client.patch(NodePool, { name }, 'merge', { spec: { minSize: 0 } })
    await cluster.pass(90)
    assert.deepEqual(await cluster.nodes('marked'), [first])
    assert.equal((await cluster.nodes('told')).length, 1)
  }))

test('after nodes were added none goes for a while', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers', { scaleDown: { unneededSeconds: 5, delayAfterAddSeconds: 100 }, minSize: 1 })
    await cluster.pass(2)
    await cluster.client.patch(NodePool, { name: 'workers' }, 'merge', { spec: { minSize: 0 } })
    await cluster.pass(80)
    assert.equal((await cluster.nodes()).length, 1)
    await cluster.pass(40)
    assert.equal((await cluster.nodes()).length, 0)
  }))

test('a node whose pods do not go is let in again', () =>
  withCluster(
    async (cluster) => {
      const node = await pinned(cluster)
      // Nobody ends the pod: its kubelet is away.
      for (let i = 0; i < 120; i++) await cluster.server.clock.advance(1000)
      const stays = await cluster.client.get(Node, { name: node })
      assert.ok(!stays.spec.taints?.some(({ key }) => key === 'ToBeDeletedByClusterAutoscaler'))
      assert.notEqual(stays.spec.unschedulable, true)
      assert.ok((await cluster.events('Node')).includes('ScaleDownFailed: failed to drain the node, aborting ScaleDown'))
    },
    { scaleDownDelayAfterFailureMs: 10 * 60_000 },
  ))

test('what is not needed any more is seen at once, however seldom the autoscaler looks by itself', () =>
  withCluster(
    async (cluster) => {
      await cluster.pool('workers', { scaleDown: { unneededSeconds: 2, delayAfterAddSeconds: 0 } })
      await cluster.pods(2)
      await cluster.pass(5)
      assert.equal((await cluster.nodes()).length, 1)
      await cluster.delete('pod-0', 'pod-1')
      await cluster.pass(5)
      assert.equal((await cluster.nodes()).length, 0)
    },
    { scanIntervalMs: 10 * 60_000 },
  ))

test('a budget that begins to allow it, and a word on a node that is taken back, are seen at once too', () =>
  withCluster(
    async (cluster) => {
      await cluster.budget('budget', { app: 'moving' }, 0)
      const node = await pinned(cluster, { labels: { app: 'moving' } }, { scaleDown: { unneededSeconds: 2, delayAfterAddSeconds: 0 } })
      await cluster.pass(10)
      assert.equal((await cluster.nodes()).length, 2)
      const say = (word: string | null) =>
        cluster.client.patch(Node, { name: node }, 'merge', { metadata: { annotations: { 'cluster-autoscaler.kubernetes.io/scale-down-disabled': word } } })
      await say('true')
      await cluster.allow('budget', 1)
      await cluster.pass(10)
      assert.equal((await cluster.nodes()).length, 2)
      await say(null)
      await cluster.pass(6)
      assert.equal((await cluster.nodes()).length, 1)
    },
    { scanIntervalMs: 10 * 60_000 },
  ))

test('an autoscaler that is killed while a node is emptied leaves one that the next lets in again or takes out', () =>
  withCluster(async (cluster) => {
    const node = await pinned(cluster)
    await cluster.pass(25)
    // Its pod does not end yet: nobody tends pods.
    for (let i = 0; i < 8; i++) await cluster.server.clock.advance(1000)
    const isMarked = async () => (await cluster.client.get(Node, { name: node })).spec.taints?.some(({ key }) => key === 'ToBeDeletedByClusterAutoscaler')
    assert.ok(await isMarked())
    await cluster.stopAutoscaler()
    assert.ok(await isMarked())
    cluster.startAutoscaler()
    await cluster.server.clock.advance(1000)
    assert.ok(!(await isMarked()))
    await cluster.pass(60)
    assert.ok(!(await cluster.nodes()).includes(node))
    assert.equal((await cluster.machines.list()).length, 1)
  }))

test('where most nodes are not ready nothing is done: something else is wrong', () =>
  withCluster(
    async (cluster) => {
      await cluster.pool('workers', { minSize: 6, maxSize: 20, scaleDown: { ...scaleDown, unreadySeconds: 30 } })
      await cluster.pass(3)
      const names = await cluster.nodes()
      for (const name of names.slice(0, 4)) await cluster.machines.setReady(name, false)
      await cluster.client.patch(NodePool, { name: 'workers' }, 'merge', { spec: { minSize: 0 } })
      await cluster.pods(30)
      await cluster.pass(90)
      assert.deepEqual((await cluster.nodes()).sort(), names.sort())
      assert.ok((await cluster.events('ConfigMap')).includes('ClusterUnhealthy: Cluster has no safe state: 4 nodes are not ready'))
      assert.equal(cluster.metric('cluster_safe_to_autoscale'), 0)
      assert.match(await cluster.status(), /health:\n\s+status: Unhealthy/)
      for (const name of names) await cluster.machines.setReady(name, true)
      await cluster.pass(20)
      assert.ok((await cluster.nodes()).length > 6)
    },
    { scaleDownUnreadyMs: 30_000 },
  ))

test('before its end a node is looked at once more: a pod that came meanwhile is not ended with it', async () => {
  const server = await AutoscalerServer.start()
  try {
    const { client, clock } = server
    const node = await client.create(Node, { metadata: { name: 'node' }, spec: {} })
    await client.create(Pod, { metadata: { name: 'late', namespace: 'default' }, spec: { nodeName: 'node', containers: [{ name: 'main', image: 'main' }] } })
    const emptied = drain({
      client,
      clock,
      events: { event() {}, flush: async () => {}, stop() {} },
      settings: defaultSettings,
      signal: new AbortController().signal,
      node,
      podsOnNode: () => [],
      budgets: () => [],
      evicted() {},
      rules: {
        until: 1000,
        insist: false,
        heldUp() {},
        toGo([pod]) {
          if (pod) throw new Error(`${pod.metadata.name} came`)
          return []
        },
      },
    })
    await assert.rejects(emptied, /late came/)
  } finally {
    await server.stop()
  }
})

test('what goes is counted', () =>
  withCluster(async (cluster) => {
    await pinned(cluster)
    assert.equal(cluster.metric('scaled_up_nodes_total'), 2)
    await cluster.pass(10)
    assert.equal(cluster.metric('unneeded_nodes_count'), 1)
    assert.equal(cluster.metric('unremovable_nodes_count', { reason: 'NotUnderutilized' }), 1)
    assert.equal(cluster.metric('nodes_count', { state: 'ready' }), 2)
    assert.equal(cluster.metric('cluster_cpu_current_cores'), 8)
    await cluster.pass(40)
    assert.deepEqual(
      ['underutilized', 'empty', 'unready'].map((reason) => cluster.metric('scaled_down_nodes_total', { reason })),
      [1, 0, 0],
    )
    assert.equal(cluster.metric('evicted_pods_total', { eviction_result: 'succeeded' }), 1)
    assert.equal(cluster.metric('unneeded_nodes_count'), 0)
    assert.ok((cluster.metric('function_duration_seconds_count', { function: 'main' }) ?? 0) > 3)
    assert.ok((cluster.metric('last_activity', { activity: 'scaleDown' }) ?? 0) > Date.UTC(2026, 0, 1) / 1000)
  }))

test('a node that somebody had cordoned stays so when it is let in again', () =>
  withCluster(
    async (cluster) => {
      const node = await pinned(cluster)
      await cluster.client.patch(Node, { name: node }, 'merge', { spec: { unschedulable: true } })
      for (let i = 0; i < 150; i++) await cluster.server.clock.advance(1000)
      assert.ok((await cluster.events('Node')).includes('ScaleDownFailed: failed to drain the node, aborting ScaleDown'))
      const { metadata, spec } = await cluster.client.get(Node, { name: node })
      assert.equal(spec.unschedulable, true)
      assert.ok(!spec.taints?.some(({ key }) => key === 'ToBeDeletedByClusterAutoscaler'))
      assert.deepEqual(
        Object.keys(metadata.annotations ?? {}).filter((key) => key.startsWith('skiff.dev/')),
        [],
      )
    },
    { scaleDownDelayAfterFailureMs: 10 * 60_000 },
  ))

test("another autoscaler's mark is left alone", () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers', { minSize: 1 })
    await cluster.pass(3)
    await cluster.machines.addFixed('foreign', '2')
    const taints = [{ key: 'ToBeDeletedByClusterAutoscaler', value: '1', effect: 'NoSchedule' }]
    await cluster.client.patch(Node, { name: 'foreign' }, 'merge', { spec: { taints } })
    await cluster.pass(30)
    assert.deepEqual((await cluster.client.get(Node, { name: 'foreign' })).spec.taints, taints)
  }))

test('a node that was ready long ago is not taken for one that never came, by an autoscaler that did not see it', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers', { minSize: 1, provisionSeconds: 30 })
    await cluster.pass(70)
    const [name = ''] = await cluster.nodes()
    await cluster.machines.setReady(name, false)
    await cluster.stopAutoscaler()
    cluster.startAutoscaler()
    await cluster.pass(60)
    assert.deepEqual(await cluster.nodes(), [name])
    assert.ok(!(await cluster.events()).some((event) => event.startsWith('ScaleUpTimedOut')))
  }))

test('a node that is not ready any more goes after a time of its own, also with pods that nobody ends', () =>
  withCluster(
    async (cluster) => {
      await cluster.pool('workers', { scaleDown: { ...scaleDown, unneededSeconds: 3600, unreadySeconds: 60 } })
      await cluster.pods(2, { cpu: '3' })
      await cluster.pass(8)
      const [lost, kept] = [(await cluster.where('pod-0')) ?? '', (await cluster.where('pod-1')) ?? '']
      await cluster.delete('pod-0')
      await cluster.pod('stuck', { cpu: '500m', spec: { nodeName: lost } })
      await cluster.pass(5)
      await cluster.machines.setReady(lost, false)
      cluster.machines.dead.add(lost)
      await cluster.pass(50)
      assert.deepEqual((await cluster.nodes()).sort(), [kept, lost].sort())
      // A first try waits in vain for the pod to end; by the second it is overdue.
      await cluster.pass(180)
      assert.deepEqual(await cluster.nodes(), [kept])
      assert.equal(cluster.metric('scaled_down_nodes_total', { reason: 'unready' }), 1)
    },
    { scaleDownDelayAfterFailureMs: 30_000 },
  ))
