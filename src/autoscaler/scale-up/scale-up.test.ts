/** Pools grow for pods that have no place, and only for those that a new node would help. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigMap, PriorityClass } from '../../client/resources.ts'
import { type AutoscaledCluster, withAutoscaledCluster as withCluster } from '../testing/autoscaled-cluster.ts'

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

test('a pod that is too large for every template says so of each', () =>
  withCluster(async (cluster) => {
    await cluster.pool('small', {}, 2)
    await cluster.pool('large', {}, 8)
    await cluster.pod('huge', { cpu: '16' })
    await cluster.pass(3)
    assert.deepEqual(await cluster.nodes(), [])
    assert.deepEqual(await cluster.events('Pod'), ["NotTriggerScaleUp: pod didn't trigger scale-up: 2 Insufficient cpu"])
    assert.equal(cluster.metric('unschedulable_pods_count', { type: 'unschedulable' }), 1)
  }))

test('pods that are to be spread get nodes enough, also over pools of several zones', () =>
  withCluster(async (cluster) => {
    const zone = (name: string) => ({ template: { capacity: { cpu: 4, memory: '16Gi' }, labels: { 'topology.kubernetes.io/zone': name } } })
    await cluster.pool('zone-a', zone('a'))
    await cluster.pool('zone-b', zone('b'))
    const spread = (topologyKey: string) => ({
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey, whenUnsatisfiable: 'DoNotSchedule' as const, labelSelector: { matchLabels: { spread: topologyKey.split('/')[1] ?? '' } } },
      ],
    })
    await cluster.pods(4, { cpu: '100m', labels: { spread: 'hostname' }, spec: spread('kubernetes.io/hostname') }, 'apart')
    await cluster.pass(10)
    const hosts = new Set(await Promise.all([0, 1, 2, 3].map((i) => cluster.where(`apart-${i}`))))
    assert.ok(!hosts.has(undefined))
    await cluster.pods(4, { cpu: '2500m', labels: { spread: 'zone' }, spec: spread('topology.kubernetes.io/zone') }, 'zoned')
    await cluster.pass(20)
    const zones = await Promise.all([0, 1, 2, 3].map(async (i) => (await cluster.where(`zoned-${i}`))?.slice(0, 'zone-a'.length)))
    assert.deepEqual(zones.sort(), ['zone-a', 'zone-a', 'zone-b', 'zone-b'])
  }))

test('pods less important than the cutoff are no reason for a node', () =>
  withCluster(async (cluster) => {
    for (const [name, value] of [
      ['expendable', -11],
      ['cheap', -10],
    ] as const)
      await cluster.client.create(PriorityClass, { metadata: { name }, value })
    await cluster.pool('workers')
    await cluster.pod('expendable', { spec: { priorityClassName: 'expendable' } })
    await cluster.pass(15)
    assert.deepEqual([await cluster.nodes(), await cluster.events('Pod')], [[], []])
    await cluster.pod('cheap', { spec: { priorityClassName: 'cheap' } })
    await cluster.pass(5)
    assert.equal((await cluster.nodes()).length, 1)
    assert.ok(await cluster.where('expendable'), 'but they take the room that is left')
  }))

test('a pool that fails is tried again, each time after twice as long', () =>
  withCluster(
    async (cluster) => {
      cluster.machines.silent.add('bad')
      await cluster.pool('bad', { provisionSeconds: 30 })
      await cluster.pod('pod')
      const triesAfter = async (seconds: number) => {
        await cluster.pass(seconds)
        return cluster.machines.asked.length
      }
      assert.equal(await triesAfter(35), 1)
      assert.ok((await cluster.events('Pod')).includes("NotTriggerScaleUp: pod didn't trigger scale-up: 1 in backoff after failed scale-up"))
      assert.equal(cluster.metric('failed_scale_ups_total', { reason: 'timeout' }), 1)
      assert.equal(cluster.metric('node_group_backoff_status', { node_group: 'bad', reason: 'Timeout' }), 1)
      assert.equal(await triesAfter(40), 1)
      assert.equal(await triesAfter(40), 2)
      assert.equal(await triesAfter(110), 2)
      assert.equal(await triesAfter(40), 3)
    },
    { initialBackoffMs: 60_000 },
  ))

test('of several autoscalers one decides; when it is gone, another does, and nothing is done twice', () =>
  withCluster(async (cluster) => {
    await cluster.stopAutoscaler()
    const first = cluster.startAutoscaler({ identity: 'first' })
    await cluster.pool('workers', { simulated: { startSeconds: 20 } })
    await cluster.pass(5)
    cluster.startAutoscaler({ identity: 'second' })
    await cluster.pods(8)
    await cluster.pass(5)
    assert.equal(cluster.machines.asked.length, 2)
    await first()
    await cluster.pods(4, {}, 'more')
    await cluster.pass(60)
    assert.equal((await cluster.nodes()).length, 3)
    assert.equal(cluster.machines.asked.length, 3)
  }))

test('an autoscaler that is killed while nodes are on their way is followed by one that counts them', () =>
  withCluster(async (cluster) => {
    await cluster.pool('slow', { simulated: { startSeconds: 30 } })
    await cluster.pods(8)
    await cluster.pass(3)
    assert.equal(cluster.machines.asked.length, 2)
    await cluster.stopAutoscaler()
    cluster.startAutoscaler()
    await cluster.pass(60)
    assert.equal(cluster.machines.asked.length, 2)
    assert.equal((await cluster.nodes()).length, 2)
  }))

const zoned = (zone: string, more: object = {}) => ({
  ...more,
  template: { capacity: { cpu: 4, memory: '16Gi' }, labels: { 'topology.kubernetes.io/zone': zone, 'topology.kubernetes.io/region': 'here' } },
})

test('pools that are alike grow in turn where that is wanted', () =>
  withCluster(
    async (cluster) => {
      await cluster.pool('a', zoned('a', { minSize: 2 }))
      await cluster.pool('b', zoned('b'))
      await cluster.pool('c', zoned('c', { maxSize: 1 }))
      await cluster.pool('other', { template: { capacity: { cpu: 4, memory: '16Gi' }, labels: { disk: 'fast' } } })
      await cluster.pass(5)
      // Beside the two that are there, five more.
      await cluster.pods(28)
      await cluster.pass(5)
      const sizes = await Promise.all(['a', 'b', 'c', 'other'].map(async (pool) => (await cluster.nodes(pool)).length))
      assert.deepEqual(sizes, [3, 3, 1, 0])
      const [event = ''] = (await cluster.events('Pod')).filter((one) => one.startsWith('Triggered'))
      assert.equal(event, 'TriggeredScaleUp: pod triggered scale-up: [{a 2->3 (max: 10)} {b 0->3 (max: 10)} {c 0->1 (max: 1)}]')
    },
    { balanceSimilarNodeGroups: true, expanders: ['priority'] },
  ))

test('what may differ is said; without the wish one pool gets all', async () => {
  const pools = async (cluster: AutoscaledCluster) => {
    for (const rack of ['1', '2']) await cluster.pool(`rack-${rack}`, { template: { capacity: { cpu: 4, memory: '16Gi' }, labels: { rack } } })
    await cluster.pods(16)
    await cluster.pass(5)
    return (await Promise.all(['rack-1', 'rack-2'].map(async (pool) => (await cluster.nodes(pool)).length))).sort()
  }
  const ignored = { balanceSimilarNodeGroups: true, balancingIgnoreLabels: ['rack'] }
  await withCluster(async (cluster) => assert.deepEqual(await pools(cluster), [2, 2]), ignored)
  await withCluster(async (cluster) => assert.deepEqual(await pools(cluster), [0, 4]), { balanceSimilarNodeGroups: true })
  await withCluster(async (cluster) => assert.deepEqual(await pools(cluster), [0, 4]), { balancingIgnoreLabels: ['rack'] })
})

test('many nodes that never come do not stand in the way of their being given up', () =>
  withCluster(async (cluster) => {
    cluster.machines.silent.add('bad')
    await cluster.pool('bad', { provisionSeconds: 30 }, 4)
    await cluster.pool('good', {}, 64)
    await cluster.pods(32)
    await cluster.pass(5)
    assert.equal(cluster.machines.asked.length, 8)
    await cluster.pass(40)
    assert.equal((await cluster.nodes('good')).length, 1)
    assert.equal((await cluster.machines.list()).length, 1)
    assert.equal(cluster.metric('cluster_safe_to_autoscale'), 1)
  }))
