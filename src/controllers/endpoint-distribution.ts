/**
 * Spreads endpoints over slices: those that are in one stay there, so that a change of one pod changes one slice, and
 * watchers of thousands of pods are sent a hundred at most.
 */
import type { V1Endpoint, V1EndpointSlice } from '../machinery/schema/generated/types.ts'

export const maxEndpointsPerSlice = 100

export interface SliceContent {
  /** Undefined: a new one. */
  slice: V1EndpointSlice | undefined
  endpoints: V1Endpoint[]
}

/** An endpoint is the same as long as it is the same pod at the same address. */
export const addressKey = ({ addresses, targetRef }: V1Endpoint): string => `${targetRef?.uid ?? ''} ${addresses.join(' ')}`

/** Slices that hold nothing any more are left out. */
export function distribute(slices: readonly V1EndpointSlice[], wanted: readonly V1Endpoint[], max = maxEndpointsPerSlice): SliceContent[] {
  const left = new Map(wanted.map((endpoint) => [addressKey(endpoint), endpoint]))
  const contents: SliceContent[] = slices.map((slice) => {
    const kept = (slice.endpoints ?? []).flatMap((endpoint) => {
      const key = addressKey(endpoint)
      const next = left.get(key)
      left.delete(key)
      return next ? [next] : []
    })
    return { slice, endpoints: kept }
  })
  // Those with most room last: full slices are to stay untouched, and few are to be many.
  const fullestFirst = contents.filter(({ endpoints }) => endpoints.length < max).sort((a, b) => b.endpoints.length - a.endpoints.length)
  const rest = [...left.values()]
  for (const { endpoints } of fullestFirst) endpoints.push(...rest.splice(0, max - endpoints.length))
  while (rest.length > 0) contents.push({ slice: undefined, endpoints: rest.splice(0, max) })
  return contents.filter(({ endpoints }) => endpoints.length > 0)
}
