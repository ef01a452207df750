/** The status of a Deployment, as its ReplicaSets make it. */
import type { V1Deployment, V1DeploymentStatus, V1ReplicaSet } from '../machinery/schema/generated/types.ts'
import { condition, conditionOf, reasons, withCondition, withoutCondition } from './deployment-condition.ts'
import { maxUnavailable, wantedReplicas } from './rolling-update.ts'

const sum = (sets: readonly V1ReplicaSet[], count: (set: V1ReplicaSet) => number | undefined): number =>
  sets.reduce((total, set) => total + (count(set) ?? 0), 0)

export const specReplicas = (sets: readonly V1ReplicaSet[]): number => sum(sets, (set) => set.spec.replicas ?? 1)
export const actualReplicas = (sets: readonly V1ReplicaSet[]): number => sum(sets, (set) => set.status?.replicas)
export const availableReplicas = (sets: readonly V1ReplicaSet[]): number => sum(sets, (set) => set.status?.availableReplicas)

export interface ReplicaSets {
  all: V1ReplicaSet[]
  newSet: V1ReplicaSet | undefined
}

/** Counts, and whether enough is available. */
export function countedStatus(deployment: V1Deployment, { all, newSet }: ReplicaSets, now: number): V1DeploymentStatus {
  const replicas = actualReplicas(all)
  const available = availableReplicas(all)
  const { conditions, collisionCount } = deployment.status ?? {}
  const status: V1DeploymentStatus = {
    ...nonZero({
      observedGeneration: deployment.metadata.generation,
      replicas,
      updatedReplicas: newSet?.status?.replicas,
      readyReplicas: sum(all, (set) => set.status?.readyReplicas),
      availableReplicas: available,
      unavailableReplicas: Math.max(0, specReplicas(all) - available),
    }),
    terminatingReplicas: sum(all, (set) => set.status?.terminatingReplicas),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions: conditions ?? [],
  }
  const enough = available >= wantedReplicas(deployment) - maxUnavailable(deployment)
  return withCondition(
    status,
    enough
      ? condition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', now)
      : condition('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.', now),
  )
}

function nonZero<T extends Record<string, number | undefined>>(counts: T): Partial<T> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count)) as Partial<T>
}

/** {@link countedStatus} and how the rollout gets on. */
export function rolloutStatus(deployment: V1Deployment, sets: ReplicaSets, now: number): V1DeploymentStatus {
  const status = withReplicaFailure(countedStatus(deployment, sets, now), sets, now)
  return withProgress(deployment, status, sets.newSet, now)
}

function withProgress(deployment: V1Deployment, status: V1DeploymentStatus, newSet: V1ReplicaSet | undefined, now: number): V1DeploymentStatus {
  if (deployment.spec.progressDeadlineSeconds === undefined || deployment.spec.progressDeadlineSeconds === 0x7fffffff)
    return withoutCondition(status, 'Progressing')
  const current = conditionOf(deployment.status, 'Progressing')
  const settled = (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === reasons.available
  if (settled) return status
  const about = newSet ? `ReplicaSet "${newSet.metadata.name}"` : `Deployment "${deployment.metadata.name}"`
  if (isComplete(deployment, status))
    return withCondition(status, condition('Progressing', 'True', reasons.available, `${about} has successfully progressed.`, now))
  if (hasProgressed(deployment.status ?? {}, status)) {
    const progressing = condition('Progressing', 'True', reasons.updated, `${about} is progressing.`, now)
    const lastTransitionTime = current?.status === 'True' ? current.lastTransitionTime : progressing.lastTransitionTime
    // Its time of update must move on: from it the deadline counts.
    return withCondition(withoutCondition(status, 'Progressing'), { ...progressing, lastTransitionTime })
  }
  if (hasTimedOut(deployment, status, now))
    return withCondition(status, condition('Progressing', 'False', reasons.timedOut, `${about} has timed out progressing.`, now))
  return status
}

/** A failure to create or delete pods, of the new set before that of others. */
function withReplicaFailure(status: V1DeploymentStatus, { all, newSet }: ReplicaSets, now: number): V1DeploymentStatus {
  const inOrder = newSet ? [newSet, ...all.filter((set) => set !== newSet)] : all
  const failure = inOrder.flatMap((set) => set.status?.conditions ?? []).find(({ type }) => type === 'ReplicaFailure')
  if (!failure) return withoutCondition(status, 'ReplicaFailure')
  return withCondition(status, condition('ReplicaFailure', failure.status as 'True', failure.reason ?? '', failure.message ?? '', now))
}

export function isComplete(deployment: V1Deployment, status: V1DeploymentStatus): boolean {
  const wanted = wantedReplicas(deployment)
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  )
}

function hasProgressed(before: V1DeploymentStatus, now: V1DeploymentStatus): boolean {
  const old = (status: V1DeploymentStatus) => (status.replicas ?? 0) - (status.updatedReplicas ?? 0)
  return (
    (now.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(now) < old(before) ||
    (now.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  )
}

function hasTimedOut(deployment: V1Deployment, status: V1DeploymentStatus, now: number): boolean {
  const current = conditionOf(status, 'Progressing')
  if (!current || current.reason === reasons.available) return false
  return current.reason === reasons.timedOut || deadlineIn(deployment, status, now) < 0
}

/** Milliseconds until the progress deadline. */
export function deadlineIn(deployment: V1Deployment, status: V1DeploymentStatus, now: number): number {
  const from = Date.parse(conditionOf(status, 'Progressing')?.lastUpdateTime ?? '')
  return from + (deployment.spec.progressDeadlineSeconds ?? 600) * 1000 - now
}
