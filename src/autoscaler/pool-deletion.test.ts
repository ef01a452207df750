/** A pool that is deleted goes with its nodes, and after them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Node, Pod, PodDisruptionBudget } from '../client/resources.ts'
import { NodePool, poolFinalizer } from './node-pool.ts'
import { type AutoscaledCluster, withAutoscaledCluster as withCluster } from './testing/autoscaled-cluster.ts'

const isGone = async (cluster: AutoscaledCluster, name = 'workers') => (await cluster.client.find(NodePool, { name })) === undefined
const marked = async (cluster: AutoscaledCluster) => {
  const { items } = await cluster.client.list(Node)
  return items.filter(({ spec }) => spec.taints?.some(({ key }) => key === 'ToBeDeletedByClusterAutoscaler')).map(({ metadata }) => metadata.name)
}

test('its nodes are cordoned together, drained and ended; then it goes', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers')
    await cluster.pool('others', {}, 64)
    await cluster.pods(10)
    await cluster.pass(8)
    assert.deepEqual((await cluster.poolNow('workers')).metadata.finalizers, [poolFinalizer])
    assert.equal((await cluster.nodes('workers')).length, 3)
    await cluster.deletePool('workers')
    assert.equal((await marked(cluster)).length, 3)
    assert.equal((await cluster.condition('workers', 'Deleting'))?.reason, 'RemovingNodes')
    await cluster.pass(5)
    assert.ok(await isGone(cluster))
    assert.deepEqual([await cluster.nodes('workers'), await cluster.machines.list()], [[], []])
    const events = await cluster.events('NodePool')
    assert.ok(events.some((event) => /^RemovingNodes: The pool is deleted: 3 nodes are drained and removed; budgets are respected until 2026-/.test(event)))
    assert.equal(events.filter((event) => /^ScaleDown: Scale-down: node workers-\w+ of the deleted pool removed$/.test(event)).length, 3)
    assert.ok(events.includes('NodesRemoved: All nodes of the pool are removed'))
    assert.equal((await cluster.client.list(Pod)).items.length, 0, 'they were evicted')
  }))

test('the last pool goes too, and nobody looks after pools any more; a new one is looked after again', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers', { minSize: 2 })
    await cluster.pass(3)
    await cluster.deletePool('workers')
    await cluster.pass(3)
    assert.ok(await isGone(cluster))
    assert.ok((await cluster.events('NodePool')).includes('NodesRemoved: All nodes of the pool are removed'))
    await cluster.pool('workers', { minSize: 1 })
    await cluster.pass(3)
    assert.equal((await cluster.nodes('workers')).length, 1)
  }))

test('pods that fit nowhere get no node of it', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers', { minSize: 1, drainSeconds: 60 })
    await cluster.budget('budget', { app: 'kept' }, 0)
    await cluster.pod('kept', { labels: { app: 'kept' } })
    await cluster.pass(5)
    await cluster.deletePool('workers')
    await cluster.pods(5, {}, 'waiting')
    await cluster.pass(20)
    assert.equal((await cluster.nodes()).length, 1)
    assert.ok((await cluster.events('Pod')).includes("NotTriggerScaleUp: pod didn't trigger scale-up: 1 not ready for scale-up"))
  }))

test('budgets hold its nodes up, which is said, until they allow it', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers')
    await cluster.budget('strict', { app: 'kept' }, 0)
    await cluster.pod('kept', { labels: { app: 'kept' } })
    await cluster.pass(5)
    const [node = ''] = await cluster.nodes()
    await cluster.deletePool('workers')
    await cluster.pass(30)
    const condition = await cluster.condition('workers', 'Deleting')
    assert.equal(condition?.reason, 'WaitingForBudgets')
    assert.match(
      condition?.message ?? '',
      /^1 node is still there: workers-\w+ waits for default\/kept \(PodDisruptionBudget strict allows no disruption\); after 2026-01-01T00:10:\d\dZ they are removed all the same$/,
    )
    assert.equal(await cluster.where('kept'), node)
    await cluster.allow('strict', 1)
    await cluster.pass(4)
    assert.ok(await isGone(cluster), 'and at once, when they do')
    assert.equal(await cluster.where('kept'), undefined)
  }))

test('a budget that is deleted holds up nothing any more', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers')
    await cluster.budget('strict', { app: 'kept' }, 0)
    await cluster.pod('kept', { labels: { app: 'kept' } })
    await cluster.pass(5)
    await cluster.deletePool('workers')
    await cluster.pass(5)
    assert.equal((await cluster.condition('workers', 'Deleting'))?.reason, 'WaitingForBudgets')
    await cluster.client.delete(PodDisruptionBudget, { name: 'strict', namespace: 'default' })
    await cluster.pass(4)
    assert.ok(await isGone(cluster))
  }))

test('patience ends: then budgets are not asked', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers', { drainSeconds: 60 })
    await cluster.budget('strict', { app: 'kept' }, 0)
    await cluster.pod('kept', { labels: { app: 'kept' } })
    await cluster.pass(5)
    await cluster.deletePool('workers')
    await cluster.pass(55)
    assert.ok(!(await isGone(cluster)))
    await cluster.pass(10)
    assert.ok(await isGone(cluster))
    assert.deepEqual([await cluster.nodes(), await cluster.where('kept')], [[], undefined])
  }))

test('a node whose kubelet is away does not hold the pool for good', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers')
    await cluster.pod('pod')
    await cluster.pass(5)
    await cluster.deletePool('workers')
    // Nobody ends the pod.
    for (let i = 0; i < 40; i++) await cluster.server.clock.advance(1000)
    assert.ok(!(await isGone(cluster)))
    for (let i = 0; i < 40; i++) await cluster.server.clock.advance(1000)
    assert.ok(await isGone(cluster))
    assert.deepEqual(await cluster.nodes(), [])
  }))

test('nodes that are on their way are called off, and those that failed', () =>
  withCluster(async (cluster) => {
    cluster.machines.silent.add('slow')
    await cluster.pool('slow', { minSize: 2 })
    await cluster.pass(2)
    assert.equal((await cluster.machines.list()).length, 2)
    await cluster.deletePool('slow')
    await cluster.pass(3)
    assert.ok(await isGone(cluster, 'slow'))
    assert.deepEqual(await cluster.machines.list(), [])
  }))

test('the autoscaler may be another one halfway', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers', { drainSeconds: 120 })
    await cluster.budget('strict', { app: 'kept' }, 0)
    await cluster.pod('kept', { labels: { app: 'kept' } })
    await cluster.pods(8)
    await cluster.pass(8)
    await cluster.deletePool('workers')
    await cluster.pass(5)
    assert.equal((await cluster.nodes()).length, 1, 'that of the pod that is kept')
    await cluster.stopAutoscaler()
    await cluster.pass(20)
    assert.equal((await marked(cluster)).length, 1, 'nobody let pods in meanwhile')
    cluster.startAutoscaler()
    await cluster.pass(20)
    assert.equal((await marked(cluster)).length, 1, 'and the next one did not')
    assert.equal((await cluster.condition('workers', 'Deleting'))?.reason, 'WaitingForBudgets')
    // The patience counts from the deletion, whoever looks.
    await cluster.pass(90)
    assert.ok(await isGone(cluster))
    assert.deepEqual([await cluster.nodes(), await cluster.machines.list()], [[], []])
  }))

test('an object that outlived its instance goes before the pool', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers', { minSize: 1 })
    await cluster.pass(3)
    const [name = ''] = await cluster.nodes()
    await cluster.stopAutoscaler()
    // As an autoscaler that was killed between the two leaves it.
    await cluster.client.patch(Node, { name }, 'merge', {
      metadata: { annotations: { 'skiff.dev/leaving-node-pool': 'workers' } },
      spec: { unschedulable: true, taints: [{ key: 'ToBeDeletedByClusterAutoscaler', value: '1', effect: 'NoSchedule' }] },
    })
    await cluster.machines.remove(name)
    await cluster.client.delete(NodePool, { name: 'workers' })
    cluster.startAutoscaler()
    await cluster.pass(5)
    assert.ok(await isGone(cluster))
    assert.deepEqual(await cluster.nodes(), [])
  }))

test('a pool that is let go by hand leaves its nodes, which take pods again', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers')
    await cluster.budget('strict', { app: 'kept' }, 0)
    await cluster.pod('kept', { labels: { app: 'kept' } })
    await cluster.pass(5)
    await cluster.deletePool('workers')
    await cluster.pass(5)
    assert.equal((await marked(cluster)).length, 1)
    await cluster.client.patch(NodePool, { name: 'workers' }, 'merge', { metadata: { finalizers: null } })
    await cluster.pass(5)
    assert.ok(await isGone(cluster))
    const [node] = (await cluster.client.list(Node)).items
    assert.deepEqual([await marked(cluster), node?.spec.unschedulable ?? false], [[], false])
    assert.equal(node?.metadata.annotations?.['skiff.dev/leaving-node-pool'], undefined)
  }))

test('where nodes cannot be ended it says so, and how the pool is let go', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers', { minSize: 1 })
    await cluster.pass(3)
    cluster.machines.unreachable = new Error('the machines cannot be reached')
    await cluster.deletePool('workers')
    await cluster.pass(15)
    const condition = await cluster.condition('workers', 'Deleting')
    assert.equal(condition?.reason, 'ProviderFailed')
    assert.equal(
      condition?.message,
      `its nodes cannot be removed: the machines cannot be reached. To let the pool go and leave its nodes: kubectl patch nodepool workers --type=merge -p '{"metadata":{"finalizers":null}}'`,
    )
    assert.equal((await cluster.condition('workers', 'Ready'))?.status, 'False')
    assert.ok((await cluster.events('NodePool')).includes('ProviderFailed: the machines cannot be reached'))
    cluster.machines.unreachable = undefined
    await cluster.pass(15)
    assert.ok(await isGone(cluster), 'it goes on by itself')
  }))

test('a pool that somebody else holds keeps its finalizer and loses ours', () =>
  withCluster(async (cluster) => {
    await cluster.client.create(NodePool, {
      metadata: { name: 'held', finalizers: ['example.com/other'] },
      spec: { kind: 'Simulated', minSize: 1, maxSize: 1, template: { capacity: { cpu: 2, memory: '4Gi' } } },
    })
    await cluster.pass(3)
    assert.deepEqual((await cluster.poolNow('held')).metadata.finalizers, ['example.com/other', poolFinalizer])
    await cluster.deletePool('held')
    await cluster.pass(5)
    assert.deepEqual((await cluster.poolNow('held')).metadata.finalizers, ['example.com/other'])
    assert.deepEqual(await cluster.nodes(), [])
    await cluster.pass(15)
    assert.deepEqual(await cluster.nodes(), [], 'and none comes again')
  }))

test('a bare pod and a pod that is not to be moved go with a deleted pool: who deletes it means it', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers')
    await cluster.pod('bare', { owner: null })
    await cluster.pod('unmovable', { annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' } })
    await cluster.pass(5)
    await cluster.deletePool('workers')
    await cluster.pass(5)
    assert.ok(await isGone(cluster))
  }))
