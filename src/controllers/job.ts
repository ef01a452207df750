/** Runs the pods of a Job until enough have succeeded, or too many failed. */

import { defineController, type ReconcileContext } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import type { Informer } from '../client/informer.ts'
import { Job, Pod } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import type { New } from '../machinery/object.ts'
import type { V1Container, V1Job, V1JobCondition, V1JobStatus, V1Pod } from '../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../machinery/selectors.ts'
import { claim } from './claim.ts'
import { deepEqual } from './deep-equal.ts'
import { failureAnnotations } from './job-failure-policy.ts'
import { JobMetrics } from './job-metrics.ts'
import { indexAnnotation, indexOf, isEnding, isTracked, letGo, type Tally, tallied, tally, trackingFinalizer, untrack } from './job-tracking.ts'
import { completionsReached, judge, type Verdict } from './job-verdict.ts'
import { controllerOf } from './owner-reference.ts'
import { createPod, deletePod, type PodOwner, podFrom } from './pod-control.ts'
import { inDeletionOrder } from './pod-deletion-order.ts'
import { isActive, isReady } from './pod-state.ts'
import { slowStart } from './slow-start.ts'

/** A failed pod is replaced after this, doubled for each failure. */
const backoffMs = 10_000
const maxBackoffMs = 600_000
const burst = 500

export const jobController: AnyController = defineController<V1Job>({
  name: 'job-controller',
  reconciles: Job,
  owns: [Pod],
  watches: [{ resource: Pod, keys: (pod: V1Pod, _previous, read) => (controllerOf(pod) ? [] : jobsOfOrphan(pod, read.informer(Job))) }],
  async reconcile(job, context) {
    const { client, clock, informer, key } = context
    if (job?.spec.managedBy) return
    const [namespace = ''] = key.split('/')
    const abandoned = informer(Pod)
      .inNamespace(namespace)
      .filter((pod) => isTracked(pod) && isAbandoned(pod, key, job))
    await Promise.all(abandoned.map((pod) => untrack(client, pod)))
    if (!job) return
    const matches = (pod: V1Pod) => matchesLabelSelector(job.spec.selector, pod.metadata.labels)
    const pods = await claim(candidates(job, context), {
      client,
      resource: Pod,
      ownerResource: Job,
      owner: job,
      matches,
      finalizer: trackingFinalizer,
    })
    if (job.metadata.deletionTimestamp) {
      const going = pods.filter((pod) => pod.metadata.deletionTimestamp && isTracked(pod))
      await Promise.all(going.map((pod) => untrack(client, pod)))
      return
    }
    const metrics = new JobMetrics(context.metrics)
    const start = clock.monotonic()
    const look: Look = { action: 'reconciling' }
    let failed = true
    try {
      const again = await bringOn(job, pods, look, context)
      failed = false
      return again
    } finally {
      metrics.synced(job, look.action, failed, clock.monotonic() - start)
    }
  },
})

/** What a look at a Job came to, for those who count. */
interface Look {
  action: Parameters<JobMetrics['synced']>[1]
}

async function bringOn(job: V1Job, pods: V1Pod[], look: Look, context: ReconcileContext): Promise<{ again: number } | undefined> {
  const { client, clock } = context
  const counts = tally(job, pods)
  const active = pods.filter((pod) => isActive(pod))
  const now = clock.now()
  const verdict = isOver(job) ? undefined : judge(job, counts, now)
  const status = statusOf(job, pods, counts, verdict, now)
  if (!deepEqual(status, job.status)) {
    await client.updateStatus(Job, { ...job, status })
    new JobMetrics(context.metrics).stored(job, status)
  }
  announce(job, status, verdict, context)
  await letGo(client, pods, counts)
  if (isOver(job) || verdict || job.spec.suspend) {
    if (active.length > 0) look.action = 'pods_deleted'
    // Those of a job that is over are counted; one that rests has lost nothing.
    const remove = isOver(job) || verdict ? deletePod : dismiss
    await Promise.all(active.map((pod) => remove(pod, { resource: Job, object: job }, context)))
    return undefined
  }
  return manage(job, pods, active, counts, look, context)
}

