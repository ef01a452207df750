/**
 * Whom it hits first: who uses more than it asked for, then the lower priority, then who exceeds its request by
 * more. Of processes nobody asks for any: priority, then how many.
 */
import { podRequests } from '../../apis/core/pod-requests.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import { diskUsage, type PodUsage } from './pod-usage.ts'
import { resourceOfSignal, type Signal } from './thresholds.ts'

export interface Ranked {
  pod: V1Pod
  /** Undefined: not known; then it counts as the worst. */
  usage: PodUsage | undefined
}

type Order = (a: Ranked, b: Ranked) => number

export function rank<T extends Ranked>(pods: readonly T[], signal: Signal): T[] {
  const resource = resourceOfSignal(signal)
  if (resource === 'pids')
    return pods.toSorted(
      inOrder(
        byPriority,
        byMost(({ usage }) => usage?.processes),
      ),
    )
  const used = ({ usage }: Ranked) => {
    if (!usage) return undefined
    if (resource === 'memory') return usage.memoryBytes
    return resource === 'inodes' ? diskUsage(usage).inodes : diskUsage(usage).bytes
  }
  const above = (one: Ranked) => {
    const amount = used(one)
    return amount === undefined ? undefined : amount - (podRequests(one.pod).get(resource) ?? 0)
  }
  const exceeds = byMost((one) => {
    const amount = above(one)
    return amount === undefined ? undefined : Number(amount > 0)
  })
  return pods.toSorted(inOrder(exceeds, byPriority, byMost(above)))
}

const byPriority: Order = (a, b) => (a.pod.spec.priority ?? 0) - (b.pod.spec.priority ?? 0)

function byMost(of: (one: Ranked) => number | undefined): Order {
  return (a, b) => {
    const [first = Number.MAX_SAFE_INTEGER, second = Number.MAX_SAFE_INTEGER] = [of(a), of(b)]
    return second - first
  }
}

const inOrder =
  (...orders: Order[]): Order =>
  (a, b) => {
    for (const order of orders) {
      const difference = order(a, b)
      if (difference !== 0) return difference
    }
    return 0
  }
