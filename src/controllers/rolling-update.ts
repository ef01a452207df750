/** How far a rolling update may go beyond and below the wanted size. */
import type { V1Deployment } from '../machinery/schema/generated/types.ts'

export const isRollingUpdate = (deployment: V1Deployment): boolean => deployment.spec.strategy?.type !== 'Recreate'

export const wantedReplicas = (deployment: V1Deployment): number => deployment.spec.replicas ?? 1

export function maxSurge(deployment: V1Deployment): number {
  return isRollingUpdate(deployment) ? bounds(deployment).surge : 0
}

export function maxUnavailable(deployment: V1Deployment): number {
  const replicas = wantedReplicas(deployment)
  if (!isRollingUpdate(deployment) || replicas === 0) return 0
  return Math.min(bounds(deployment).unavailable, replicas)
}

/** Percentages are rounded for surge up, for unavailable down. Both nothing would never get on: one may be missing. */
function bounds(deployment: V1Deployment): { surge: number; unavailable: number } {
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec.strategy?.rollingUpdate ?? {}
  const replicas = wantedReplicas(deployment)
  const surge = resolveShare(maxSurge, replicas, Math.ceil)
  const unavailable = resolveShare(maxUnavailable, replicas, Math.floor)
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

/** A number, or a percentage of `total`. */
export function resolveShare(value: number | string, total: number, round: (value: number) => number): number {
  if (typeof value === 'number') return value
  return value.endsWith('%') ? round((Number(value.slice(0, -1)) * total) / 100) : Number(value) || 0
}
