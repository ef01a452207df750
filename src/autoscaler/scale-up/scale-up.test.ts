/** Pools grow for pods that have no place, and only for those that a new node would help. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigMap } from '../../client/resources.ts'
import { withAutoscaledCluster as withCluster } from '../testing/autoscaled-cluster.ts'

test('many pods are one decision, packed onto as few nodes as they need, and quickly', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers')
    await cluster.pods(10)
    await cluster.pass(1)
    assert.equal((await cluster.nodes('workers')).length, 3)
    assert.equal(cluster.machines.asked.length, 3)
    await cluster.pass(8)
    assert.ok(await cluster.where('pod-9'))
    const events = await cluster.events('Pod')
    assert.deepEqual(new Set(events), new Set(['TriggeredScaleUp: pod triggered scale-up: [{workers 0->3 (max: 10)}]']))
    assert.equal(events.length, 10)
    assert.deepEqual(await cluster.events('ConfigMap'), ['ScaledUpGroup: Scale-up: group workers size set to 3 instead of 0 (max: 10)'])
    const { status } = await cluster.poolNow('workers')
    assert.equal(status?.size, 3)
    assert.equal(status?.ready, 3)
    assert.match(await cluster.status(), /autoscalerStatus: Running[\s\S]*name: workers[\s\S]*cloudProviderTarget: 3/)
  }))

test('nodes on their way count: pods that fit on them ask for no more', () =>
  withCluster(async (cluster) => {
    await cluster.pool('slow', { simulated: { startSeconds: 60 } })
    await cluster.pods(2, {}, 'first')
    await cluster.pass(3)
    await cluster.pods(2, {}, 'second')
    await cluster.pass(20)
    assert.equal(cluster.machines.asked.length, 1)
    assert.equal((await cluster.poolNow('slow')).status?.conditions?.find(({ type }) => type === 'ScalingUp')?.status, 'True')
    await cluster.pod('third')
    await cluster.pass(3)
    assert.equal(cluster.machines.asked.length, 2)
  }))

test('the most and the least size hold, and why no pool helps is said on the pod', () =>
  withCluster(async (cluster) => {
    await cluster.pool('least', { minSize: 1, maxSize: 1, template: { capacity: { cpu: 2, memory: '4Gi' } } })
    await cluster.pool('tainted', { template: { capacity: { cpu: 8, memory: '4Gi' }, taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] } })
    await cluster.pass(2)
    assert.equal((await cluster.nodes('least')).length, 1)
    await cluster.pods(3)
    await cluster.pass(3)
    assert.equal((await cluster.nodes()).length, 1)
    assert.deepEqual(await cluster.events('Pod'), [
      "NotTriggerScaleUp: pod didn't trigger scale-up: 1 max node group size reached, 1 node(s) had untolerated taint(s)",
    ])
    assert.equal((await cluster.poolNow('least')).status?.conditions?.find(({ type }) => type === 'ScalingLimited')?.status, 'True')
    await cluster.pod('tolerant', { spec: { tolerations: [{ key: 'gpu', operator: 'Exists' }] } })
    await cluster.pass(2)
    assert.equal((await cluster.nodes('tainted')).length, 1)
  }))

test('a pool whose node does not come up in time is given up, and another is asked', () =>
  withCluster(async (cluster) => {
    cluster.machines.silent.add('bad')
    await cluster.pool('bad', { provisionSeconds: 30 }, 4)
    await cluster.pool('good', {}, 64)
    await cluster.pod('pod')
    await cluster.pass(20)
    assert.deepEqual(await cluster.nodes(), [])
    assert.equal((await cluster.machines.list()).length, 1)
    await cluster.pass(15)
    assert.equal((await cluster.nodes('good')).length, 1)
    assert.equal((await cluster.machines.list()).length, 1)
    const bad = (await cluster.poolNow('bad')).status
    assert.equal(bad?.conditions?.find(({ type }) => type === 'BackingOff')?.status, 'True')
    const events = await cluster.events('NodePool')
    assert.ok(events.includes('ScaleUpTimedOut: Nodes added to group bad failed to register within 30s'), events.join('\n'))
    assert.match(await cluster.status(), /status: Backoff\n\s+backoffInfo:\n\s+errorCode: Timeout/)
  }))

test('a node that cannot be made is given up at once', () =>
  withCluster(async (cluster) => {
    cluster.machines.broken.add('bad')
    await cluster.pool('bad', {}, 4)
    await cluster.pool('good', {}, 64)
    await cluster.pod('pod')
    await cluster.pass(5)
    assert.equal((await cluster.nodes('good')).length, 1)
    assert.ok((await cluster.events('NodePool')).includes('FailedToScaleUpGroup: Scale-up failed for group bad: no machine is left'))
  }))

test('limits of the whole cluster hold', () =>
  withCluster(
    async (cluster) => {
      await cluster.pool('workers')
      await cluster.pods(10)
      await cluster.pass(5)
      assert.equal((await cluster.nodes()).length, 2)
      assert.ok((await cluster.events('Pod')).includes("NotTriggerScaleUp: pod didn't trigger scale-up: 1 max total nodes in cluster reached"))
    },
    { maxNodesTotal: 2 },
  ))

test('cores of the whole cluster are limited', () =>
  withCluster(
    async (cluster) => {
      await cluster.pool('workers')
      await cluster.pods(10)
      await cluster.pass(5)
      assert.equal((await cluster.nodes()).length, 1)
      assert.ok((await cluster.events('Pod')).includes("NotTriggerScaleUp: pod didn't trigger scale-up: 1 max cluster cpu limit reached"))
    },
    { maxCores: 7 },
  ))

test('least waste takes the pool that fits best; priorities go by the ConfigMap', async () => {
  await withCluster(async (cluster) => {
    await cluster.pool('large', {}, 32)
    await cluster.pool('small', {}, 2)
    await cluster.pod('pod', { cpu: '1500m' })
    await cluster.pass(2)
    assert.equal((await cluster.nodes('small')).length, 1)
  })
  await withCluster(
    async (cluster) => {
      const data = { priorities: '10:\n  - .*\n50:\n  - ^large' }
      await cluster.client.create(ConfigMap, { metadata: { name: 'cluster-autoscaler-priority-expander', namespace: 'kube-system' }, data })
      await cluster.pool('large', {}, 32)
      await cluster.pool('small', {}, 2)
      await cluster.pod('pod', { cpu: '1500m' })
      await cluster.pass(2)
      assert.equal((await cluster.nodes('large')).length, 1)
    },
    { expanders: ['priority', 'least-waste'] },
  )
})

test('pods that want to be apart get a node each; what each node runs takes its share', () =>
  withCluster(async (cluster) => {
    await cluster.pool('workers')
    const term = { labelSelector: { matchLabels: { app: 'apart' } }, topologyKey: 'kubernetes.io/hostname' }
    await cluster.pods(3, {
      cpu: '100m',
      labels: { app: 'apart' },
      spec: { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } },
    })
    await cluster.pass(4)
    assert.equal((await cluster.nodes()).length, 3)
    assert.ok(await cluster.where('pod-2'))
  }))
