/**
 * A Deployment that is scaled while a rollout is under way scales each of its ReplicaSets by its share, so that
 * old and new stay mixed as they were.
 */
import type { V1Deployment, V1ReplicaSet } from '../machinery/schema/generated/types.ts'
import { countIn, maxReplicasAnnotation } from './deployment-annotations.ts'
import { specReplicas } from './deployment-status.ts'
import { maxSurge, wantedReplicas } from './rolling-update.ts'

/** The new size of each ReplicaSet, by name. `active`: those that want pods. */
export function proportionalSizes(deployment: V1Deployment, active: readonly V1ReplicaSet[]): Map<string, number> {
  const wanted = wantedReplicas(deployment)
  const allowed = wanted > 0 ? wanted + maxSurge(deployment) : 0
  const toAdd = allowed - specReplicas(active)
  const sizes = new Map<string, number>()
  const sorted = bySize(active, toAdd > 0)
  let added = 0
  for (const set of sorted) {
    const share = shareOf(set, deployment, toAdd, added)
    added += share
    sizes.set(set.metadata.name, (set.spec.replicas ?? 1) + share)
  }
  // What rounding left over goes to the largest.
  const [largest] = sorted
  if (largest && toAdd !== added) sizes.set(largest.metadata.name, Math.max(0, (sizes.get(largest.metadata.name) ?? 0) + toAdd - added))
  return sizes
}

/** Largest first; of equal size the newer first when growing, the older when shrinking. */
function bySize(sets: readonly V1ReplicaSet[], newerFirst: boolean): V1ReplicaSet[] {
  const age = (set: V1ReplicaSet) => Date.parse(set.metadata.creationTimestamp)
  return [...sets].sort((a, b) => (b.spec.replicas ?? 1) - (a.spec.replicas ?? 1) || (newerFirst ? age(b) - age(a) : age(a) - age(b)))
}

function shareOf(set: V1ReplicaSet, deployment: V1Deployment, toAdd: number, added: number): number {
  const left = toAdd - added
  if ((set.spec.replicas ?? 1) === 0 || toAdd === 0 || left === 0) return 0
  const share = wholeShare(set, deployment)
  return toAdd > 0 ? Math.min(share, left) : Math.max(share, left)
}

/** By how much the set grows if the whole grows from the size it was made for to the size that is wanted now. */
function wholeShare(set: V1ReplicaSet, deployment: V1Deployment): number {
  const replicas = set.spec.replicas ?? 1
  if (wantedReplicas(deployment) === 0) return -replicas
  const before = countIn(set, maxReplicasAnnotation) || (deployment.status?.replicas ?? 0)
  if (before === 0) return 0
  return Math.round((replicas * (wantedReplicas(deployment) + maxSurge(deployment))) / before) - replicas
}
