import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Job, Pod } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import type { V1JobSpec } from '../machinery/schema/generated/types.ts'
import { jobController } from './job.ts'
import { formatIndexes, parseIndexes } from './job-indexes.ts'
import { Bench } from './testing/bench.ts'

const at = { name: 'once', namespace: 'default' }

async function create(bench: Bench, spec: Partial<V1JobSpec> = {}) {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'work', image: 'work:1' }] } }
  await bench.client.create(Job, { metadata: at, spec: { completions: 1, parallelism: 1, backoffLimit: 6, template, ...spec } })
}

/** As a kubelet would when the containers have ended. */
async function end(bench: Bench, phase: 'Succeeded' | 'Failed', howMany = 1) {
  const running = (await bench.pods()).filter(({ status, metadata }) => status?.phase === 'Pending' && !metadata.deletionTimestamp)
  for (const pod of running.slice(0, howMany)) {
    const conditions = [{ type: 'Ready', status: 'False', reason: 'PodCompleted', lastTransitionTime: timestamp(bench.clock.now()) }]
    await bench.client.updateStatus(Pod, { ...pod, status: { ...pod.status, phase, conditions } })
  }
}

const status = async (bench: Bench) => (await bench.client.get(Job, at)).status
const holds = async (bench: Bench) => ((await status(bench))?.conditions ?? []).map(({ type, reason }) => `${type} ${reason}`)

test('runs until enough have succeeded, as many at once as allowed', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(jobController)
  await create(bench, { completions: 5, parallelism: 2 })
  for (let round = 0; round < 5; round++) {
    await bench.settle()
    const active = (await bench.pods()).filter(({ status }) => status?.phase === 'Pending')
    assert.ok(active.length <= 2 && active.length > 0)
    await end(bench, 'Succeeded')
  }
  await bench.settle()
  assert.deepEqual(await holds(bench), ['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached'])
  assert.equal((await status(bench))?.succeeded, 5)
  assert.ok((await status(bench))?.completionTime)
  const pods = await bench.pods()
  assert.equal(pods.length, 5)
  assert.ok(pods.every(({ metadata }) => (metadata.finalizers ?? []).length === 0))
  assert.ok((await bench.events()).includes('Normal Completed Job completed'))
  await controllers.stop()
  await bench.stop()
})

test('a pod that fails is replaced, later each time; too many, and the job has failed', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(jobController)
  await create(bench, { backoffLimit: 1 })
  await bench.settle()
  await end(bench, 'Failed')
  await bench.settle(9000)
  assert.equal((await bench.pods()).length, 1)
  await bench.settle(3000)
  assert.equal((await bench.pods()).length, 2)
  await end(bench, 'Failed')
  await bench.settle(1000)
  assert.deepEqual(await holds(bench), ['FailureTarget BackoffLimitExceeded', 'Failed BackoffLimitExceeded'])
  assert.equal((await status(bench))?.failed, 2)
  assert.ok((await bench.events()).includes('Warning BackoffLimitExceeded Job has reached the specified backoff limit'))
  await controllers.stop()
  await bench.stop()
})

test('a controller that stops while it counts is followed by one that counts each pod once', async () => {
  const bench = await Bench.start()
  let controllers = bench.run(jobController)
  await create(bench, { completions: 6, parallelism: 3 })
  let writes = 0
  bench.transport.intercept = ({ method }) => {
    if (method !== 'GET' && ++writes % 4 === 0) void controllers.stop()
    return undefined
  }
  for (let round = 0; round < 30; round++) {
    await bench.settle(500)
    await end(bench, 'Succeeded')
    await bench.settle(10)
    await controllers.stop()
    controllers = bench.run(jobController)
  }
  bench.transport.intercept = undefined
  await bench.settle(5000)
  assert.equal((await status(bench))?.succeeded, 6)
  assert.ok((await holds(bench)).includes('Complete CompletionsReached'))
  await controllers.stop()
  await bench.stop()
})

test('past its deadline its pods are deleted and it has failed', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(jobController)
  await create(bench, { activeDeadlineSeconds: 30 })
  await bench.settle(29_000)
  assert.equal((await bench.pods()).length, 1)
  await bench.settle(5000)
  assert.deepEqual(await bench.pods(), [])
  assert.ok((await holds(bench)).includes('Failed DeadlineExceeded'))
  await controllers.stop()
  await bench.stop()
})

test('Indexed: each index succeeds once', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(jobController)
  await create(bench, { completions: 4, parallelism: 4, completionMode: 'Indexed' })
  await bench.settle()
  const indexes = (await bench.pods()).map(({ metadata, spec }) => `${metadata.annotations?.['batch.kubernetes.io/job-completion-index']} ${spec.hostname}`)
  assert.deepEqual(indexes.sort(), ['0 once-0', '1 once-1', '2 once-2', '3 once-3'])
  await end(bench, 'Succeeded', 3)
  await bench.settle()
  assert.equal((await status(bench))?.succeeded, 3)
  await end(bench, 'Succeeded')
  await bench.settle()
  assert.equal((await status(bench))?.completedIndexes, '0-3')
  assert.ok((await holds(bench)).includes('Complete CompletionsReached'))
  await controllers.stop()
  await bench.stop()
})

test('indexes as text', () => {
  assert.deepEqual([...parseIndexes('0-2,5')], [0, 1, 2, 5])
  assert.equal(formatIndexes([5, 1, 0, 2, 8, 9]), '0-2,5,8,9')
  assert.equal(formatIndexes([]), '')
})
