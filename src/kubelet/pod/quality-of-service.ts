import { isZeroQuantity, quantity } from '../../machinery/quantity.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'

export type QualityOfService = 'Guaranteed' | 'Burstable' | 'BestEffort'

/** Guaranteed: every container has limits for processor and memory that its requests equal. */
export function qualityOfService(pod: V1Pod): QualityOfService {
  let anything = false
  let guaranteed = true
  for (const { resources } of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
    for (const name of ['cpu', 'memory']) {
      const limit = resources?.limits?.[name]
      const request = resources?.requests?.[name] ?? limit
      const isSet = (value: string | undefined) => value !== undefined && !isZeroQuantity(value)
      if (isSet(limit) || isSet(request)) anything = true
      if (!isSet(limit) || limit === undefined || request === undefined || quantity(limit).nanos !== quantity(request).nanos) guaranteed = false
    }
  }
  if (!anything) return 'BestEffort'
  return guaranteed ? 'Guaranteed' : 'Burstable'
}
