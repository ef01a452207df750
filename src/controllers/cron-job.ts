/** Makes a Job whenever a CronJob's schedule is due, and keeps as many finished ones as it says. */
import { defineController, type ReconcileContext } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { CronJob, Job } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import { isApiError } from '../machinery/errors.ts'
import type { New } from '../machinery/object.ts'
import type { V1CronJob, V1CronJobStatus, V1Job, V1ObjectReference } from '../machinery/schema/generated/types.ts'
import { type CronSchedule, parseSchedule, zonedTimestamp } from './cron-schedule.ts'
import { deepEqual } from './deep-equal.ts'
import { JobMetrics } from './job-metrics.ts'
import { controllerReference } from './owner-reference.ts'
import { isNamespaceEnding } from './pod-control.ts'

const scheduledAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp'
/** After a schedule's time, so that clocks a little apart do not look too early. */
const wakeAfterMs = 100
const manyMissed = 100

export const cronJobController: AnyController = defineController<V1CronJob>({
  name: 'cronjob-controller',
  reconciles: CronJob,
  owns: [Job],
  async reconcile(cronJob, context) {
    if (!cronJob) return
    const jobs = context.owned(Job)
    const status = await observed(cronJob, jobs, context)
    const outcome = cronJob.metadata.deletionTimestamp || cronJob.spec.suspend ? undefined : await whenDue(cronJob, status, context)
    const next = outcome?.status ?? status
    if (!deepEqual(next, cronJob.status ?? {})) await context.client.updateStatus(CronJob, { ...cronJob, status: next })
    await removeOld(cronJob, jobs, context)
    return outcome?.again === undefined ? undefined : { again: outcome.again }
  },
})

const finishedAs = ({ status }: V1Job): string | undefined =>
  status?.conditions?.find(({ type, status: holds }) => (type === 'Complete' || type === 'Failed') && holds === 'True')?.type

