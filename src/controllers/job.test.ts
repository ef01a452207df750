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

/** Ends the pod of an index with this exit code. */
async function endIndex(bench: Bench, index: number, exitCode: number) {
  const pod = (await bench.pods()).find(
    ({ metadata, status }) => metadata.annotations?.['batch.kubernetes.io/job-completion-index'] === String(index) && status?.phase === 'Pending',
  )
  assert.ok(pod, `no pod of index ${index} runs`)
  const time = timestamp(bench.clock.now())
  const containerStatuses = [
    { name: 'work', image: 'work:1', imageID: '', ready: false, restartCount: 0, state: { terminated: { exitCode, reason: 'Error', finishedAt: time } } },
  ]
  await bench.client.updateStatus(Pod, { ...pod, status: { ...pod.status, phase: exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses } })
  await bench.settle()
}

test('podFailurePolicy: one exit code ends the job, another does not count', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(jobController)
  const podFailurePolicy = {
    rules: [
      { action: 'Ignore', onExitCodes: { operator: 'In', values: [3] } },
      { action: 'FailJob', onExitCodes: { containerName: 'work', operator: 'In', values: [42] } },
    ],
  }
  await create(bench, { completions: 2, parallelism: 1, completionMode: 'Indexed', backoffLimit: 0, podFailurePolicy })
  await bench.settle()
  await endIndex(bench, 0, 3)
  await bench.settle(11_000)
  assert.equal((await status(bench))?.failed, undefined)
  const running = (await bench.pods()).find(({ status: { phase } = {} }) => phase === 'Pending')
  await endIndex(bench, 0, 42)
  await bench.settle(1000)
  assert.deepEqual(await holds(bench), ['FailureTarget PodFailurePolicy', 'Failed PodFailurePolicy'])
  assert.equal(
    (await status(bench))?.conditions?.[0]?.message,
    `Container work for pod default/${running?.metadata.name} failed with exit code 42 matching FailJob rule at index 1`,
  )
  assert.ok((await bench.pods()).every(({ metadata }) => (metadata.finalizers ?? []).length === 0))
  await controllers.stop()
  await bench.stop()
})

test('the pause before the next pod grows with ignored failures, too, and is short again after a success', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(jobController)
  const rules = [{ action: 'Ignore', onPodConditions: [{ type: 'Ready', status: 'False' }] }]
  await create(bench, { completions: 9, parallelism: 1, backoffLimit: 0, podFailurePolicy: { rules } })
  await bench.settle()
  const pauseAfter = async (phase: 'Succeeded' | 'Failed') => {
    await end(bench, phase)
    const { length } = await bench.pods()
    for (let seconds = 0; ; seconds++) {
      if ((await bench.pods()).length > length) return seconds
      await bench.settle(1000)
    }
  }
  const pauses: number[] = []
  for (const phase of ['Failed', 'Failed', 'Failed', 'Succeeded', 'Failed'] as const) pauses.push(await pauseAfter(phase))
  // Ends are known to the second.
  assert.deepEqual(
    pauses.map((seconds) => Math.round(seconds / 10) * 10),
    [10, 20, 40, 0, 10],
  )
  assert.equal((await status(bench))?.failed, undefined)
  await controllers.stop()
  await bench.stop()
})

for (const [backoffLimit, most] of [
  [0, 1],
  [3, 3],
] as const)
  test(`restartPolicy OnFailure with backoffLimit ${backoffLimit}: the containers' restarts are the tries`, async () => {
    const bench = await Bench.start()
    const controllers = bench.run(jobController)
    const container = (name: string) => ({ name, image: 'work:1' })
    const template = { spec: { restartPolicy: 'OnFailure', initContainers: [container('before')], containers: [container('work')] } }
    await create(bench, { backoffLimit, completions: 2, parallelism: 2, template })
    await bench.settle()
    const restarted = async (init: number, ...counts: number[]) => {
      const pods = await bench.pods()
      for (const [index, pod] of pods.entries()) {
        const status = (name: string, restartCount: number) => ({ name, image: 'work:1', imageID: '', ready: false, restartCount, state: { waiting: {} } })
        await bench.client.updateStatus(Pod, {
          ...pod,
          status: {
            ...pod.status,
            phase: 'Running',
            initContainerStatuses: [status('before', index === 0 ? init : 0)],
            containerStatuses: [status('work', counts[index] ?? 0)],
          },
        })
      }
      await bench.settle()
    }
    await restarted(0, most - 1, 0)
    assert.deepEqual(await holds(bench), [])
    await restarted(most > 1 ? 1 : 0, most > 1 ? 1 : 0, 1)
    await bench.settle(1000)
    assert.deepEqual(await holds(bench), ['FailureTarget BackoffLimitExceeded', 'Failed BackoffLimitExceeded'])
    assert.equal((await bench.pods()).length, 0)
    await controllers.stop()
    await bench.stop()
  })

