/** Which pods go first when there are too many: those that serve least, as upstream ranks them. */
import type { V1Pod } from '../machinery/schema/generated/types.ts'
import { isReady, readyCondition, restarts } from './pod-state.ts'

const phaseRank: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 }
const costAnnotation = 'controller.kubernetes.io/pod-deletion-cost'

/**
 * Sorts pods so that the first are to be deleted first. `crowd` says how many pods of the same application are
 * on the pod's node: of a crowd one is missed least.
 */
export function inDeletionOrder(pods: readonly V1Pod[], now: number, crowd: (pod: V1Pod) => number): V1Pod[] {
  const compare = (a: V1Pod, b: V1Pod): number =>
    Number(Boolean(a.spec.nodeName)) - Number(Boolean(b.spec.nodeName)) ||
    (phaseRank[a.status?.phase ?? 'Pending'] ?? 0) - (phaseRank[b.status?.phase ?? 'Pending'] ?? 0) ||
    Number(isReady(a)) - Number(isReady(b)) ||
    cost(a) - cost(b) ||
    crowd(b) - crowd(a) ||
    (isReady(a) && isReady(b) ? compareAge(readyCondition(a)?.lastTransitionTime, readyCondition(b)?.lastTransitionTime, now) : 0) ||
    restarts(b) - restarts(a) ||
    compareAge(a.metadata.creationTimestamp, b.metadata.creationTimestamp, now) ||
    (a.metadata.uid < b.metadata.uid ? -1 : 1)
  return [...pods].sort(compare)
}

function cost(pod: V1Pod): number {
  const text = pod.metadata.annotations?.[costAnnotation]
  return text && /^[+-]?\d+$/.test(text) ? Number(text) : 0
}

/** Younger first, by orders of magnitude only: among pods of about the same age chance (the uid) decides. */
function compareAge(a: string | undefined, b: string | undefined, now: number): number {
  const rank = (time: string | undefined) => (time === undefined ? -1 : Math.floor(Math.log2(Math.max(1, (now - Date.parse(time)) * 1e6))))
  return rank(a) - rank(b)
}
