/** How far a rolling update may go beyond and below the wanted size. */
import { scaledValue } from '../machinery/int-or-string.ts'
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
  const surge = scaledValue(maxSurge, replicas, 'up')
  const unavailable = scaledValue(maxUnavailable, replicas, 'down')
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}