test('backoffLimitPerIndex: each index has its own tries, and the others go on', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(jobController)
  await create(bench, { completions: 3, parallelism: 3, completionMode: 'Indexed', backoffLimit: undefined, backoffLimitPerIndex: 1 })
  await bench.settle()
  await endIndex(bench, 1, 1)
  assert.equal((await status(bench))?.failedIndexes, '')
  await bench.settle(11_000)
  const again = (await bench.pods()).find(
    ({ metadata, status: { phase } = {} }) => phase === 'Pending' && metadata.annotations?.['batch.kubernetes.io/job-completion-index'] === '1',
  )
  assert.equal(again?.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count'], '1')
  await endIndex(bench, 1, 1)
  assert.equal((await status(bench))?.failedIndexes, '1')
  await endIndex(bench, 0, 0)
  await bench.settle(60_000)
  assert.equal((await bench.pods()).filter(({ status: { phase } = {} }) => phase === 'Pending').length, 1)
  await endIndex(bench, 2, 0)
  await bench.settle(1000)
  assert.equal((await status(bench))?.completedIndexes, '0,2')
  assert.deepEqual(await holds(bench), ['FailureTarget FailedIndexes', 'Failed FailedIndexes'])
  await controllers.stop()
  await bench.stop()
})

test('maxFailedIndexes: too many failed indexes end the job at once', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(jobController)
  const limits = { backoffLimit: undefined, backoffLimitPerIndex: 0, maxFailedIndexes: 1 }
  await create(bench, { completions: 4, parallelism: 4, completionMode: 'Indexed', ...limits })
  await bench.settle()
  await endIndex(bench, 0, 1)
  assert.deepEqual(await holds(bench), [])
  await endIndex(bench, 1, 1)
  await bench.settle(40_000)
  assert.ok((await holds(bench)).includes('FailureTarget MaxFailedIndexesExceeded'))
  await controllers.stop()
  await bench.stop()
})

test('successPolicy: the job has succeeded when the indexes that matter have', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(jobController)
  const successPolicy = { rules: [{ succeededIndexes: '0,2-3', succeededCount: 2 }] }
  await create(bench, { completions: 4, parallelism: 4, completionMode: 'Indexed', successPolicy })
  await bench.settle()
  await endIndex(bench, 1, 0)
  await endIndex(bench, 0, 0)
  assert.deepEqual(await holds(bench), [])
  await endIndex(bench, 3, 0)
  await bench.settle(1000)
  assert.ok((await holds(bench)).includes('SuccessCriteriaMet SuccessPolicy'))
  assert.equal((await status(bench))?.conditions?.[0]?.message, 'Matched rules at index 0')
  await controllers.stop()
  await bench.stop()
})

test('indexes as text', () => {
  assert.deepEqual([...parseIndexes('0-2,5')], [0, 1, 2, 5])
  assert.equal(formatIndexes([5, 1, 0, 2, 8, 9]), '0-2,5,8,9')
  assert.equal(formatIndexes([]), '')
})

test('an orphan that matches is adopted again; a pod that matches no longer is released, held no more, and replaced', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(jobController)
  await create(bench, { completions: 2, parallelism: 2 })
  await bench.settle()
  const [first, second] = await bench.pods()
  assert.ok(first && second)
  await bench.client.patch(Pod, first.metadata, 'merge', { metadata: { ownerReferences: null, finalizers: null } })
  await bench.settle()
  const adopted = await bench.client.get(Pod, first.metadata)
  assert.equal(adopted.metadata.ownerReferences?.[0]?.name, 'once')
  assert.deepEqual(adopted.metadata.finalizers, ['batch.kubernetes.io/job-tracking'])
  await bench.client.patch(Pod, second.metadata, 'merge', { metadata: { labels: null } })
  await bench.settle()
  const released = await bench.client.get(Pod, second.metadata)
  assert.deepEqual([released.metadata.ownerReferences ?? [], released.metadata.finalizers ?? []], [[], []])
  assert.equal((await bench.pods()).length, 3)
  await controllers.stop()
  await bench.stop()
})

