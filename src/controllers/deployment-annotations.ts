/** What a Deployment writes on its ReplicaSets, so that each remembers its revision and the size it was made for. */
import type { V1Deployment, V1ReplicaSet } from '../machinery/schema/generated/types.ts'

export const revisionAnnotation = 'deployment.kubernetes.io/revision'
const revisionHistoryAnnotation = 'deployment.kubernetes.io/revision-history'
export const desiredReplicasAnnotation = 'deployment.kubernetes.io/desired-replicas'
export const maxReplicasAnnotation = 'deployment.kubernetes.io/max-replicas'

/** Annotations of the Deployment that are about itself alone. */
const own = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  'deprecated.deployment.rollback.to',
])

/** Older revisions are forgotten when the list grows longer than this. */
const maxHistoryLength = 2000

type Annotations = Record<string, string>

/** Revisions are 64-bit numbers, and sets that are adopted may bear any. */
export function revisionOf(set: V1ReplicaSet | undefined): bigint {
  const text = set?.metadata.annotations?.[revisionAnnotation]
  return text !== undefined && /^\d{1,18}$|^[1-8]\d{18}$/.test(text) ? BigInt(text) : 0n
}

export function maxRevision(sets: readonly V1ReplicaSet[]): bigint {
  let most = 0n
  for (const revision of sets.map(revisionOf)) if (revision > most) most = revision
  return most
}

/** The annotations of the new ReplicaSet, at this revision. A set that is rolled back to remembers those it had. */
export function newSetAnnotations(deployment: V1Deployment, set: V1ReplicaSet | undefined, revision: bigint): Annotations {
  const annotations: Annotations = { ...set?.metadata.annotations }
  for (const [name, value] of Object.entries(deployment.metadata.annotations ?? {})) if (!own.has(name)) annotations[name] = value
  const before = annotations[revisionAnnotation]
  if (revisionOf(set) >= revision) return annotations
  annotations[revisionAnnotation] = String(revision)
  if (before !== undefined) annotations[revisionHistoryAnnotation] = appended(annotations[revisionHistoryAnnotation], before)
  return annotations
}

function appended(history: string | undefined, revision: string): string {
  const revisions = history ? history.split(',') : []
  revisions.push(revision)
  while (revisions.length > 1 && revisions.join(',').length > maxHistoryLength) revisions.shift()
  return revisions.join(',')
}

export function sizeAnnotations(desired: number, max: number): Annotations {
  return { [desiredReplicasAnnotation]: String(desired), [maxReplicasAnnotation]: String(max) }
}

/** A count that an annotation holds. */
export function countIn(set: V1ReplicaSet, annotation: string): number | undefined {
  const text = set.metadata.annotations?.[annotation]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}
