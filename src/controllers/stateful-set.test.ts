import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet } from '../client/resources.ts'
import type { V1StatefulSetSpec } from '../machinery/schema/generated/types.ts'
import { startGarbageCollector } from './garbage-collector.ts'
import { templateHash } from './pod-template-hash.ts'
import { statefulSetController } from './stateful-set.ts'
import { Bench } from './testing/bench.ts'
import { claimProtection } from './volume-protection.ts'

const labels = { app: 'db' }
const at = { name: 'db', namespace: 'default' }
const template = (image: string) => ({ metadata: { labels }, spec: { containers: [{ name: 'db', image }] } })

async function create(bench: Bench, spec: Partial<V1StatefulSetSpec> = {}) {
  const claims = [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }]
  const base = { serviceName: 'db', replicas: 3, selector: { matchLabels: labels }, template: template('db:1'), volumeClaimTemplates: claims as never }
  await bench.client.create(StatefulSet, { metadata: at, spec: { ...base, ...spec } })
}

async function change(bench: Bench, spec: Partial<V1StatefulSetSpec>) {
  const current = await bench.client.get(StatefulSet, at)
  await bench.client.update(StatefulSet, { ...current, spec: { ...current.spec, ...spec } })
}

const pods = async (bench: Bench) => (await bench.pods()).map(({ metadata, spec }) => `${metadata.name} ${spec.containers[0]?.image}`)

async function rollOut(bench: Bench, rounds = 12) {
  for (let round = 0; round < rounds; round++) {
    await bench.settle(1000)
    await bench.makeReady(await bench.pods())
  }
}

test('pods come one after the other, each with its claim and its name in the domain', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(statefulSetController)
  await create(bench)
  await bench.settle(1000)
  assert.deepEqual(await pods(bench), ['db-0 db:1'])
  const [first] = await bench.pods()
  assert.equal(first?.spec.hostname, 'db-0')
  assert.equal(first?.spec.subdomain, 'db')
  assert.equal(first?.metadata.labels?.['statefulset.kubernetes.io/pod-name'], 'db-0')
  assert.equal(first?.spec.volumes?.find(({ name }) => name === 'data')?.persistentVolumeClaim?.claimName, 'data-db-0')
  await rollOut(bench)
  assert.deepEqual(await pods(bench), ['db-0 db:1', 'db-1 db:1', 'db-2 db:1'])
  const { status } = await bench.client.get(StatefulSet, at)
  assert.equal(status?.readyReplicas, 3)
  assert.equal(status?.currentRevision, status?.updateRevision)
  assert.ok((await bench.events()).includes('Normal SuccessfulCreate create Pod db-0 in StatefulSet db successful'))

  // Fewer: the last goes first, claims stay.
  await change(bench, { replicas: 1 })
  await rollOut(bench, 4)
  assert.deepEqual(await pods(bench), ['db-0 db:1'])
  assert.equal((await bench.client.list(PersistentVolumeClaim)).items.length, 3)
  await controllers.stop()
  await bench.stop()
})

test('an update goes from the last to the first, down to the partition', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(statefulSetController)
  await create(bench, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } })
  await rollOut(bench)
  await change(bench, { template: template('db:2') })
  await bench.settle(500)
  // The last is made anew; until it is ready the others stay.
  assert.deepEqual(await pods(bench), ['db-0 db:1', 'db-1 db:1', 'db-2 db:2'])
  await rollOut(bench)
  assert.deepEqual(await pods(bench), ['db-0 db:1', 'db-1 db:2', 'db-2 db:2'])
  await change(bench, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } })
  await rollOut(bench)
  assert.deepEqual(await pods(bench), ['db-0 db:2', 'db-1 db:2', 'db-2 db:2'])
  const { status } = await bench.client.get(StatefulSet, at)
  assert.equal(status?.currentRevision, status?.updateRevision)
  await controllers.stop()
  await bench.stop()
})