/** Deletes a pod that has done nothing wrong: it is not waited for, and does not count as failed. */
async function dismiss(pod: V1Pod, owner: PodOwner, context: ReconcileContext): Promise<void> {
  if (isTracked(pod)) await untrack(context.client, pod)
  await deletePod(pod, owner, context)
}

/** Jobs that may want a pod that nobody controls, and the one that it was made for, there or not. */
function jobsOfOrphan({ metadata }: V1Pod, jobs: Informer<V1Job>): string[] {
  const { namespace, labels } = metadata
  const wanting = jobs.inNamespace(namespace).filter(({ spec }) => spec.selector && matchesLabelSelector(spec.selector, labels))
  const names = new Set(wanting.map((job) => job.metadata.name))
  const maker = labels?.['batch.kubernetes.io/job-name']
  if (maker) names.add(maker)
  return [...names].map((name) => `${namespace}/${name}`)
}

/** Made for the Job of that key, but it will not count it: it is another by now, gone, or no longer the pod's. */
function isAbandoned(pod: V1Pod, key: string, job: V1Job | undefined): boolean {
  const { namespace, labels, ownerReferences = [] } = pod.metadata
  const isOf = (name: string | undefined) => `${namespace}/${name}` === key
  const controller = controllerOf(pod)
  if (controller) return controller.kind === 'Job' && isOf(controller.name) && controller.uid !== job?.metadata.uid
  // An orphan that the Job's selector matches is adopted.
  if (job && !pod.metadata.deletionTimestamp && matchesLabelSelector(job.spec.selector, labels)) return false
  return isOf(labels?.['batch.kubernetes.io/job-name']) || ownerReferences.some(({ kind, name }) => kind === 'Job' && isOf(name))
}

/** Pods that are the Job's, and those that nobody controls. */
function candidates(job: V1Job, { informer }: ReconcileContext): V1Pod[] {
  const pods = informer(Pod)
  const mine = pods.ownedBy(job.metadata.uid)
  const orphans = pods
    .inNamespace(job.metadata.namespace)
    .filter((pod) => !controllerOf(pod) && !mine.includes(pod) && matchesLabelSelector(job.spec.selector, pod.metadata.labels))
  return [...mine, ...orphans]
}

const conditionOf = ({ status }: V1Job, type: string): V1JobCondition | undefined =>
  status?.conditions?.find((condition) => condition.type === type && condition.status === 'True')

const isOver = (job: V1Job): boolean => ['Complete', 'Failed', 'SuccessCriteriaMet', 'FailureTarget'].some((type) => conditionOf(job, type))

function statusOf(job: V1Job, pods: V1Pod[], counts: Tally, judged: Verdict | undefined, now: number): V1JobStatus {
  const active = pods.filter(isActive)
  const terminating = pods.filter(isEnding).length
  // Without a number of completions it is complete when one has succeeded and none is left.
  const emptied = job.spec.completions === undefined && counts.succeeded > 0 && active.length === 0 && !isOver(job)
  const verdict = judged ?? (emptied ? completionsReached : undefined)
  const { startTime, conditions = [], completionTime } = job.status ?? {}
  const ready = active.filter(isReady).length
  const status: V1JobStatus = {
    ...(startTime && !job.spec.suspend ? { startTime } : job.spec.suspend ? {} : { startTime: timestamp(now) }),
    ...(active.length > 0 ? { active: active.length } : {}),
    terminating,
    ready,
    ...tallied(job, counts),
    ...(completionTime ? { completionTime } : {}),
  }
  return withConditions(
    status,
    conditions,
    job,
    verdict,
    active.length + terminating === 0 && counts.uncounted.succeeded.length + counts.uncounted.failed.length === 0,
    now,
  )
}

