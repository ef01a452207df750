import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lease, Namespace, Node, Pod } from '../client/resources.ts'
import { microTimestamp, timestamp } from '../machinery/clock.ts'
import { nodeIpamController } from './node-ipam.ts'
import { nodeLifecycleController } from './node-lifecycle.ts'
import { startPodGarbageCollector } from './pod-garbage-collector.ts'
import { taintEvictionController } from './taint-eviction.ts'
import { Bench } from './testing/bench.ts'

const leases = 'kube-node-lease'

async function node(bench: Bench, name: string): Promise<void> {
  await bench.client.create(Node, { metadata: { name }, spec: {} })
  const lastHeartbeatTime = timestamp(bench.clock.now())
  const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime, lastTransitionTime: lastHeartbeatTime }]
  await bench.client.patch(Node, { name }, 'merge', { status: { conditions } }, { subresource: 'status' })
  await bench.client.create(Lease, { metadata: { name, namespace: leases }, spec: { holderIdentity: name, renewTime: microTimestamp(bench.clock.now()) } })
}

async function beat(bench: Bench, ...names: string[]): Promise<void> {
  for (const name of names) await bench.client.patch(Lease, { namespace: leases, name }, 'merge', { spec: { renewTime: microTimestamp(bench.clock.now()) } })
}

/** Lets time pass while these nodes give signs of life. */
async function pass(bench: Bench, ms: number, ...alive: string[]): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10_000) {
    await beat(bench, ...alive)
    await bench.settle(10_000)
  }
}

async function pod(bench: Bench, name: string, nodeName: string, tolerations: object[] = [], terminationGracePeriodSeconds = 0) {
  const spec = { nodeName, tolerations, terminationGracePeriodSeconds, containers: [{ name: 'web', image: 'web:1' }] }
  await bench.client.create(Pod, { metadata: { name, namespace: 'default' }, spec })
  await bench.makeReady(await bench.pods())
}

