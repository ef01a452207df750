/** Which of several pools gets the nodes: each expander leaves the best of those that the one before left. */
import { parse } from 'yaml'
import type { Clock } from '../../machinery/clock.ts'
import type { V1Node } from '../../machinery/schema/generated/types.ts'
import { NodeInfo } from '../../scheduler/node-info.ts'
import type { PodInfo } from '../../scheduler/pod-info.ts'
import type { ExpanderName } from '../settings.ts'

export interface Expansion {
  pool: string
  nodes: number
  /** Pods that would fit on them. */
  pods: PodInfo[]
  template: V1Node
  /** Whether the pod does not fit even an empty node. */
  rejects(pod: PodInfo): boolean
}

/** Patterns of pool names by priority, as the ConfigMap `cluster-autoscaler-priority-expander` says them; throws in a sentence. */
export function readPriorities(text: string): Map<number, RegExp[]> {
  const value: unknown = parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('priorities must be a map of numbers to lists of patterns')
  return new Map(
    Object.entries(value).map(([priority, patterns]) => {
      if (!Number.isInteger(Number(priority)) || !Array.isArray(patterns)) throw new Error(`'${priority}' must be a number with a list of patterns`)
      return [Number(priority), patterns.map((pattern) => new RegExp(String(pattern)))]
    }),
  )
}

/** The share of the new nodes that would stay unused, of cores and of memory together. */
export function wasteOf({ nodes, pods, template }: Expansion): number {
  const { capacity } = new NodeInfo(template)
  const share = (resource: 'cpu' | 'memory') => {
    const available = capacity[resource] * nodes
    return available === 0 ? 0 : (available - pods.reduce((sum, pod) => sum + pod[resource], 0)) / available
  }
  return share('cpu') + share('memory')
}

function best(options: readonly Expansion[], worthOf: (option: Expansion) => number): Expansion[] {
  const values = options.map(worthOf)
  const highest = Math.max(...values)
  return options.filter((_, index) => values[index] === highest)
}

function narrow(options: readonly Expansion[], expander: ExpanderName, priorities: ReadonlyMap<number, readonly RegExp[]> | undefined): Expansion[] {
  if (expander === 'least-waste') return best(options, (option) => -wasteOf(option))
  if (expander === 'random' || !priorities) return [...options]
  const priorityOf = ({ pool }: Expansion) => {
    const found = [...priorities].filter(([, patterns]) => patterns.some((pattern) => pattern.test(pool))).map(([priority]) => priority)
    return found.length > 0 ? Math.max(...found) : Number.NEGATIVE_INFINITY
  }
  return best(options, priorityOf)
}

export function chooseExpansion(
  options: readonly Expansion[],
  expanders: readonly ExpanderName[],
  { clock, priorities }: { clock: Clock; priorities: ReadonlyMap<number, readonly RegExp[]> | undefined },
): Expansion | undefined {
  let left = [...options]
  for (const expander of expanders) if (left.length > 1) left = narrow(left, expander, priorities)
  return left[Math.floor(clock.random() * left.length)]
}
