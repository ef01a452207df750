/**
 * One pod's way to a node: filters, then scores, over the live cache. Synchronous, so the cluster does not change
 * under it. With many nodes only as many are looked at as are needed to find enough that fit (upstream's adaptive
 * percentage), starting where the last cycle stopped.
 */
import type { Clock } from '../machinery/clock.ts'
import type { Cluster, ClusterEvent, CycleState, Plugin, Rejection } from './framework.ts'
import type { NodeInfo } from './node-info.ts'
import { reasonSeparator } from './plugins/node-resources-fit.ts'
import type { PodInfo } from './pod-info.ts'

export type CycleResult =
  | { ok: true; node: NodeInfo; state: CycleState; looked: number; feasible: number }
  | { ok: false; message: string; wakenBy: Set<ClusterEvent>; rejections: Map<string, Rejection> }

const leastNodes = 100

function enoughNodes(all: number): number {
  if (all < leastNodes) return all
  const percentage = Math.max(5, 50 - Math.floor(all / 125))
  return Math.max(leastNodes, Math.floor((all * percentage) / 100))
}

export class SchedulingCycle {
  readonly #plugins: readonly Plugin[]
  readonly #clock: Clock
  #next = 0

  constructor(plugins: readonly Plugin[], clock: Clock) {
    this.#plugins = plugins
    this.#clock = clock
  }

  run(pod: PodInfo, cluster: Cluster): CycleResult {
    const state: CycleState = new Map()
    const nodes = cluster.nodes()
    if (nodes.length === 0) return failure('no nodes available to schedule pods', ['node-added'])
    const filters: Plugin[] = []
    const skipped = new Set<string>()
    for (const plugin of this.#plugins) {
      const result = plugin.preFilter?.(pod, cluster, state)
      if (result === 'skip') skipped.add(plugin.name)
      else if (result) return failure(allNodes(nodes.length, result.reason, 0), plugin.wakenBy)
      else if (plugin.filter) filters.push(plugin)
    }
    const { feasible, rejections, rejectedBy, looked } = this.#filter(pod, nodes, filters, state)
    if (feasible.length === 0) {
      const wakenBy = new Set([...rejectedBy].flatMap((plugin) => plugin.wakenBy))
      return { ok: false, message: summary(nodes.length, rejections), wakenBy, rejections }
    }
    const node = feasible.length === 1 ? (feasible[0] as NodeInfo) : this.#best(pod, feasible, cluster, state, skipped)
    return { ok: true, node, state, looked, feasible: feasible.length }
  }

  #filter(pod: PodInfo, nodes: readonly NodeInfo[], filters: Plugin[], state: CycleState) {
    const enough = enoughNodes(nodes.length)
    const feasible: NodeInfo[] = []
    const rejections = new Map<string, Rejection>()
    const rejectedBy = new Set<Plugin>()
    let looked = 0
    for (; looked < nodes.length && feasible.length < enough; looked++) {
      const node = nodes[(this.#next + looked) % nodes.length] as NodeInfo
      let fits = true
      for (const plugin of filters) {
        const rejection = plugin.filter?.(pod, node, state)
        if (!rejection) continue
        rejections.set(node.name, rejection)
        rejectedBy.add(plugin)
        fits = false
        break
      }
      if (fits) feasible.push(node)
    }
    this.#next = (this.#next + looked) % nodes.length
    return { feasible, rejections, rejectedBy, looked }
  }

  #best(pod: PodInfo, nodes: NodeInfo[], cluster: Cluster, state: CycleState, skipped: ReadonlySet<string>): NodeInfo {
    const totals = new Map<string, number>(nodes.map((node) => [node.name, 0]))
    for (const plugin of this.#plugins) {
      // What a plugin skipped in preFilter it may still score (its preScore decides).
      if (!plugin.score || (skipped.has(plugin.name) && !plugin.preScore)) continue
      if (plugin.preScore?.(pod, nodes, cluster, state) === 'skip') continue
      const scores = new Map(nodes.map((node) => [node.name, plugin.score?.(pod, node, state) ?? 0]))
      plugin.normalize?.(scores, pod, state)
      for (const [name, score] of scores) totals.set(name, (totals.get(name) ?? 0) + score * (plugin.weight ?? 1))
    }
    let best = nodes[0] as NodeInfo
    let bestScore = Number.NEGATIVE_INFINITY
    let ties = 0
    for (const node of nodes) {
      const score = totals.get(node.name) ?? 0
      if (score > bestScore) {
        best = node
        bestScore = score
        ties = 1
      } else if (score === bestScore) {
        // Each of the equals has the same chance.
        ties++
        if (this.#clock.random() < 1 / ties) best = node
      }
    }
    return best
  }
}

function failure(message: string, wakenBy: readonly ClusterEvent[]): CycleResult {
  return { ok: false, message, wakenBy: new Set(wakenBy), rejections: new Map() }
}

/** What could be done by removing other pods, in upstream's words; nothing is removed yet. */
function preemption(nodes: number, helpless: number): string {
  const parts: string[] = []
  if (nodes - helpless > 0) parts.push(`${nodes - helpless} No preemption victims found for incoming pod`)
  if (helpless > 0) parts.push(`${helpless} Preemption is not helpful for scheduling`)
  return `no new claims to deallocate, preemption: 0/${nodes} nodes are available: ${parts.join(', ')}.`
}

const allNodes = (nodes: number, reason: string, helpful: number) => `0/${nodes} nodes are available: ${reason}. ${preemption(nodes, nodes - helpful)}`

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. …`: each reason with the number of nodes. */
function summary(nodes: number, rejections: Map<string, Rejection>): string {
  const counts = new Map<string, number>()
  let helpless = 0
  for (const { reason, unresolvable } of rejections.values()) {
    for (const one of reason.split(reasonSeparator)) counts.set(one, (counts.get(one) ?? 0) + 1)
    if (unresolvable) helpless++
  }
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).sort()
  return allNodes(nodes, reasons.join(', '), rejections.size - helpless)
}
