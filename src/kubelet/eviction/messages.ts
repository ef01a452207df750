/** What is told of an eviction, in upstream's words. */
import { compareQuantities, formatQuantity, fromWhole } from '../../machinery/quantity.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import type { PodUsage } from './pod-usage.ts'
import { amountIn, type Observations, type PressureCondition, type Resource, resourceOfSignal, type Signal, type Threshold } from './thresholds.ts'

const text = (amount: number, signal: Signal) =>
  formatQuantity(fromWhole(amount, signal === 'pid.available' || signal.endsWith('inodesFree') ? 'decimal' : 'binary'))

export function evictionMessage(pod: V1Pod, usage: PodUsage | undefined, threshold: Threshold, observations: Observations): string {
  const { signal, below } = threshold
  const resource = resourceOfSignal(signal)
  const parts = [`The node was low on resource: ${resource}. `]
  const seen = observations.get(signal)
  if (seen) parts.push(`Threshold quantity: ${text(amountIn(below, seen.capacity), signal)}, available: ${text(seen.available, signal)}. `)
  for (const { name, amount, request } of offenders(pod, usage, resource))
    parts.push(`Container ${name} was using ${amount}, request is ${request}, has larger consumption of ${resource}. `)
  return parts.join('')
}

/** The same for programs: they go with the event. */
export function evictionAnnotations(pod: V1Pod, usage: PodUsage | undefined, threshold: Threshold): Record<string, string> {
  const resource = resourceOfSignal(threshold.signal)
  const containers = offenders(pod, usage, resource)
  return {
    offending_containers: containers.map(({ name }) => name).join(','),
    offending_containers_usage: containers.map(({ amount }) => amount).join(','),
    starved_resource: resource,
  }
}

/** Containers that use more than they asked for. */
function offenders(pod: V1Pod, usage: PodUsage | undefined, resource: Resource): { name: string; amount: string; request: string }[] {
  return (usage?.containers ?? []).flatMap((one) => {
    const used = resource === 'memory' ? one.memoryBytes : resource === 'ephemeral-storage' ? one.rootfs.bytes + one.logBytes : undefined
    const container = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(({ name }) => name === one.name)
    if (used === undefined || !container) return []
    const request = container.resources?.requests?.[resource] ?? '0'
    const amount = fromWhole(used, 'binary')
    return compareQuantities(amount, request) > 0 ? [{ name: one.name, amount: formatQuantity(amount), request }] : []
  })
}

export const refusalMessage = (conditions: readonly PressureCondition[]): string => `The node had condition: [${conditions.join(' ')}]. `