const taints = async (bench: Bench, name: string) => ((await bench.client.get(Node, { name })).spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`)
const ready = async (bench: Bench, name: string) => (await bench.client.get(Node, { name })).status?.conditions?.find(({ type }) => type === 'Ready')

async function setUp() {
  const bench = await Bench.start()
  await bench.client.create(Namespace, { metadata: { name: leases }, spec: {} })
  return bench
}

test('a node that falls silent is unknown, tainted, and loses the pods that do not tolerate it', async () => {
  const bench = await setUp()
  const controllers = bench.run(nodeLifecycleController(), taintEvictionController)
  await node(bench, 'a')
  await node(bench, 'b')
  const forAWhile = ['not-ready', 'unreachable'].map((key) => ({
    key: `node.kubernetes.io/${key}`,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: 300,
  }))
  await pod(bench, 'usual', 'a', forAWhile)
  await pod(bench, 'staunch', 'a', [{ operator: 'Exists' }])
  await pass(bench, 40_000, 'b')
  assert.equal((await ready(bench, 'a'))?.status, 'True')
  await pass(bench, 30_000, 'b')
  const condition = await ready(bench, 'a')
  assert.equal(condition?.status, 'Unknown')
  assert.equal(condition?.reason, 'NodeStatusUnknown')
  assert.equal(condition?.message, 'Kubelet stopped posting node status.')
  assert.deepEqual(await taints(bench, 'a'), ['node.kubernetes.io/unreachable:NoSchedule', 'node.kubernetes.io/unreachable:NoExecute'])
  assert.ok((await bench.events()).includes('Normal NodeNotReady Node a status is now: NodeNotReady'))
  const conditions = (await bench.pods()).map(({ status }) => status?.conditions?.find(({ type }) => type === 'Ready')?.status)
  assert.deepEqual(conditions, ['False', 'False'])
  assert.deepEqual(await taints(bench, 'b'), [])
  await pass(bench, 320_000, 'b')
  assert.ok((await bench.events()).includes('Normal TaintManagerEviction Marking for deletion Pod default/usual'))
  const left = (await bench.pods()).filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata }) => metadata.name)
  assert.deepEqual(left, ['staunch'])
  await controllers.stop()
  await bench.stop()
})

test('a node that comes back in time keeps its pods; where none is ready nobody is driven out', async () => {
  const bench = await setUp()
  const controllers = bench.run(nodeLifecycleController(), taintEvictionController)
  await node(bench, 'a')
  await pod(bench, 'web', 'a')
  await pass(bench, 600_000)
  assert.deepEqual(await taints(bench, 'a'), ['node.kubernetes.io/unreachable:NoSchedule'])
  assert.equal((await bench.pods()).length, 1)
  const current = await bench.client.get(Node, { name: 'a' })
  const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: timestamp(bench.clock.now()) }]
  await bench.client.updateStatus(Node, { ...current, status: { ...current.status, conditions } })
  await pass(bench, 20_000, 'a')
  assert.deepEqual(await taints(bench, 'a'), [])
  await controllers.stop()
  await bench.stop()
})

test('a node that is cordoned is tainted so', async () => {
  const bench = await setUp()
  const controllers = bench.run(nodeLifecycleController())
  await node(bench, 'a')
  await bench.client.patch(Node, { name: 'a' }, 'merge', { spec: { unschedulable: true } })
  await bench.settle()
  assert.deepEqual(await taints(bench, 'a'), ['node.kubernetes.io/unschedulable:NoSchedule'])
  await bench.client.patch(Node, { name: 'a' }, 'merge', { spec: { unschedulable: null } })
  await bench.settle()
  assert.deepEqual(await taints(bench, 'a'), [])
  await controllers.stop()
  await bench.stop()
})

test('each node gets a range of its own; one that is free again is given anew', async () => {
  const bench = await setUp()
  const controllers = bench.run(nodeIpamController({ clusterCidr: '10.244.0.0/22', nodeMaskSize: 24 }))
  const ranges = async () => (await bench.client.list(Node)).items.map(({ metadata, spec }) => `${metadata.name} ${spec.podCIDR ?? '-'}`)
  for (const name of ['a', 'b', 'c', 'd', 'e']) await bench.client.create(Node, { metadata: { name }, spec: {} })
  await bench.settle()
  assert.deepEqual(await ranges(), ['a 10.244.0.0/24', 'b 10.244.1.0/24', 'c 10.244.2.0/24', 'd 10.244.3.0/24', 'e -'])
  assert.ok((await bench.events()).includes('Normal CIDRNotAvailable Node e status is now: CIDRNotAvailable'))
  await bench.client.delete(Node, { name: 'b' })
  await bench.settle(31_000)
  assert.ok((await ranges()).includes('e 10.244.1.0/24'))
  await controllers.stop()
  await bench.stop()
})

test('pods of a node that is gone, and the oldest of too many finished ones, are deleted', async () => {
  const bench = await setUp()
  await node(bench, 'a')
  await pod(bench, 'here', 'a')
  await pod(bench, 'orphan', 'gone')
  for (const name of ['old', 'new']) {
    await pod(bench, name, 'a')
    const current = await bench.client.get(Pod, { namespace: 'default', name })
    await bench.client.updateStatus(Pod, { ...current, status: { ...current.status, phase: 'Succeeded' } })
    await bench.settle(2000)
  }
  const collector = bench.runWith((context) => startPodGarbageCollector(context, { terminatedThreshold: 1 }))
  await bench.settle(25_000)
  assert.deepEqual(
    (await bench.pods()).map(({ metadata }) => metadata.name),
    ['here', 'new', 'orphan'],
  )
  await bench.settle(60_000)
  assert.deepEqual(
    (await bench.pods()).map(({ metadata }) => metadata.name),
    ['here', 'new'],
  )
  await collector.stop()
  await bench.stop()
})

test('nodes are emptied one after another; where most of a zone is down nobody is, and nothing that was begun is taken back', async () => {
  const bench = await setUp()
  const controllers = bench.run(nodeLifecycleController())
  const dead = ['a', 'b', 'c', 'd']
  for (const name of [...dead, 'e', 'f', 'g', 'h']) await node(bench, name)
  const emptied = async () =>
    (await Promise.all(dead.map((name) => taints(bench, name)))).filter((all) => all.includes('node.kubernetes.io/unreachable:NoExecute')).length
  await pass(bench, 60_000, 'c', 'd', 'e', 'f', 'g', 'h')
  assert.equal(await emptied(), 1, 'the first at once')
  await pass(bench, 10_000, 'c', 'd', 'e', 'f', 'g', 'h')
  assert.equal(await emptied(), 2, 'the second in its turn')
  // With e five of eight are down: more than may be believed. Of the three one had its turn before that was known.
  await pass(bench, 120_000, 'f', 'g', 'h')
  assert.equal((await ready(bench, 'd'))?.status, 'Unknown')
  assert.equal(await emptied(), 3)
  // One that comes back makes the others believable.
  const current = await bench.client.get(Node, { name: 'e' })
  const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: timestamp(bench.clock.now()) }]
  await bench.client.updateStatus(Node, { ...current, status: { ...current.status, conditions } })
  await pass(bench, 30_000, 'e', 'f', 'g', 'h')
  assert.equal(await emptied(), 4)
  await controllers.stop()
  await bench.stop()
})

test('a zone that is down as a whole is emptied while another stands', async () => {
  const bench = await setUp()
  const controllers = bench.run(nodeLifecycleController())
  const inZone = async (name: string, zone: string) => {
    await node(bench, name)
    await bench.client.patch(Node, { name }, 'merge', { metadata: { labels: { 'topology.kubernetes.io/zone': zone } } })
  }
  for (const name of ['a', 'b', 'c']) await inZone(name, 'east')
  await inZone('w', 'west')
  await pass(bench, 100_000, 'w')
  for (const name of ['a', 'b', 'c']) assert.ok((await taints(bench, name)).includes('node.kubernetes.io/unreachable:NoExecute'), name)
  // With the other one down as well it is we who see nothing.
  await pass(bench, 70_000)
  for (const name of ['a', 'b', 'c', 'w']) assert.deepEqual(await taints(bench, name), ['node.kubernetes.io/unreachable:NoSchedule'], name)
  await controllers.stop()
  await bench.stop()
})

test('pods that are ending on a node that is out of service are deleted, once the node is not ready', async () => {
  const bench = await setUp()
  const controllers = bench.run(nodeLifecycleController(), taintEvictionController)
  const collector = bench.runWith((context) => startPodGarbageCollector(context))
  await node(bench, 'a')
  await node(bench, 'b')
  await pod(bench, 'web', 'a', [], 30)
  const outOfService = { key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }
  await bench.client.patch(Node, { name: 'a' }, 'merge', { spec: { taints: [outOfService] } })
  await pass(bench, 30_000, 'a', 'b')
  assert.ok((await bench.pods())[0]?.metadata.deletionTimestamp, 'it does not tolerate the taint')
  await pass(bench, 60_000, 'b')
  await pass(bench, 30_000, 'b')
  assert.deepEqual(await bench.pods(), [])
  await collector.stop()
  await controllers.stop()
  await bench.stop()
})

test('a taint that does not say when it was added counts from when it was written', async () => {
  const bench = await setUp()
  const controllers = bench.run(taintEvictionController)
  await node(bench, 'a')
  await pod(bench, 'web', 'a', [{ key: 'maintenance', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }])
  await bench.settle(100_700)
  await bench.client.patch(Node, { name: 'a' }, 'merge', { spec: { taints: [{ key: 'maintenance', effect: 'NoExecute' }] } })
  await bench.settle(59_900)
  const left = async () => (await bench.pods()).filter(({ metadata }) => !metadata.deletionTimestamp).length
  assert.equal(await left(), 1)
  await bench.settle(2_000)
  assert.equal(await left(), 0)
  await controllers.stop()
  await bench.stop()
})

test('a pod that comes to a node long after its taint has its whole time', async () => {
  const bench = await setUp()
  const controllers = bench.run(taintEvictionController)
  await node(bench, 'a')
  const taint = { key: 'maintenance', effect: 'NoExecute', timeAdded: timestamp(bench.clock.now()) }
  await bench.client.patch(Node, { name: 'a' }, 'merge', { spec: { taints: [taint] } })
  await bench.settle(100_000)
  await pod(bench, 'late', 'a', [{ key: 'maintenance', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }])
  await bench.settle(50_000)
  assert.equal((await bench.pods()).length, 1)
  await bench.settle(15_000)
  assert.deepEqual(
    (await bench.pods()).filter(({ metadata }) => !metadata.deletionTimestamp),
    [],
  )
  await controllers.stop()
  await bench.stop()
})
