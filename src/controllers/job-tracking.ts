/**
 * Counts the finished pods of a Job, each once. A pod is held by a finalizer until it is counted; its uid stands on the
 * status from before the finalizer is taken off until after, so that a crash in between neither loses nor doubles it.
 */
import type { Client } from '../client/client.ts'
import { Pod } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { V1Job, V1Pod } from '../machinery/schema/generated/types.ts'
import { failsIndex, failureVerdict } from './job-failure-policy.ts'
import { formatIndexes, parseIndexes } from './job-indexes.ts'
import { isFinished } from './pod-state.ts'

export const trackingFinalizer = 'batch.kubernetes.io/job-tracking'
export const indexAnnotation = 'batch.kubernetes.io/job-completion-index'

export interface Tally {
  succeeded: number
  failed: number
  /** Of containers, in pods that have not ended. */
  restarts: number
  completedIndexes: Set<number>
  /** Those that will not be tried again. */
  failedIndexes: Set<number>
  /** Why the whole job has failed with one of its pods. */
  failJob: string | undefined
  /** Failed pods that do not count. */
  ignored: string[]
  /** Counted above, but not yet in the status's own numbers. */
  uncounted: { succeeded: string[]; failed: string[] }
}

export const isTracked = (pod: V1Pod): boolean => (pod.metadata.finalizers ?? []).includes(trackingFinalizer)

/**
 * It ended, or nobody waits for its end: one that is deleted has failed, for its node may be gone and never say so;
 * where only failed pods are replaced, this holds before it began alone (KEP-3939).
 */
function hasEnded({ spec }: V1Job, pod: V1Pod): boolean {
  if (isFinished(pod)) return true
  return isEnding(pod) && (spec.podReplacementPolicy !== 'Failed' || pod.status?.phase === 'Pending')
}

/** Deleted, and not yet at its end. */
export const isEnding = (pod: V1Pod): boolean => pod.metadata.deletionTimestamp !== undefined && !isFinished(pod)

export const indexOf = (pod: V1Pod): number => Number(pod.metadata.annotations?.[indexAnnotation] ?? -1)

export function tally(job: V1Job, pods: readonly V1Pod[]): Tally {
  const { succeeded = 0, failed = 0, uncountedTerminatedPods: listed = {}, completedIndexes, failedIndexes } = job.status ?? {}
  const held = new Set(pods.filter(isTracked).map(({ metadata }) => metadata.uid))
  const stillHeld = (uids: string[] | undefined) => (uids ?? []).filter((uid) => held.has(uid))
  const uncounted = { succeeded: stillHeld(listed.succeeded), failed: stillHeld(listed.failed) }
  const done = { succeeded: (listed.succeeded ?? []).length - uncounted.succeeded.length, failed: (listed.failed ?? []).length - uncounted.failed.length }
  const indexes = parseIndexes(completedIndexes)
  const lost = parseIndexes(failedIndexes)
  const ignored: string[] = []
  let failJob: string | undefined
  for (const pod of pods) {
    const { uid } = pod.metadata
    if (!isTracked(pod) || !hasEnded(job, pod)) continue
    const list = pod.status?.phase === 'Succeeded' ? uncounted.succeeded : uncounted.failed
    if (list === uncounted.failed && !list.includes(uid)) {
      const verdict = failureVerdict(job, pod)
      if (verdict.action === 'FailJob') failJob ??= verdict.message
      if (failsIndex(job, pod, verdict)) lost.add(indexOf(pod))
      if (verdict.action === 'Ignore') {
        ignored.push(uid)
        continue
      }
    }
    if (!list.includes(uid)) list.push(uid)
    if (list === uncounted.succeeded && indexOf(pod) >= 0) indexes.add(indexOf(pod))
  }
  const isIndexed = job.spec.completionMode === 'Indexed'
  return {
    succeeded: isIndexed ? indexes.size : succeeded + done.succeeded + uncounted.succeeded.length,
    failed: failed + done.failed + uncounted.failed.length,
    restarts: restartsOf(job, pods),
    completedIndexes: indexes,
    failedIndexes: lost,
    failJob,
    ignored,
    uncounted,
  }
}

/** Where the kubelet starts containers again in the same pod, those are the tries. */
function restartsOf({ spec }: V1Job, pods: readonly V1Pod[]): number {
  if (spec.template.spec?.restartPolicy !== 'OnFailure') return 0
  const going = pods.filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending')
  const containers = going.flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
  return containers.reduce((sum, { restartCount }) => sum + restartCount, 0)
}

/** The status's fields of the tally. */
export function tallied({ spec }: V1Job, { succeeded, failed, completedIndexes, failedIndexes, uncounted }: Tally) {
  const isIndexed = spec.completionMode === 'Indexed'
  const counted = { succeeded: isIndexed ? succeeded : succeeded - uncounted.succeeded.length, failed: failed - uncounted.failed.length }
  return {
    ...(counted.succeeded ? { succeeded: counted.succeeded } : {}),
    ...(counted.failed ? { failed: counted.failed } : {}),
    ...(isIndexed && completedIndexes.size > 0 ? { completedIndexes: formatIndexes(completedIndexes) } : {}),
    ...(spec.backoffLimitPerIndex === undefined ? {} : { failedIndexes: formatIndexes(failedIndexes) }),
    uncountedTerminatedPods: {
      ...(uncounted.succeeded.length > 0 ? { succeeded: uncounted.succeeded } : {}),
      ...(uncounted.failed.length > 0 ? { failed: uncounted.failed } : {}),
    },
  }
}

/** Lets the pods go that the stored status lists. */
export async function letGo(client: Client, pods: readonly V1Pod[], { uncounted, ignored }: Tally): Promise<void> {
  const uids = new Set([...uncounted.succeeded, ...uncounted.failed, ...ignored])
  await Promise.all(pods.filter((pod) => isTracked(pod) && uids.has(pod.metadata.uid)).map((pod) => untrack(client, pod)))
}

export async function untrack(client: Client, { metadata }: V1Pod): Promise<void> {
  const finalizers = (metadata.finalizers ?? []).filter((name) => name !== trackingFinalizer)
  const { uid, resourceVersion } = metadata
  try {
    await client.patch(Pod, metadata, 'merge', { metadata: { uid, resourceVersion, finalizers } })
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error
  }
}