test('a pod taken from its job does not wait for ever to be counted', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(jobController)
  await create(bench)
  await bench.settle()
  const [pod] = await bench.pods()
  assert.ok(pod)
  await bench.client.delete(Job, at, { propagationPolicy: 'Orphan' })
  await bench.client.patch(Pod, pod.metadata, 'merge', { metadata: { ownerReferences: null } })
  await bench.client.patch(Job, at, 'merge', { metadata: { finalizers: null } })
  await bench.settle()
  assert.deepEqual((await bench.client.get(Pod, pod.metadata)).metadata.finalizers ?? [], [])
  await controllers.stop()
  await bench.stop()
})

test('each container of an indexed pod learns its index, those that begin first too', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(jobController)
  const container = (name: string) => ({ name, image: 'work:1' })
  const template = { spec: { restartPolicy: 'Never', initContainers: [container('before')], containers: [container('work')] } }
  await create(bench, { completionMode: 'Indexed', template })
  await bench.settle()
  const [pod] = await bench.pods()
  const variables = [...(pod?.spec.initContainers ?? []), ...(pod?.spec.containers ?? [])].map(({ env }) => env?.[0]?.name)
  assert.deepEqual(variables, ['JOB_COMPLETION_INDEX', 'JOB_COMPLETION_INDEX'])
  await controllers.stop()
  await bench.stop()
})

/** A pod that runs on a node, and is deleted there; the node does not answer. */
async function deleteOnLostNode(bench: Bench, index?: string) {
  const pod = (await bench.pods()).find(({ metadata }) => index === undefined || metadata.annotations?.['batch.kubernetes.io/job-completion-index'] === index)
  assert.ok(pod)
  const target = { apiVersion: 'v1', kind: 'Node', name: 'lost' }
  const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: pod.metadata.name }, target }
  await bench.client.subresource(Pod, pod.metadata, 'binding', 'create', binding)
  const bound = await bench.client.get(Pod, pod.metadata)
  await bench.client.updateStatus(Pod, { ...bound, status: { ...bound.status, phase: 'Running' } })
  await bench.client.delete(Pod, pod.metadata)
  await bench.settle()
  return bench.client.get(Pod, pod.metadata).catch(() => undefined)
}

test('a pod that is deleted where its node is lost has failed: it is replaced, and not held until the node returns', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(jobController)
  await create(bench)
  await bench.settle()
  const lost = await deleteOnLostNode(bench)
  assert.deepEqual(lost?.metadata.finalizers ?? [], [])
  assert.equal((await status(bench))?.failed, 1)
  assert.equal((await bench.pods()).filter(({ metadata }) => !metadata.deletionTimestamp).length, 1)
  await controllers.stop()
  await bench.stop()
})

test('podReplacementPolicy Failed: an index is not begun again while its pod may still run', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(jobController)
  await create(bench, { completions: 3, parallelism: 2, completionMode: 'Indexed', podReplacementPolicy: 'Failed' })
  await bench.settle()
  const lost = await deleteOnLostNode(bench, '0')
  assert.ok(lost?.metadata.finalizers?.length)
  await endIndex(bench, 1, 0)
  const going = async () =>
    (await bench.pods())
      .filter(({ status: { phase } = {} }) => phase !== 'Succeeded')
      .map(({ metadata }) => metadata.annotations?.['batch.kubernetes.io/job-completion-index'])
  assert.deepEqual((await going()).sort(), ['0', '2'])
  assert.deepEqual([(await status(bench))?.terminating, (await status(bench))?.failed], [1, undefined])
  await controllers.stop()
  await bench.stop()
})

test('pods that are dismissed, of a job that rests or has too many, do not count as failed', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(jobController)
  await create(bench, { completions: 3, parallelism: 3, backoffLimit: 0 })
  await bench.settle()
  const active = async () => (await bench.pods()).filter(({ metadata }) => !metadata.deletionTimestamp).length
  for (const pod of await bench.pods()) {
    const target = { apiVersion: 'v1', kind: 'Node', name: 'a' }
    await bench.client.subresource(Pod, pod.metadata, 'binding', 'create', { apiVersion: 'v1', kind: 'Binding', metadata: { name: pod.metadata.name }, target })
  }
  await bench.client.patch(Job, at, 'merge', { spec: { parallelism: 2 } })
  await bench.settle()
  assert.equal(await active(), 2)
  await bench.client.patch(Job, at, 'merge', { spec: { suspend: true } })
  await bench.settle()
  assert.equal(await active(), 0)
  assert.deepEqual([(await status(bench))?.failed, await holds(bench)], [undefined, ['Suspended JobSuspended']])
  await bench.client.patch(Job, at, 'merge', { spec: { suspend: false } })
  await bench.settle()
  assert.deepEqual([await active(), (await status(bench))?.failed], [2, undefined])
  await controllers.stop()
  await bench.stop()
})
