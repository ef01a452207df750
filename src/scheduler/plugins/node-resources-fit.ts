import { maxScore, type Plugin, type Rejection } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'

/** The share of a resource that would be free, in 0…100. */
function freeShare(used: number, capacity: number): number {
  return capacity === 0 || used > capacity ? 0 : Math.floor(((capacity - used) * maxScore) / capacity)
}

function lacksNothing(pod: PodInfo, node: NodeInfo): boolean {
  const { capacity, used } = node
  if (node.pods.size + 1 > capacity.pods) return false
  if (pod.cpu > 0 && pod.cpu > capacity.cpu - used.cpu) return false
  if (pod.memory > 0 && pod.memory > capacity.memory - used.memory) return false
  for (const [name, wanted] of pod.otherRequests) if (wanted > (node.allocatable.get(name) ?? 0) - (node.requested.get(name) ?? 0)) return false
  return true
}

function insufficient(pod: PodInfo, node: NodeInfo): Rejection | undefined {
  if (lacksNothing(pod, node)) return undefined
  const reasons: string[] = []
  let unresolvable = false
  if (node.pods.size + 1 > node.capacity.pods) reasons.push('Too many pods')
  for (const [name, wanted] of pod.requests) {
    if (wanted === 0) continue
    const capacity = node.allocatable.get(name) ?? 0
    if (wanted <= capacity - (node.requested.get(name) ?? 0)) continue
    reasons.push(`Insufficient ${name}`)
    if (wanted > capacity) unresolvable = true
  }
  return { reason: reasons.join(reasonSeparator), ...(unresolvable ? { unresolvable } : {}) }
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
    const cpu = freeShare(node.nonZeroRequested.cpu + pod.nonZeroRequests.cpu, node.capacity.cpu)
    const memory = freeShare(node.nonZeroRequested.memory + pod.nonZeroRequests.memory, node.capacity.memory)
    return (cpu + memory) / 2
  },
}