test('scaling down waits while pods are unwell; one that is the only one goes', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(statefulSetController)
  await create(bench)
  await rollOut(bench)
  const setReady = async (status: 'True' | 'False', names: string[]) => {
    for (const pod of await bench.pods()) {
      if (!names.includes(pod.metadata.name)) continue
      await bench.client.updateStatus(Pod, { ...pod, status: { ...pod.status, conditions: [{ type: 'Ready', status }] } })
    }
  }
  await setReady('False', ['db-0', 'db-2'])
  await bench.settle()
  await change(bench, { replicas: 0 })
  await bench.settle(5000)
  assert.deepEqual(await pods(bench), ['db-0 db:1', 'db-1 db:1', 'db-2 db:1'])
  await setReady('True', ['db-2'])
  await bench.settle(5000)
  assert.deepEqual(await pods(bench), [])
  await controllers.stop()
  await bench.stop()
})

test('Parallel: all at once', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(statefulSetController)
  await create(bench, { podManagementPolicy: 'Parallel' })
  await bench.settle(500)
  assert.equal((await bench.pods()).length, 3)
  await controllers.stop()
  await bench.stop()
})

test('a set that is made anew over the pods of the one before takes them and their revision as they are', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(statefulSetController)
  const collector = bench.runWith(startGarbageCollector)
  await create(bench)
  await rollOut(bench)
  const uids = async () => (await bench.pods()).map(({ metadata }) => metadata.uid)
  const before = await uids()
  await bench.client.delete(StatefulSet, at, { propagationPolicy: 'Orphan' })
  await bench.settle(5000)
  assert.equal(await bench.client.find(StatefulSet, at), undefined)
  await create(bench, { podManagementPolicy: 'Parallel' })
  await rollOut(bench)
  assert.deepEqual(await uids(), before)
  const [revision, ...others] = (await bench.client.list(ControllerRevision)).items
  assert.deepEqual([revision?.metadata.ownerReferences?.[0]?.name, revision?.revision, others.length], ['db', 1, 0])
  await collector.stop()
  await controllers.stop()
  await bench.stop()
})

test('claims go with the pods that are too many, or with the set, where it says so', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(statefulSetController, claimProtection)
  const collector = bench.runWith(startGarbageCollector)
  const claims = async () => (await bench.client.list(PersistentVolumeClaim)).items.map(({ metadata }) => metadata.name).sort()
  await create(bench, { persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Delete' } })
  await rollOut(bench)
  assert.deepEqual(await claims(), ['data-db-0', 'data-db-1', 'data-db-2'])
  const [first] = (await bench.client.list(PersistentVolumeClaim)).items
  assert.deepEqual(
    first?.metadata.ownerReferences?.map(({ kind, name }) => [kind, name]),
    [['StatefulSet', 'db']],
  )
  await change(bench, { replicas: 1 })
  await rollOut(bench)
  assert.deepEqual(await claims(), ['data-db-0'])
  await change(bench, { replicas: 2 })
  await rollOut(bench)
  assert.deepEqual(await claims(), ['data-db-0', 'data-db-1'])
  assert.equal((await bench.pods()).length, 2)
  // A pod that is deleted by hand comes again, with the same claim.
  const before = (await bench.client.get(PersistentVolumeClaim, { name: 'data-db-1', namespace: 'default' })).metadata.uid
  await bench.client.delete(Pod, { name: 'db-1', namespace: 'default' })
  await rollOut(bench)
  assert.equal((await bench.client.get(PersistentVolumeClaim, { name: 'data-db-1', namespace: 'default' })).metadata.uid, before)
  await bench.client.delete(StatefulSet, at)
  await bench.settle(5000)
  assert.deepEqual(await claims(), [])
  assert.deepEqual(await bench.pods(), [])
  await collector.stop()
  await controllers.stop()
  await bench.stop()
})

test('where the name of its revision is taken by something else, it takes another', async () => {
  const bench = await Bench.start()
  await create(bench)
  const { spec } = await bench.client.get(StatefulSet, at)
  const name = `db-${templateHash(spec.template, undefined)}`
  await bench.client.create(ControllerRevision, { metadata: { name, namespace: 'default' }, data: { somebody: 'else' }, revision: 1 })
  const controllers = bench.run(statefulSetController)
  await rollOut(bench)
  const { status } = await bench.client.get(StatefulSet, at)
  assert.equal(status?.collisionCount, 1)
  assert.notEqual(status?.updateRevision, name)
  assert.equal(status?.readyReplicas, 3)
  await controllers.stop()
  await bench.stop()
})
