import { timestamp } from '../machinery/clock.ts'
import type { V1Pod, V1ReplicaSet, V1ReplicaSetCondition, V1ReplicaSetStatus } from '../machinery/schema/generated/types.ts'
import { equalityMatches } from './label-match.ts'
import { isAvailable, isReady } from './pod-state.ts'

/** What the pods that were there make of the status. `error` is what kept more from being created or deleted. */
export function replicaSetStatus(set: V1ReplicaSet, active: V1Pod[], terminating: number, error: unknown, now: number): V1ReplicaSetStatus {
  const templateLabels = set.spec.template?.metadata?.labels ?? {}
  const count = (holds: (pod: V1Pod) => boolean) => active.filter(holds).length
  const conditions = replicaFailure(set, active.length, error, now)
  return withoutZeros({
    replicas: active.length,
    fullyLabeledReplicas: count((pod) => equalityMatches(templateLabels, pod.metadata.labels)),
    readyReplicas: count(isReady),
    availableReplicas: count((pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, now)),
    terminatingReplicas: terminating,
    observedGeneration: set.metadata.generation ?? 0,
    ...(conditions.length > 0 ? { conditions } : {}),
  })
}

/** Upstream leaves counts of nothing out, but for `replicas` and what is counted as a pointer. */
function withoutZeros(status: V1ReplicaSetStatus): V1ReplicaSetStatus {
  const { fullyLabeledReplicas, readyReplicas, availableReplicas, ...rest } = status
  return {
    ...rest,
    ...(fullyLabeledReplicas ? { fullyLabeledReplicas } : {}),
    ...(readyReplicas ? { readyReplicas } : {}),
    ...(availableReplicas ? { availableReplicas } : {}),
  }
}

function replicaFailure(set: V1ReplicaSet, have: number, error: unknown, now: number): V1ReplicaSetCondition[] {
  const others = (set.status?.conditions ?? []).filter(({ type }) => type !== 'ReplicaFailure')
  const known = set.status?.conditions?.find(({ type }) => type === 'ReplicaFailure')
  if (error === undefined) return others
  if (known) return [...others, known]
  const reason = have < (set.spec.replicas ?? 1) ? 'FailedCreate' : 'FailedDelete'
  const message = error instanceof Error ? error.message : String(error)
  return [...others, { type: 'ReplicaFailure', status: 'True', reason, message, lastTransitionTime: timestamp(now) }]
}
