/** What is told of an eviction, in upstream's words. */
import { compareQuantities, formatQuantity, fromWhole } from '../../machinery/quantity.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import type { PodUsage } from './pod-usage.ts'
import { amountIn, type Observations, type PressureCondition, resourceOfSignal, type Signal, type Threshold } from './thresholds.ts'

const text = (amount: number, signal: Signal) =>
  formatQuantity(fromWhole(amount, signal === 'pid.available' || signal.endsWith('inodesFree') ? 'decimal' : 'binary'))

export function evictionMessage(pod: V1Pod, usage: PodUsage | undefined, threshold: Threshold, observations: Observations): string {
  const { signal, below } = threshold
  const resource = resourceOfSignal(signal)
  const parts = [`The node was low on resource: ${resource}. `]
  const seen = observations.get(signal)
  if (seen) parts.push(`Threshold quantity: ${text(amountIn(below, seen.capacity), signal)}, available: ${text(seen.available, signal)}. `)
  for (const one of usage?.containers ?? []) {
    const used = resource === 'memory' ? one.memoryBytes : resource === 'ephemeral-storage' ? one.rootfs.bytes + one.logBytes : undefined
    const container = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(({ name }) => name === one.name)
    if (used === undefined || !container) continue
    const request = container.resources?.requests?.[resource] ?? '0'
    const amount = fromWhole(used, 'binary')
    if (compareQuantities(amount, request) > 0)
      parts.push(`Container ${one.name} was using ${formatQuantity(amount)}, request is ${request}, has larger consumption of ${resource}. `)
  }
  return parts.join('')
}

export const refusalMessage = (conditions: readonly PressureCondition[]): string => `The node had condition: [${conditions.join(' ')}]. `
