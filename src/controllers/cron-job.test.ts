import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CronJob, Job } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import type { V1CronJobSpec, V1Job } from '../machinery/schema/generated/types.ts'
import { cronJobController } from './cron-job.ts'
import { Bench } from './testing/bench.ts'

const at = { namespace: 'default', name: 'report' }
const minute = 60_000
const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'report:1' }] } }

async function setUp(spec: Partial<V1CronJobSpec> = {}) {
  const bench = await Bench.start()
  const controllers = bench.run(cronJobController)
  // From the start of a minute on.
  await bench.settle(minute - (bench.clock.now() % minute))
  const jobTemplate = { metadata: { labels: { app: 'report' }, annotations: { note: 'kept' } }, spec: { template } }
  await bench.client.create(CronJob, { metadata: at, spec: { schedule: '*/10 * * * *', jobTemplate, ...spec } })
  const jobs = async () => (await bench.client.list(Job)).items.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  return {
    bench,
    jobs,
    status: async () => (await bench.client.get(CronJob, at)).status ?? {},
    finish: async (job: V1Job | undefined, type: 'Complete' | 'Failed') => {
      assert.ok(job)
      const time = timestamp(bench.clock.now())
      const marks = type === 'Complete' ? ['SuccessCriteriaMet', 'Complete'] : ['FailureTarget', 'Failed']
      const conditions = marks.map((mark) => ({ type: mark, status: 'True', lastTransitionTime: time, lastProbeTime: time }))
      const times = { startTime: time, ...(type === 'Complete' ? { completionTime: time } : {}) }
      await bench.client.updateStatus(Job, { ...job, status: { ...job.status, ...times, conditions } })
    },
    end: async () => {
      await controllers.stop()
      await bench.stop()
    },
  }
}

test('a Job is made when the schedule is due, named after its time', async () => {
  const { bench, jobs, status, finish, end } = await setUp()
  await bench.settle(10 * minute + 1000)
  const [job, ...more] = await jobs()
  assert.deepEqual(more, [])
  assert.ok(job)
  const due = Math.floor(bench.clock.now() / (10 * minute)) * 10 * minute
  assert.equal(job.metadata.name, `report-${due / minute}`)
  assert.deepEqual(job.metadata.annotations, { note: 'kept', 'batch.kubernetes.io/cronjob-scheduled-timestamp': timestamp(due) })
  assert.equal(job.metadata.labels?.app, 'report')
  assert.equal(job.metadata.ownerReferences?.[0]?.kind, 'CronJob')
  assert.equal((await status()).lastScheduleTime, timestamp(due))
  assert.deepEqual(
    (await status()).active?.map(({ name, kind, apiVersion }) => [apiVersion, kind, name]),
    [['batch/v1', 'Job', job.metadata.name]],
  )
  await finish(job, 'Complete')
  await bench.settle()
  assert.equal((await status()).active, undefined)
  assert.ok((await status()).lastSuccessfulTime)
  assert.deepEqual((await bench.events()).sort(), [
    `Normal SawCompletedJob Saw completed job: ${job.metadata.name}, condition: Complete`,
    `Normal SuccessfulCreate Created job ${job.metadata.name}`,
  ])
  await end()
})

test('as many finished Jobs are kept as the history limits say', async () => {
  const { bench, jobs, finish, end } = await setUp({ successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 1 })
  for (let round = 0; round < 6; round++) {
    await bench.settle(10 * minute)
    await finish(
      (await jobs()).find((job) => !job.status?.conditions),
      round % 2 === 0 ? 'Complete' : 'Failed',
    )
    await bench.settle()
  }
  const kept = (await jobs()).map(({ status }) => status?.conditions?.at(-1)?.type)
  assert.deepEqual(kept.sort(), ['Complete', 'Complete', 'Failed'])
  await end()
})

test('Allow runs several at once, Forbid waits, Replace ends the one before', async () => {
  for (const [policy, expected] of [
    ['Allow', 3],
    ['Forbid', 1],
    ['Replace', 1],
  ] as const) {
    const { bench, jobs, status, finish, end } = await setUp({ concurrencyPolicy: policy })
    await bench.settle(10 * minute)
    const [first] = await jobs()
    await bench.settle(20 * minute)
    const now = await jobs()
    assert.equal(now.length, expected, policy)
    assert.equal((await status()).active?.length, expected)
    if (policy === 'Forbid') {
      assert.equal(now[0]?.metadata.uid, first?.metadata.uid)
      assert.ok((await bench.events()).some((event) => event.startsWith('Normal JobAlreadyActive Not starting job because prior execution is running')))
      // As soon as it may, the one that was due is made up for.
      await finish(now[0], 'Complete')
      await bench.settle(1000)
      assert.equal((await jobs()).length, 2)
    }
    if (policy === 'Replace') assert.notEqual(now[0]?.metadata.uid, first?.metadata.uid)
    await end()
  }
})

test('after a pause the last one that was due is made, unless its deadline has passed', async () => {
  for (const [startingDeadlineSeconds, made] of [
    [undefined, 1],
    [60, 0],
    [600, 1],
  ] as const) {
    const { bench, jobs, status, end } = await setUp({ suspend: true, ...(startingDeadlineSeconds ? { startingDeadlineSeconds } : {}) })
    await bench.settle(24 * 60 * minute + 5 * minute)
    assert.deepEqual(await jobs(), [])
    await bench.client.patch(CronJob, at, 'merge', { spec: { suspend: false } })
    await bench.settle(1000)
    assert.equal((await jobs()).length, made, `deadline ${startingDeadlineSeconds}`)
    if (made) assert.equal(bench.clock.now() - Date.parse((await status()).lastScheduleTime ?? '') < 10 * minute, true)
    if (startingDeadlineSeconds === undefined) assert.ok((await bench.events()).some((event) => event.startsWith('Warning TooManyMissedTimes')))
    await end()
  }
})

test('the schedule is read in its time zone', async () => {
  const { bench, jobs, end } = await setUp({ schedule: '0 9 * * *', timeZone: 'Asia/Kolkata' })
  await bench.settle(24 * 60 * minute)
  const [job] = await jobs()
  assert.match(job?.metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'] ?? '', /T09:00:00\+05:30$/)
  await end()
})

test('a controller that ends between the Job and the status does not make it twice', async () => {
  const { bench, jobs, status, end } = await setUp()
  let failures = 3
  bench.transport.intercept = ({ method, path }) => {
    if (method === 'PUT' && path.endsWith('/status') && failures-- > 0) throw new Error('the connection broke')
    return undefined
  }
  await bench.settle(10 * minute + 30_000)
  assert.equal((await jobs()).length, 1)
  assert.equal((await status()).active?.length, 1)
  await end()
})
