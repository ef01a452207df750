import { compareQuantities, isZeroQuantity } from '../../machinery/quantity.ts'
import type { V1PodSpec, V1ResourceRequirements } from '../../machinery/schema/generated/types.ts'
import { quantityOrNothing } from '../resource-list.ts'

const compute = ['cpu', 'memory'] as const

/**
 * `Guaranteed`: every container limits CPU and memory and requests as much; `BestEffort`: none asks for
 * anything; `Burstable`: all others. Resources of the pod as a whole, where given, decide alone.
 */
export function qualityOfService(spec: V1PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const whole = spec.resources
  const parts: (V1ResourceRequirements | undefined)[] =
    whole && (whole.limits || whole.requests) ? [whole] : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((one) => one.resources)
  let any = false
  let guaranteed = true
  for (const resources of parts) {
    for (const name of compute) {
      const limit = given(resources?.limits?.[name])
      const request = given(resources?.requests?.[name])
      if (limit || request) any = true
      if (!limit || (request && compareQuantities(request, limit) !== 0)) guaranteed = false
    }
  }
  if (!any) return 'BestEffort'
  return guaranteed ? 'Guaranteed' : 'Burstable'
}

const given = (amount: string | undefined): string | undefined => {
  const quantity = quantityOrNothing(amount)
  return quantity && !isZeroQuantity(quantity) ? amount : undefined
}
