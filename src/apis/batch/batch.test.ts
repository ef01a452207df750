import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { V1Container, V1Job } from '../../machinery/schema/generated/types.ts'
import { created, problems, row, updateProblems } from '../testing/draft.ts'
import { CronJob } from './cron-job.ts'
import { scheduleProblem } from './cron-schedule.ts'
import { Job } from './job.ts'

const metadata = { name: 'pi', namespace: 'shop', uid: 'u-1' }
const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'pi', image: 'perl:5' }] } }
const job = (spec: object = {}) => ({ metadata, spec: { template, ...spec } })

test('a job selects its pods by its identity', () => {
  const { spec } = created(Job, job())
  assert.deepEqual(spec.selector, { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u-1' } })
  assert.deepEqual(spec.template.metadata?.labels, {
    'batch.kubernetes.io/controller-uid': 'u-1',
    'batch.kubernetes.io/job-name': 'pi',
    'controller-uid': 'u-1',
    'job-name': 'pi',
  })
  assert.deepEqual([spec.completions, spec.parallelism, spec.backoffLimit, spec.completionMode, spec.suspend], [1, 1, 6, 'NonIndexed', false])
})

const invalid: [object, string[]][] = [
  [{}, []],
  [
    { template: { spec: { ...template.spec, restartPolicy: undefined } } },
    ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
  ],
  [{ completionMode: 'Indexed', parallelism: 2 }, ['spec.completions: Required value: when completion mode is Indexed']],
  [{ backoffLimit: -1 }, ['spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0']],
]
test('validation of jobs', () => {
  for (const [spec, expected] of invalid) assert.deepEqual(problems(Job, job(spec)), expected, JSON.stringify(spec))
  const stored = created(Job, job())
  assert.deepEqual(updateProblems(Job, job(), { ...stored, spec: { ...stored.spec, completions: 2 } }), [
    'spec.completions: Invalid value: 2: field is immutable',
  ])
  assert.deepEqual(updateProblems(Job, job(), { ...stored, spec: { ...stored.spec, parallelism: 3, suspend: true } }), [])
})

test('what the pods of a suspended job are given may be changed while none is there, and nothing else of them', () => {
  const init = [{ name: 'before', image: 'perl:5' }]
  const suspended = created(Job, job({ suspend: true, template: { spec: { ...template.spec, initContainers: init } } }))
  const changed = (change: (container: V1Container) => void, where: 'containers' | 'initContainers' = 'containers') => {
    const copy = structuredClone(suspended)
    const [container] = copy.spec.template.spec?.[where] ?? []
    assert.ok(container)
    change(container)
    return copy
  }
  const amounts = (container: V1Container) => {
    container.resources = { requests: { cpu: '2', 'example.com/gpu': '1' }, limits: { cpu: '4', 'example.com/gpu': '1' } }
  }
  // With the status that it has: what is created has none.
  const problemsOf = (draft: V1Job, stored: V1Job) => Job.validateUpdate(draft, stored).map(({ field, message }) => `${field}: ${message}`)
  const begun = { ...suspended, status: { startTime: '2026-01-01T00:00:00Z' } }
  for (const stored of [suspended, begun]) {
    assert.deepEqual(problemsOf(changed(amounts), stored), [])
    assert.deepEqual(problemsOf(changed(amounts, 'initContainers'), stored), [])
    const resumed = changed(amounts)
    resumed.spec.suspend = false
    assert.deepEqual(problemsOf(resumed, stored), [], 'in one go with the resumption')
  }
  const isImmutable = (found: string[]) =>
    assert.ok(found.length === 1 && /^spec\.template: Invalid value: .*: field is immutable$/.test(found[0] ?? ''), found.join())
  isImmutable(problemsOf(changed(amounts), { ...suspended, status: { active: 1 } }))
  isImmutable(problemsOf(changed(amounts), { ...suspended, spec: { ...suspended.spec, suspend: false } }))
  isImmutable(
    problemsOf(
      changed((container) => {
        container.image = 'perl:6'
      }),
      suspended,
    ),
  )
  assert.match(
    problemsOf(
      changed((container) => {
        container.resources = { requests: { cpu: '2' }, limits: { cpu: '1' } }
      }),
      suspended,
    ).join(),
    /must be less than or equal to cpu limit/,
  )
})

test('columns of jobs', () => {
  const status = { startTime: '2025-12-31T23:59:00Z', succeeded: 1, completionTime: '2025-12-31T23:59:30Z', conditions: [{ type: 'Complete', status: 'True' }] }
  const cells = row(Job, { ...created(Job, job()), status })
  assert.deepEqual([cells.Status, cells.Completions, cells.Duration], ['Complete', '1/1', '30s'])
})

test('an indexed job has a name that its last pod can have as hostname', () => {
  const spec = { ...job().spec, completionMode: 'Indexed', completions: 100 }
  const named = (name: string) => problems(Job, { ...job(), metadata: { ...metadata, name }, spec })
  assert.deepEqual(named('a'.repeat(60)), [])
  const name = 'a'.repeat(61)
  assert.deepEqual(named(name), [`metadata.name: Invalid value: "${name}": will not able to create pod with invalid DNS label: ${name}-99`])
})

const schedules: [string, string | undefined][] = [
  ['*/5 * * * *', undefined],
  ['0 9-17 * jan-mar MON', undefined],
  ['@hourly', undefined],
  ['@every 1h30m', undefined],
  ['TZ=UTC 0 0 * * *', 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'],
  ['* * *', 'expected exactly 5 fields, found 3: [* * *]'],
  ['60 * * * *', 'end of range (60) above maximum (59): 60'],
  ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
]
test('schedules', () => {
  for (const [schedule, problem] of schedules) assert.equal(scheduleProblem(schedule), problem, schedule)
})

test('cron jobs', () => {
  const cronJob = (spec: object) => ({ metadata, spec: { schedule: '* * * * *', jobTemplate: { spec: { template } }, ...spec } })
  assert.deepEqual(problems(CronJob, cronJob({})), [])
  assert.deepEqual(problems(CronJob, cronJob({ timeZone: 'Mars/Base' })), ['spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base'])
  const { spec } = created(CronJob, cronJob({}))
  assert.deepEqual([spec.concurrencyPolicy, spec.suspend, spec.successfulJobsHistoryLimit, spec.failedJobsHistoryLimit], ['Allow', false, 3, 1])
  assert.deepEqual(row(CronJob, created(CronJob, cronJob({}))), {
    Name: 'pi',
    Schedule: '* * * * *',
    Timezone: '<none>',
    Suspend: 'False',
    Active: 0,
    'Last Schedule': '<none>',
    Age: '<unknown>',
    Containers: 'pi',
    Images: 'perl:5',
    Selector: '<none>',
  })
})