/** The criterion first; that it is over when the last pod has ended and is counted. */
function withConditions(status: V1JobStatus, known: V1JobCondition[], job: V1Job, verdict: Verdict | undefined, ended: boolean, now: number): V1JobStatus {
  const conditions = [...known]
  const time = timestamp(now)
  const add = (type: string, { reason, message }: { reason?: string; message?: string }, holds = 'True') => {
    const index = conditions.findIndex((condition) => condition.type === type)
    if (conditions[index]?.status === holds) return
    const next = { type, status: holds, reason, message, lastProbeTime: time, lastTransitionTime: time }
    if (index >= 0) conditions[index] = next
    else conditions.push(next)
  }
  if (verdict) add(verdict.type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget', verdict)
  const met = conditions.find(({ type }) => type === 'SuccessCriteriaMet' || type === 'FailureTarget')
  if (met && ended) add(met.type === 'SuccessCriteriaMet' ? 'Complete' : 'Failed', met)
  if (job.spec.suspend) add('Suspended', { reason: 'JobSuspended', message: 'Job suspended' })
  else if (conditions.some(({ type }) => type === 'Suspended')) add('Suspended', { reason: 'JobResumed', message: 'Job resumed' }, 'False')
  const completed = conditions.some(({ type }) => type === 'Complete') && !status.completionTime
  return { ...status, ...(completed ? { completionTime: time } : {}), ...(conditions.length > 0 ? { conditions } : {}) }
}

function announce(job: V1Job, status: V1JobStatus, verdict: Verdict | undefined, { event }: ReconcileContext): void {
  if (verdict?.type === 'Failed') event(job, 'Warning', verdict.reason, verdict.message)
  const isNew = (type: string) => !conditionOf(job, type) && status.conditions?.some((condition) => condition.type === type && condition.status === 'True')
  if (isNew('Complete')) event(job, 'Normal', 'Completed', 'Job completed')
  if (isNew('Suspended')) event(job, 'Normal', 'Suspended', 'Job suspended')
  if (conditionOf(job, 'Suspended') && !job.spec.suspend) event(job, 'Normal', 'Resumed', 'Job resumed')
}

async function manage(
  job: V1Job,
  pods: V1Pod[],
  active: V1Pod[],
  counts: Tally,
  look: Look,
  context: ReconcileContext,
): Promise<{ again: number } | undefined> {
  const { parallelism = 1, completions, podReplacementPolicy } = job.spec
  const owner = { resource: Job, object: job }
  const ending = podReplacementPolicy === 'Failed' ? pods.filter(isEnding) : []
  const wanted =
    completions === undefined
      ? counts.succeeded > 0
        ? Math.min(active.length, parallelism)
        : parallelism
      : Math.min(parallelism, completions - counts.succeeded - counts.failedIndexes.size)
  if (active.length > wanted) {
    look.action = 'pods_deleted'
    const surplus = inDeletionOrder(active, context.clock.now(), () => 0).slice(0, active.length - wanted)
    await Promise.all(surplus.map((pod) => dismiss(pod, owner, context)))
    return untilDeadline(job, context)
  }
  const missing = Math.min(wanted - active.length - ending.length, burst)
  if (missing <= 0) return untilDeadline(job, context)
  const { indexes, count, wait } = toStart(job, pods, [...active, ...ending], counts, missing, context.clock.now())
  if (count > 0) look.action = 'pods_created'
  const { error } = await slowStart(count, (nth) => createPod(podOf(job, indexes?.[nth], pods), owner, context))
  if (error) throw error
  const next = untilDeadline(job, context)
  return wait === undefined ? next : { again: Math.min(wait, next?.again ?? wait) }
}

/**
 * How many pods may be started now, of which indexes, and when others may: after a failure it takes a while, longer with
 * each. `holding` are the pods whose indexes are not free.
 */
function toStart(job: V1Job, pods: V1Pod[], holding: V1Pod[], counts: Tally, missing: number, now: number) {
  if (job.spec.backoffLimitPerIndex === undefined) {
    const wait = backoff(failedInARow(pods), now)
    if (wait > 0) return { count: 0, wait }
    const indexes = freeIndexes(job, holding, counts)?.slice(0, missing)
    return { indexes, count: indexes?.length ?? missing }
  }
  const byIndex = Map.groupBy(pods.filter(hasFailed), indexOf)
  const waits: number[] = []
  const indexes: number[] = []
  for (const index of freeIndexes(job, holding, counts) ?? []) {
    const failures = byIndex.get(index) ?? []
    const wait = backoff(failures, now)
    if (wait > 0) waits.push(wait)
    else if (indexes.length < missing) indexes.push(index)
  }
  return { indexes, count: indexes.length, ...(waits.length > 0 ? { wait: Math.min(...waits) } : {}) }
}

function untilDeadline({ spec, status }: V1Job, { clock }: ReconcileContext): { again: number } | undefined {
  if (spec.activeDeadlineSeconds === undefined) return undefined
  const start = status?.startTime ? Date.parse(status.startTime) : clock.now()
  return { again: Math.max(1000, start + spec.activeDeadlineSeconds * 1000 - clock.now()) }
}

const hasFailed = ({ status }: V1Pod) => status?.phase === 'Failed'

/** Since the last that succeeded. A failure that a rule ignores is no strike against the job, but it fails as fast as any. */
function failedInARow(pods: V1Pod[]): V1Pod[] {
  const lastSuccess = Math.max(...pods.filter(({ status }) => status?.phase === 'Succeeded').map(endOf))
  return pods.filter((pod) => hasFailed(pod) && endOf(pod) > lastSuccess)
}

/** From the end of the last that failed, longer with each. */
function backoff(failures: V1Pod[], now: number): number {
  if (failures.length === 0) return 0
  return Math.max(...failures.map(endOf)) + Math.min(backoffMs * 2 ** (failures.length - 1), maxBackoffMs) - now
}

function endOf({ metadata, status }: V1Pod): number {
  const ends = (status?.containerStatuses ?? []).map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ''))
  const changed = (status?.conditions ?? []).map(({ lastTransitionTime }) => Date.parse(lastTransitionTime ?? ''))
  const known = [...ends, ...changed].filter((time) => !Number.isNaN(time))
  return known.length > 0 ? Math.max(...known) : Date.parse(metadata.creationTimestamp)
}

