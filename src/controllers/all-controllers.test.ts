import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigMap, Deployment, Lease, Namespace, ReplicaSet } from '../client/resources.ts'
import { startControllerManager } from './all-controllers.ts'
import { Bench } from './testing/bench.ts'

const labels = { app: 'web' }
const at = { name: 'web', namespace: 'default' }
const deployment = {
  metadata: at,
  spec: { replicas: 3, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } } },
}

test('of two managers one works; the other goes on where it stopped, in the middle of a rollout', async () => {
  const bench = await Bench.start()
  await bench.client.create(Namespace, { metadata: { name: 'kube-system' }, spec: {} })
  const manager = (identity: string) => bench.runWith((context) => startControllerManager(context, { clusterCa: 'PEM', leaderElection: { identity } }))
  const first = manager('first')
  await bench.settle(100)
  const second = manager('second')
  await bench.settle(5000)
  await bench.client.create(Deployment, deployment)
  await bench.settle(1000)
  await bench.makeReady(await bench.pods())
  await bench.settle(1000)
  assert.equal((await bench.pods()).length, 3)

  const current = await bench.client.get(Deployment, at)
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:2' }] } }
  await bench.client.update(Deployment, { ...current, spec: { ...current.spec, template } })
  await first.stop()
  for (let round = 0; round < 20; round++) {
    await bench.settle(1000)
    await bench.makeReady(await bench.pods())
  }
  assert.equal((await bench.client.get(Lease, { namespace: 'kube-system', name: 'kube-controller-manager' })).spec.holderIdentity, 'second')
  const sets = (await bench.client.list(ReplicaSet)).items.map(({ spec }) => `${spec.template?.spec?.containers[0]?.image} ${spec.replicas}`)
  assert.deepEqual(sets.sort(), ['web:1 0', 'web:2 3'])
  assert.equal((await bench.pods()).length, 3)
  assert.ok(await bench.client.find(ConfigMap, { namespace: 'default', name: 'kube-root-ca.crt' }))
  await second.stop()
  await bench.stop()
})

test('a run repeats to the byte', async () => {
  const run = async () => {
    const bench = await Bench.start()
    const controllers = bench.runWith((context) => startControllerManager(context, { clusterCa: 'PEM' }))
    await bench.client.create(Deployment, deployment)
    await bench.settle(2000)
    await bench.makeReady(await bench.pods())
    await bench.settle(2000)
    const state = JSON.stringify([await bench.client.list(Deployment), await bench.client.list(ReplicaSet), await bench.pods(), (await bench.events()).sort()])
    await controllers.stop()
    await bench.stop()
    return state
  }
  assert.equal(await run(), await run())
})

test('a manager at rest writes nothing', async () => {
  const bench = await Bench.start()
  const controllers = bench.runWith((context) => startControllerManager(context, { clusterCa: 'PEM' }))
  await bench.client.create(Deployment, deployment)
  await bench.settle(2000)
  await bench.makeReady(await bench.pods())
  await bench.settle(60_000)
  const writes: string[] = []
  bench.transport.intercept = ({ method, path }) => {
    if (method !== 'GET') writes.push(`${method} ${path}`)
    return undefined
  }
  await bench.settle(600_000)
  assert.deepEqual(writes, [])
  await controllers.stop()
  await bench.stop()
})
