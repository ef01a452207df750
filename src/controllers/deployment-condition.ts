import { timestamp } from '../machinery/clock.ts'
import type { V1DeploymentCondition, V1DeploymentStatus } from '../machinery/schema/generated/types.ts'

export type ConditionType = 'Available' | 'Progressing' | 'ReplicaFailure'

/** Reasons of `Progressing`. */
export const reasons = {
  created: 'NewReplicaSetCreated',
  found: 'FoundNewReplicaSet',
  updated: 'ReplicaSetUpdated',
  available: 'NewReplicaSetAvailable',
  createError: 'ReplicaSetCreateError',
  timedOut: 'ProgressDeadlineExceeded',
  paused: 'DeploymentPaused',
  resumed: 'DeploymentResumed',
} as const

export function conditionOf(status: V1DeploymentStatus | undefined, type: ConditionType): V1DeploymentCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type)
}

export function condition(type: ConditionType, status: 'True' | 'False' | 'Unknown', reason: string, message: string, now: number): V1DeploymentCondition {
  const time = timestamp(now)
  return { type, status, lastUpdateTime: time, lastTransitionTime: time, reason, message }
}

/** With the condition, which changes nothing where status and reason are as before. */
export function withCondition(status: V1DeploymentStatus, next: V1DeploymentCondition): V1DeploymentStatus {
  const known = conditionOf(status, next.type as ConditionType)
  if (known && known.status === next.status && known.reason === next.reason) return status
  const lastTransitionTime = known?.status === next.status ? known.lastTransitionTime : next.lastTransitionTime
  return { ...status, conditions: [...withoutType(status, next.type), { ...next, lastTransitionTime }] }
}

export function withoutCondition(status: V1DeploymentStatus, type: ConditionType): V1DeploymentStatus {
  return { ...status, conditions: withoutType(status, type) }
}

const withoutType = (status: V1DeploymentStatus, type: string) => (status.conditions ?? []).filter((condition) => condition.type !== type)