/** Undefined where pods have no indexes. */
function freeIndexes({ spec }: V1Job, holding: V1Pod[], { completedIndexes, failedIndexes }: Tally): number[] | undefined {
  if (spec.completionMode !== 'Indexed') return undefined
  const taken = new Set([...completedIndexes, ...failedIndexes, ...holding.map(indexOf)])
  return Array.from({ length: spec.completions ?? 0 }, (_, index) => index).filter((index) => !taken.has(index))
}

function podOf(job: V1Job, index: number | undefined, pods: readonly V1Pod[]): New<V1Pod> {
  const pod = podFrom(job.spec.template, { resource: Job, object: job })
  const { name, uid } = job.metadata
  const labels = {
    ...pod.metadata.labels,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  }
  const finalizers = [...(pod.metadata.finalizers ?? []), trackingFinalizer]
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, labels, finalizers } }
  const { initContainers } = pod.spec
  const containers = pod.spec.containers.map(withIndex)
  const metadata = {
    ...pod.metadata,
    generateName: `${name}-${index}-`,
    labels: { ...labels, [indexAnnotation]: String(index) },
    annotations: {
      ...pod.metadata.annotations,
      [indexAnnotation]: String(index),
      ...failureAnnotations(
        job,
        pods.filter((other) => indexOf(other) === index && other.status?.phase === 'Failed'),
      ),
    },
    finalizers,
  }
  return {
    ...pod,
    metadata,
    spec: { ...pod.spec, hostname: `${name}-${index}`, containers, ...(initContainers && { initContainers: initContainers.map(withIndex) }) },
  }
}

const indexVariable = { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexAnnotation}']` } } }

/** The template may say otherwise. */
function withIndex(container: V1Container): V1Container {
  const env = container.env ?? []
  return env.some(({ name }) => name === indexVariable.name) ? container : { ...container, env: [...env, indexVariable] }
}
