import { isDeepStrictEqual } from 'node:util'
import type { V1PodStatus } from '../../machinery/schema/generated/types.ts'
import { passingConditions } from './conditions.ts'

/**
 * A strategic merge patch from one status to the next; undefined when nothing changed. Conditions merge by
 * type and addresses by ip; the other lists are replaced whole.
 */
export function statusPatch(from: V1PodStatus, to: V1PodStatus): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {}
  const before = from as Record<string, unknown>
  const after = to as Record<string, unknown>
  for (const field of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (isDeepStrictEqual(before[field], after[field])) continue
    if (field === 'conditions') {
      const changed = (to.conditions ?? []).filter((condition) => !(from.conditions ?? []).some((other) => isDeepStrictEqual(other, condition)))
      // A message or reason that is gone has to be said: merging keeps what is not named.
      const full = changed.map((condition) => {
        const old = from.conditions?.find((other) => other.type === condition.type)
        return { ...condition, ...(old?.reason && !condition.reason ? { reason: null } : {}), ...(old?.message && !condition.message ? { message: null } : {}) }
      })
      const gone = passingConditions.filter((type) => from.conditions?.some((one) => one.type === type) && !to.conditions?.some((one) => one.type === type))
      if (full.length + gone.length > 0) patch.conditions = [...full, ...gone.map((type) => ({ $patch: 'delete', type }))]
    } else if (field === 'podIPs' || field === 'hostIPs') {
      const old = from[field] ?? []
      const next = to[field] ?? []
      patch[field] = [...next, ...old.filter(({ ip }) => !next.some((other) => other.ip === ip)).map(({ ip }) => ({ $patch: 'delete', ip }))]
    } else if (after[field] !== undefined) patch[field] = after[field]
    else if (keptByOthers.has(field)) continue
    else patch[field] = null
  }
  return Object.keys(patch).length > 0 ? patch : undefined
}

/** Fields of the status that others write. */
const keptByOthers = new Set(['nominatedNodeName', 'resourceClaimStatuses', 'extendedResourceClaimStatus', 'nodeAllocatableResourceClaimStatuses', 'resize'])
