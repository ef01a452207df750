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

async function pod(bench: Bench, name: string, nodeName: string, tolerations: object[] = []) {
  const spec = { nodeName, tolerations, terminationGracePeriodSeconds: 0, containers: [{ name: 'web', image: 'web:1' }] }
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
