import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigMap, Deployment, Pod, ReplicaSet, Secret } from '../client/resources.ts'
import type { V1OwnerReference } from '../machinery/schema/generated/types.ts'
import { deploymentController } from './deployment.ts'
import { startGarbageCollector } from './garbage-collector.ts'
import { replicaSetController } from './replica-set.ts'
import { Bench } from './testing/bench.ts'

const namespace = 'default'
const labels = { app: 'web' }
const deployment = {
  metadata: { name: 'web', namespace },
  spec: { replicas: 3, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } } },
}

async function map(bench: Bench, name: string, ownerReferences: V1OwnerReference[] = []) {
  return bench.client.create(ConfigMap, { metadata: { name, namespace, ownerReferences } })
}

const ownedBy = (owner: { metadata: { name: string; uid: string } }, more: Partial<V1OwnerReference> = {}): V1OwnerReference => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  ...more,
})

const maps = async (bench: Bench) => (await bench.client.list(ConfigMap, { namespace })).items.map(({ metadata }) => metadata.name)

test('in the background: the owner goes, and what it owned follows, down to the pods', async () => {
  const bench = await Bench.start()
  const controllers = [bench.run(deploymentController, replicaSetController), bench.runWith(startGarbageCollector)]
  await bench.client.create(Deployment, deployment)
  await bench.settle()
  assert.equal((await bench.pods()).length, 3)
  await bench.client.delete(Deployment, deployment.metadata, { propagationPolicy: 'Background' })
  await bench.settle(5000)
  assert.equal((await bench.client.list(ReplicaSet)).items.length, 0)
  assert.equal((await bench.pods()).length, 0)
  await Promise.all(controllers.map((one) => one.stop()))
  await bench.stop()
})

test('in the foreground: the owner stays until all it blocks on is gone', async () => {
  const bench = await Bench.start()
  const controllers = [bench.run(deploymentController, replicaSetController), bench.runWith(startGarbageCollector)]
  await bench.client.create(Deployment, deployment)
  await bench.settle()
  const [pod] = await bench.pods()
  assert.ok(pod)
  await bench.client.patch(Pod, pod.metadata, 'merge', { metadata: { finalizers: ['test/slow'] } })
  await bench.client.delete(Deployment, deployment.metadata, { propagationPolicy: 'Foreground' })
  await bench.settle(5000)
  assert.equal((await bench.pods()).length, 1)
  const waiting = await bench.client.get(Deployment, deployment.metadata)
  assert.deepEqual(waiting.metadata.finalizers, ['foregroundDeletion'])
  await bench.client.patch(Pod, pod.metadata, 'merge', { metadata: { finalizers: null } })
  await bench.settle(5000)
  assert.equal((await bench.pods()).length, 0)
  assert.equal(await bench.client.find(Deployment, deployment.metadata), undefined)
  await Promise.all(controllers.map((one) => one.stop()))
  await bench.stop()
})

test('orphaned: what it owned stays, and names it no more', async () => {
  const bench = await Bench.start()
  const controllers = [bench.run(deploymentController, replicaSetController), bench.runWith(startGarbageCollector)]
  await bench.client.create(Deployment, deployment)
  await bench.settle()
  await bench.client.delete(Deployment, deployment.metadata, { propagationPolicy: 'Orphan' })
  await bench.settle(5000)
  assert.equal(await bench.client.find(Deployment, deployment.metadata), undefined)
  const [set] = (await bench.client.list(ReplicaSet)).items
  assert.ok(set)
  assert.equal(set.metadata.ownerReferences?.length ?? 0, 0)
  assert.equal((await bench.pods()).length, 3)
  await Promise.all(controllers.map((one) => one.stop()))
  await bench.stop()
})

test('an owner that never was: its dependents go; one of two owners is enough to stay', async () => {
  const bench = await Bench.start()
  const owner = await map(bench, 'owner')
  const absent = { metadata: { name: 'absent', uid: '11111111-1111-4111-8111-111111111111' } }
  await map(bench, 'alone', [ownedBy(absent)])
  await map(bench, 'both', [ownedBy(absent), ownedBy(owner)])
  const collector = bench.runWith(startGarbageCollector)
  await bench.settle(5000)
  assert.deepEqual(await maps(bench), ['both', 'owner'])
  const both = await bench.client.get(ConfigMap, { namespace, name: 'both' })
  assert.deepEqual(
    both.metadata.ownerReferences?.map(({ name }) => name),
    ['owner'],
  )
  await map(bench, 'later', [ownedBy(absent)])
  await bench.settle(5000)
  assert.deepEqual(await maps(bench), ['both', 'owner'])
  await collector.stop()
  await bench.stop()
})

test('what was deleted while nobody collected is found afterwards', async () => {
  const bench = await Bench.start()
  const owner = await map(bench, 'owner')
  await map(bench, 'a', [ownedBy(owner)])
  await bench.client.create(Secret, { metadata: { name: 'b', namespace, ownerReferences: [ownedBy(owner)] } })
  const first = bench.runWith(startGarbageCollector)
  await bench.settle(2000)
  await first.stop()
  await bench.client.delete(ConfigMap, owner.metadata)
  await bench.settle(2000)
  const second = bench.runWith(startGarbageCollector)
  await bench.settle(5000)
  assert.deepEqual(await maps(bench), [])
  assert.equal((await bench.client.list(Secret)).items.length, 0)
  await second.stop()
  await bench.stop()
})

test('two that own each other, deleted in the foreground, both go', async () => {
  const bench = await Bench.start()
  const a = await map(bench, 'a')
  const b = await map(bench, 'b', [ownedBy(a, { blockOwnerDeletion: true })])
  await bench.client.patch(ConfigMap, a.metadata, 'merge', { metadata: { ownerReferences: [ownedBy(b, { blockOwnerDeletion: true })] } })
  const collector = bench.runWith(startGarbageCollector)
  await bench.settle(2000)
  await bench.client.delete(ConfigMap, a.metadata, { propagationPolicy: 'Foreground' })
  await bench.settle(10_000)
  assert.deepEqual(await maps(bench), [])
  await collector.stop()
  await bench.stop()
})
