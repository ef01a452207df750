import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pod } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import { staleDisruptionController } from './stale-disruption.ts'
import { Bench } from './testing/bench.ts'

test('a disruption that does not come within two minutes is taken back, if it was not the kubelet that told of it', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(staleDisruptionController)
  const target = async (name: string, reason: string, phase = 'Running') => {
    const pod = await bench.client.create(Pod, { metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'main', image: 'web:1' }] } })
    const lastTransitionTime = timestamp(bench.clock.now())
    const conditions = [
      { type: 'DisruptionTarget', status: 'True', reason, message: 'why', lastTransitionTime },
      { type: 'Ready', status: 'True', lastTransitionTime },
    ]
    await bench.client.updateStatus(Pod, { ...pod, status: { phase, conditions } })
  }
  const conditions = async () => {
    const entries = (await bench.pods()).map(({ metadata, status }) => [metadata.name, status?.conditions?.find(({ type }) => type === 'DisruptionTarget')])
    return Object.fromEntries(entries)
  }
  try {
    await target('evicted', 'EvictionByEvictionAPI')
    await target('pressed', 'TerminationByKubelet')
    await target('over', 'DeletionByTaintManager', 'Failed')
    await bench.settle(119_000)
    assert.equal((await conditions()).evicted.status, 'True')
    await bench.settle(2000)
    const { evicted, pressed, over } = await conditions()
    assert.deepEqual([evicted.status, evicted.reason, evicted.message], ['False', undefined, undefined])
    assert.ok(Date.parse(evicted.lastTransitionTime) >= bench.clock.now() - 3000)
    assert.deepEqual([pressed.status, over.status], ['True', 'True'])
    const [pod] = (await bench.pods()).filter(({ metadata }) => metadata.name === 'evicted')
    assert.equal(pod?.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True')
  } finally {
    await controllers.stop()
    await bench.stop()
  }
})
