import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pod, ReplicationController } from '../client/resources.ts'
import { replicationController } from './replication-controller.ts'
import { Bench } from './testing/bench.ts'

test('keeps as many pods as it says, adopts what matches, and tells of them', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(replicationController)
  const labels = { app: 'old' }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'old:1' }] } }
  await bench.client.create(Pod, { metadata: { name: 'orphan', namespace: 'default', labels }, spec: { containers: [{ name: 'main', image: 'old:1' }] } })
  const at = { name: 'old', namespace: 'default' }
  await bench.client.create(ReplicationController, { metadata: at, spec: { replicas: 3, selector: labels, template } })
  await bench.settle()
  const pods = await bench.pods()
  assert.equal(pods.length, 3)
  assert.deepEqual([...new Set(pods.map(({ metadata }) => metadata.ownerReferences?.[0]?.kind))], ['ReplicationController'])
  await bench.makeReady(pods)
  await bench.settle()
  const { status } = await bench.client.get(ReplicationController, at)
  assert.deepEqual({ ...status }, { replicas: 3, fullyLabeledReplicas: 3, readyReplicas: 3, availableReplicas: 3, observedGeneration: 1 })
  await bench.client.patch(ReplicationController, at, 'merge', { spec: { replicas: 1 } })
  await bench.settle()
  assert.equal((await bench.pods()).length, 1)
  await controllers.stop()
  await bench.stop()
})
