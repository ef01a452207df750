import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PersistentVolumeClaim, Pod } from '../client/resources.ts'
import { ephemeralVolumeController } from './ephemeral-volume.ts'
import { Bench } from './testing/bench.ts'

const namespace = 'default'
const volumes = [
  {
    name: 'scratch',
    ephemeral: {
      volumeClaimTemplate: {
        metadata: { labels: { kind: 'scratch' } },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    },
  },
]
const containers = [{ name: 'main', image: 'main' }]

test('a claim is made for the pod, and is its own', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(ephemeralVolumeController)
  const pod = await bench.client.create(Pod, { metadata: { name: 'one', namespace }, spec: { containers, volumes } })
  await bench.settle()
  const claim = await bench.client.get(PersistentVolumeClaim, { name: 'one-scratch', namespace })
  assert.deepEqual(claim.metadata.labels, { kind: 'scratch' })
  assert.equal(claim.metadata.ownerReferences?.[0]?.uid, pod.metadata.uid)
  assert.equal(claim.metadata.ownerReferences?.[0]?.controller, true)
  await controllers.stop()
  await bench.stop()
})
