import { maxScore, type Plugin, type Rejection } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'

/** The share of a resource that would be free, in 0…100. */
function freeShare(used: number, capacity: number): number {
  return capacity === 0 || used > capacity ? 0 : Math.floor(((capacity - used) * maxScore) / capacity)
}

function insufficient(pod: PodInfo, node: NodeInfo): Rejection | undefined {
  const reasons: string[] = []
  let unresolvable = false
  if (node.pods.size + 1 > (node.allocatable.get('pods') ?? 0)) reasons.push('Too many pods')
  for (const [name, wanted] of pod.requests) {
    if (wanted === 0) continue
    const capacity = node.allocatable.get(name) ?? 0
    if (wanted <= capacity - (node.requested.get(name) ?? 0)) continue
    reasons.push(`Insufficient ${name}`)
    if (wanted > capacity) unresolvable = true
  }
  return reasons.length === 0 ? undefined : { reason: reasons.join(reasonSeparator), ...(unresolvable ? { unresolvable } : {}) }
}

/** One node may lack several things: each is counted on its own in the message. */
export const reasonSeparator = '\n'

/** What a pod requests must be free; prefers the node with most left (LeastAllocated). */
export const nodeResourcesFit: Plugin = {
  name: 'NodeResourcesFit',
  weight: 1,
  wakenBy: ['node-added', 'node-allocatable', 'pod-deleted', 'pod-updated'],
  filter: insufficient,
  score(pod, node) {
    const cpu = freeShare(node.nonZeroRequested.cpu + pod.nonZeroRequests.cpu, node.allocatable.get('cpu') ?? 0)
    const memory = freeShare(node.nonZeroRequested.memory + pod.nonZeroRequests.memory, node.allocatable.get('memory') ?? 0)
    return (cpu + memory) / 2
  },
}