/** The status as the Jobs that are there make it: which are active, and when one last succeeded. */
async function observed(cronJob: V1CronJob, jobs: V1Job[], { client, event }: ReconcileContext): Promise<V1CronJobStatus> {
  const status = cronJob.status ?? {}
  let active = status.active ?? []
  let { lastSuccessfulTime } = status
  for (const job of jobs) {
    const condition = finishedAs(job)
    const isListed = active.some(({ uid }) => uid === job.metadata.uid)
    if (!isListed && !condition) event(cronJob, 'Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${job.metadata.name}`)
    if (isListed && condition) {
      active = active.filter(({ uid }) => uid !== job.metadata.uid)
      event(cronJob, 'Normal', 'SawCompletedJob', `Saw completed job: ${job.metadata.name}, condition: ${condition}`)
    }
    const completed = condition === 'Complete' ? job.status?.completionTime : undefined
    if (completed && (!lastSuccessfulTime || Date.parse(completed) > Date.parse(lastSuccessfulTime))) lastSuccessfulTime = completed
  }
  const present = new Set(jobs.map(({ metadata }) => metadata.uid))
  for (const { uid, name = '' } of active.filter((one) => !present.has(one.uid ?? ''))) {
    // The cache may not know it yet.
    const found = await client.find(Job, { name, namespace: cronJob.metadata.namespace })
    if (found?.metadata.uid === uid) continue
    active = active.filter((one) => one.uid !== uid)
    event(cronJob, 'Normal', 'MissingJob', `Active job went missing: ${name}`)
  }
  return described(status, active, lastSuccessfulTime)
}

function described({ lastScheduleTime }: V1CronJobStatus, active: V1ObjectReference[], lastSuccessfulTime: string | undefined): V1CronJobStatus {
  return {
    ...(active.length > 0 ? { active } : {}),
    ...(lastScheduleTime ? { lastScheduleTime } : {}),
    ...(lastSuccessfulTime ? { lastSuccessfulTime } : {}),
  }
}

interface Outcome {
  status?: V1CronJobStatus
  again?: number
}

async function whenDue(cronJob: V1CronJob, status: V1CronJobStatus, context: ReconcileContext): Promise<Outcome> {
  const { clock, event } = context
  const { spec, metadata } = cronJob
  const schedule = scheduleOf(cronJob, context)
  if (!schedule) return {}
  const now = clock.now()
  const next = schedule.next(now)
  const again = next === undefined ? {} : { again: next - now + wakeAfterMs }
  const due = lastDue(cronJob, schedule, now, context)
  if (due === undefined) return again
  if (spec.startingDeadlineSeconds !== undefined && due + spec.startingDeadlineSeconds * 1000 < now) {
    event(cronJob, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${new Date(due).toUTCString().replace('GMT', '+0000')}`)
    return again
  }
  const name = `${metadata.name}-${Math.floor(due / 60_000)}`
  let active = status.active ?? []
  if (active.some((one) => one.name === name) || (status.lastScheduleTime && Date.parse(status.lastScheduleTime) === due)) return again
  if (spec.concurrencyPolicy === 'Forbid' && active.length > 0) {
    event(cronJob, 'Normal', 'JobAlreadyActive', 'Not starting job because prior execution is running and concurrency policy is Forbid')
    return again
  }
  if (spec.concurrencyPolicy === 'Replace') {
    for (const job of active) await remove(cronJob, job, context)
    active = []
  }
  const job = await create(cronJob, name, due, context)
  if (!job) return { ...again, status: described(status, active, status.lastSuccessfulTime) }
  const reference = {
    kind: 'Job',
    namespace: job.metadata.namespace,
    name,
    uid: job.metadata.uid,
    apiVersion: 'batch/v1',
    resourceVersion: job.metadata.resourceVersion,
  }
  return { ...again, status: described({ lastScheduleTime: timestamp(due) }, [...active, reference], status.lastSuccessfulTime) }
}

function scheduleOf(cronJob: V1CronJob, { event }: ReconcileContext): CronSchedule | undefined {
  const { schedule, timeZone } = cronJob.spec
  try {
    return parseSchedule(schedule, timeZone)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    if (error instanceof RangeError) event(cronJob, 'Warning', 'UnknownTimeZone', `invalid timeZone: ${JSON.stringify(timeZone)}: ${error.message}`)
    else event(cronJob, 'Warning', 'UnparseableSchedule', `unparseable schedule: ${JSON.stringify(schedule)} : ${error.message}`)
    return undefined
  }
}

/** The last time that was due since the last Job, and not so long ago that it must not be made up for. */
function lastDue(cronJob: V1CronJob, schedule: CronSchedule, now: number, { event }: ReconcileContext): number | undefined {
  const { status, metadata, spec } = cronJob
  let from = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp ?? '')
  if (spec.startingDeadlineSeconds !== undefined) from = Math.max(from, now - spec.startingDeadlineSeconds * 1000)
  let last: number | undefined
  let missed = 0
  for (let time = schedule.next(from); time !== undefined && time <= now; time = schedule.next(time)) {
    last = time
    missed++
    // Minutes of years are not counted one by one: the last ones come quickly enough from nearer by.
    if (missed === manyMissed + 1) time = Math.max(time, nearby(schedule, now))
  }
  if (missed > manyMissed)
    event(cronJob, 'Warning', 'TooManyMissedTimes', 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew')
  return last
}

/** A time before the last ones that were due, as far back as two rounds of the schedule. */
function nearby(schedule: CronSchedule, now: number): number {
  const next = schedule.next(now) ?? now
  const round = (schedule.next(next) ?? next) - now
  return now - 2 * Math.max(round, 60_000) - 1
}

async function create(cronJob: V1CronJob, name: string, due: number, { client, clock, event, metrics }: ReconcileContext): Promise<V1Job | undefined> {
  const { jobTemplate, timeZone } = cronJob.spec
  const { labels, annotations } = jobTemplate.metadata ?? {}
  const { namespace, uid } = cronJob.metadata
  const job = {
    metadata: {
      name,
      namespace,
      ...(labels ? { labels } : {}),
      annotations: { ...annotations, [scheduledAnnotation]: zonedTimestamp(due, timeZone) },
      ownerReferences: [controllerReference(CronJob, cronJob)],
    },
    spec: jobTemplate.spec,
  } as New<V1Job>
  try {
    const created = await client.create(Job, job)
    event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${name}`)
    new JobMetrics(metrics).scheduled(clock.now() - due)
    return created
  } catch (error) {
    if (isNamespaceEnding(error)) return undefined
    if (isApiError(error, 'AlreadyExists')) {
      // Ours, made before a crash that lost the status.
      const existing = await client.find(Job, { name, namespace })
      if (existing?.metadata.ownerReferences?.some((owner) => owner.controller && owner.uid === uid)) return existing
    }
    event(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${error instanceof Error ? error.message : String(error)}`)
    throw error
  }
}

async function remove(cronJob: V1CronJob, { name = '', uid }: { name?: string; uid?: string }, { client, event }: ReconcileContext): Promise<void> {
  try {
    await client.delete(Job, { name, namespace: cronJob.metadata.namespace }, { propagationPolicy: 'Background', preconditions: uid ? { uid } : {} })
    event(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`)
  } catch (error) {
    if (isApiError(error, 'NotFound')) return
    event(cronJob, 'Warning', 'FailedDelete', `Deleted job: ${error instanceof Error ? error.message : String(error)}`)
    throw error
  }
}

async function removeOld(cronJob: V1CronJob, jobs: V1Job[], context: ReconcileContext): Promise<void> {
  if (cronJob.metadata.deletionTimestamp) return
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec
  const begun = ({ status, metadata }: V1Job) => Date.parse(status?.startTime ?? metadata.creationTimestamp ?? '')
  for (const [condition, limit] of [
    ['Complete', successfulJobsHistoryLimit],
    ['Failed', failedJobsHistoryLimit],
  ] as const) {
    if (limit === undefined) continue
    const finished = jobs.filter((job) => finishedAs(job) === condition).sort((a, b) => begun(a) - begun(b) || (a.metadata.name < b.metadata.name ? -1 : 1))
    for (const { metadata } of finished.slice(0, Math.max(0, finished.length - limit)))
      if (!metadata.deletionTimestamp) await remove(cronJob, metadata, context)
  }
}
