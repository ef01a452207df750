/** What a Pod's status says of it, as controllers see it. */
import type { V1Pod, V1PodCondition } from '../machinery/schema/generated/types.ts'

/** It ran to its end, and will not run again. */
export const isFinished = (pod: V1Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

/** Neither finished nor about to go. */
export const isActive = (pod: V1Pod): boolean => !isFinished(pod) && pod.metadata.deletionTimestamp === undefined

export function readyCondition(pod: V1Pod): V1PodCondition | undefined {
  return pod.status?.conditions?.find(({ type }) => type === 'Ready')
}

export const isReady = (pod: V1Pod): boolean => readyCondition(pod)?.status === 'True'

/** Ready for at least `minReadySeconds`. */
export function isAvailable(pod: V1Pod, minReadySeconds: number, now: number): boolean {
  const ready = readyCondition(pod)
  if (ready?.status !== 'True') return false
  if (minReadySeconds === 0) return true
  return ready.lastTransitionTime !== undefined && Date.parse(ready.lastTransitionTime) + minReadySeconds * 1000 <= now
}

/** How often its containers were started again, in all. */
export const restarts = (pod: V1Pod): number => (pod.status?.containerStatuses ?? []).reduce((most, status) => Math.max(most, status.restartCount), 0)
