/** What a pod asks for and may use, over all its containers. */
import { addQuantities, compareQuantities, formatQuantity } from '../../machinery/quantity.ts'
import type { V1Container, V1PodSpec } from '../../machinery/schema/generated/types.ts'

export type Amounts = Record<string, string>

export interface Usage {
  requests: Amounts
  limits: Amounts
}

export const usageOf = (container: V1Container): Usage => ({ requests: container.resources?.requests ?? {}, limits: container.resources?.limits ?? {} })

function add(into: Amounts, amounts: Amounts): void {
  for (const [name, amount] of Object.entries(amounts)) into[name] = into[name] === undefined ? amount : formatQuantity(addQuantities(into[name], amount))
}

/** Containers run together, init containers one after another: the greater counts. */
export function podUsage(spec: V1PodSpec): Usage {
  const total: Usage = { requests: {}, limits: {} }
  const isSidecar = (container: V1Container) => container.restartPolicy === 'Always'
  for (const container of [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)]) {
    add(total.requests, usageOf(container).requests)
    add(total.limits, usageOf(container).limits)
  }
  for (const container of (spec.initContainers ?? []).filter((one) => !isSidecar(one)))
    for (const kind of ['requests', 'limits'] as const)
      for (const [name, amount] of Object.entries(usageOf(container)[kind])) {
        const before = total[kind][name]
        if (before === undefined || compareQuantities(amount, before) > 0) total[kind][name] = amount
      }
  if (spec.overhead) {
    add(total.requests, spec.overhead)
    for (const name of Object.keys(total.limits)) if (spec.overhead[name] !== undefined) add(total.limits, { [name]: spec.overhead[name] })
  }
  return total
}
