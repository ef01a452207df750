import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pod, ReplicaSet } from '../client/resources.ts'
import { forbidden } from '../machinery/errors.ts'
import { replicaSetController } from './replica-set.ts'
import { Bench } from './testing/bench.ts'

const labels = { app: 'web' }
const set = (replicas: number, name = 'web') => ({
  metadata: { name, namespace: 'default' },
  spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } } },
})

test('creates the pods that are wanted, and says so', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(replicaSetController)
  await bench.client.create(ReplicaSet, set(3))
  await bench.settle()
  const pods = await bench.pods()
  assert.equal(pods.length, 3)
  assert.match(pods[0]?.metadata.name ?? '', /^web-/)
  assert.equal(pods[0]?.metadata.ownerReferences?.[0]?.blockOwnerDeletion, true)
  assert.deepEqual((await bench.events()).sort(), pods.map(({ metadata }) => `Normal SuccessfulCreate Created pod: ${metadata.name}`).sort())
  await bench.makeReady(pods)
  await bench.settle()
  const { status } = await bench.client.get(ReplicaSet, { namespace: 'default', name: 'web' })
  assert.deepEqual(
    { ...status },
    { replicas: 3, fullyLabeledReplicas: 3, readyReplicas: 3, availableReplicas: 3, terminatingReplicas: 0, observedGeneration: 1 },
  )
  await controllers.stop()
  await bench.stop()
})

test('deletes what is too much: pods that are not ready first', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(replicaSetController)
  const created = await bench.client.create(ReplicaSet, set(3))
  await bench.settle()
  const [, unready, ...ready] = await bench.pods()
  const [first] = await bench.pods()
  await bench.makeReady(first ? [first, ...ready] : [])
  await bench.settle()
  const current = await bench.client.get(ReplicaSet, created.metadata)
  await bench.client.update(ReplicaSet, { ...current, spec: { ...current.spec, replicas: 2 } })
  await bench.settle()
  const left = (await bench.pods()).map(({ metadata }) => metadata.name)
  assert.equal(left.length, 2)
  assert.ok(!left.includes(unready?.metadata.name ?? ''))
  await controllers.stop()
  await bench.stop()
})

test('a pod that goes is replaced, an orphan that matches is adopted, one that no longer matches is released', async () => {
  const bench = await Bench.start()
  await bench.client.create(Pod, { metadata: { name: 'orphan', namespace: 'default', labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } })
  const controllers = bench.run(replicaSetController)
  await bench.client.create(ReplicaSet, set(2))
  await bench.settle()
  assert.equal((await bench.pods()).length, 2)
  assert.equal((await bench.client.get(Pod, { namespace: 'default', name: 'orphan' })).metadata.ownerReferences?.[0]?.name, 'web')

  await bench.client.patch(Pod, { namespace: 'default', name: 'orphan' }, 'merge', { metadata: { labels: { app: 'other' } } })
  await bench.settle()
  assert.deepEqual((await bench.client.get(Pod, { namespace: 'default', name: 'orphan' })).metadata.ownerReferences ?? [], [])
  const owned = (await bench.pods()).filter(({ metadata }) => metadata.ownerReferences?.length)
  assert.equal(owned.length, 2)
  await bench.client.delete(Pod, owned[0]?.metadata ?? { name: '' })
  await bench.settle()
  assert.equal((await bench.pods()).filter(({ metadata }) => metadata.ownerReferences?.length).length, 2)
  await controllers.stop()
  await bench.stop()
})

test('caches that lag do not make it create twice', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(replicaSetController)
  await bench.settle()
  let most = 0
  await bench.client.create(ReplicaSet, set(20))
  for (let round = 0; round < 40; round++) {
    bench.transport.breakWatches()
    await bench.settle(50)
    most = Math.max(most, (await bench.pods()).length)
  }
  await bench.settle(60_000)
  assert.equal(most, 20)
  assert.equal((await bench.pods()).length, 20)
  await controllers.stop()
  await bench.stop()
})

test('what fails for all is asked once, is said on the status, and tried again later', async () => {
  const bench = await Bench.start()
  let attempts = 0
  let refuse = true
  bench.transport.intercept = (request) => {
    if (request.method !== 'POST' || !request.path.endsWith('/pods') || !refuse) return undefined
    attempts++
    throw forbidden({ resource: 'pods', name: '' }, 'exceeded quota: x')
  }
  const controllers = bench.run(replicaSetController)
  await bench.client.create(ReplicaSet, set(100))
  await bench.settle(1)
  // Once more when its own status wakes it, but not a hundred times.
  assert.ok(attempts <= 2, `${attempts} attempts`)
  await bench.settle(1000)
  const { status } = await bench.client.get(ReplicaSet, { namespace: 'default', name: 'web' })
  assert.equal(status?.conditions?.[0]?.type, 'ReplicaFailure')
  assert.equal(status?.conditions?.[0]?.reason, 'FailedCreate')
  assert.ok((await bench.events()).some((event) => event.startsWith('Warning FailedCreate Error creating: pods is forbidden: exceeded quota')))
  refuse = false
  await bench.settle(20_000)
  assert.equal((await bench.pods()).length, 100)
  assert.equal((await bench.client.get(ReplicaSet, { namespace: 'default', name: 'web' })).status?.conditions, undefined)
  await controllers.stop()
  await bench.stop()
})

test('a controller that stops in the middle is followed by another that finishes the work, not more', async () => {
  const bench = await Bench.start()
  let count = 0
  const first = bench.run(replicaSetController)
  bench.transport.intercept = (request) => {
    if (request.method === 'POST' && request.path.endsWith('/pods') && ++count === 4) void first.stop()
    return undefined
  }
  await bench.client.create(ReplicaSet, set(10))
  await bench.settle()
  const second = bench.run(replicaSetController)
  await bench.settle(1000)
  assert.equal((await bench.pods()).length, 10)
  await second.stop()
})

test('minReadySeconds: a pod counts as available later', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(replicaSetController)
  const { spec, metadata } = set(1)
  await bench.client.create(ReplicaSet, { metadata, spec: { ...spec, minReadySeconds: 30 } })
  await bench.settle()
  await bench.makeReady(await bench.pods())
  await bench.settle(1000)
  const get = async () => (await bench.client.get(ReplicaSet, { namespace: 'default', name: 'web' })).status
  assert.equal((await get())?.readyReplicas, 1)
  assert.equal((await get())?.availableReplicas, undefined)
  await bench.settle(30_000)
  assert.equal((await get())?.availableReplicas, 1)
  await controllers.stop()
  await bench.stop()
})
