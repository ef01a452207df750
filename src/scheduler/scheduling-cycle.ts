/**
 * One pod's way to a node: filters, then scores, over the live cache. Synchronous, so the cluster does not change
 * under it. With many nodes only as many are looked at as are needed to find enough that fit (upstream's adaptive
 * percentage), starting where the last cycle stopped.
 */
import type { Clock } from '../machinery/clock.ts'
import type { CycleTimes, Status } from './cycle-times.ts'
import type { Cluster, ClusterEvent, CycleState, Plugin, Rejection } from './framework.ts'
import type { NodeInfo } from './node-info.ts'
import { Nominations } from './nominations.ts'
import { reasonSeparator } from './plugins/node-resources-fit.ts'
import type { PodInfo } from './pod-info.ts'

export type CycleResult =
  | { ok: true; node: NodeInfo; state: CycleState; looked: number; feasible: number }
  | {
      ok: false
      /** `0/3 nodes are available: 3 Insufficient cpu.` */
      message: string
      wakenBy: Set<ClusterEvent>
      /** Plugins that refused a node, or all. */
      rejectedBy: readonly string[]
      rejections: Map<string, Rejection>
      /** The filters, to be asked on trial; absent where no node was looked at. */
      run?: FilterRun
    }

/** The filters of one pod with what they know of the cluster. */
export class FilterRun {
  readonly #pod: PodInfo
  readonly #filters: readonly Plugin[]
  readonly #state: CycleState
  #times: CycleTimes | undefined
  #timed = 0

  /** `times`: each filter is timed, on the first few nodes. */
  constructor(pod: PodInfo, filters: readonly Plugin[], state: CycleState, times?: CycleTimes) {
    this.#pod = pod
    this.#filters = filters
    this.#state = state
    this.#times = times
  }

  check(node: NodeInfo, onRejection?: (plugin: Plugin) => void): Rejection | undefined {
    if (this.#times && this.#timed++ === timedNodes) this.#times = undefined
    const times = this.#times
    for (const plugin of this.#filters) {
      const start = times?.now() ?? 0
      const rejection = plugin.filter?.(this.#pod, node, this.#state)
      times?.plugin(plugin.name, 'Filter', statusOf(rejection), start)
      if (!rejection) continue
      onRejection?.(plugin)
      return rejection
    }
    return undefined
  }

  /** See {@link Plugin.suppose}. */
  suppose(other: PodInfo, node: NodeInfo, amount: 1 | -1): void {
    for (const plugin of this.#filters) plugin.suppose?.(this.#pod, other, node, amount, this.#state)
  }

  /** As if these pods were there already: as it may be that they come, and that they do not, both must do. */
  checkWith(node: NodeInfo, coming: readonly PodInfo[], onRejection?: (plugin: Plugin) => void): Rejection | undefined {
    if (coming.length > 0) {
      const trial = node.copy()
      for (const other of coming) {
        trial.add(other)
        this.suppose(other, node, 1)
      }
      const rejection = this.check(trial, onRejection)
      for (const other of coming) this.suppose(other, node, -1)
      if (rejection) return rejection
    }
    return this.check(node, onRejection)
  }
}

/** Of thousands of nodes, timing each would cost more than the filters do. */
const timedNodes = 8
const leastNodes = 100
const none: readonly PodInfo[] = []

function enoughNodes(all: number): number {
  if (all < leastNodes) return all
  const percentage = Math.max(5, 50 - Math.floor(all / 125))
  return Math.max(leastNodes, Math.floor((all * percentage) / 100))
}

export class SchedulingCycle {
  readonly #plugins: readonly Plugin[]
  readonly #clock: Clock
  readonly #nominations: Nominations
  readonly #times: CycleTimes | undefined
  #next = 0

  constructor(plugins: readonly Plugin[], clock: Clock, nominations = new Nominations(), times?: CycleTimes) {
    this.#times = times
    this.#plugins = plugins
    this.#clock = clock
    this.#nominations = nominations
  }

  run(pod: PodInfo, cluster: Cluster): CycleResult {
    const state: CycleState = new Map()
    const nodes = cluster.nodes()
    if (nodes.length === 0) return failure('no nodes available to schedule pods', ['node-added'])
    const filters: Plugin[] = []
    const skipped = new Set<string>()
    const times = this.#times
    const sampled = times?.begin() ? times : undefined
    let since = times?.now() ?? 0
    for (const plugin of this.#plugins) {
      const start = sampled?.now() ?? 0
      const result = plugin.preFilter?.(pod, cluster, state)
      if (plugin.preFilter) sampled?.plugin(plugin.name, 'PreFilter', statusOf(result), start)
      if (result === 'skip') skipped.add(plugin.name)
      else if (result) {
        times?.point('PreFilter', statusOf(result), since)
        return failure(allNodes(nodes.length, result.reason), plugin.wakenBy, [plugin.name])
      } else if (plugin.filter) filters.push(plugin)
    }
    times?.point('PreFilter', 'Success', since)
    const run = new FilterRun(pod, filters, state, sampled)
    since = times?.now() ?? 0
    // Room was made for it there.
    const nominated = cluster.node(this.#nominations.nodeOf(pod.key) ?? '')
    if (nominated && !run.checkWith(nominated, this.#coming(nominated, pod))) return { ok: true, node: nominated, state, looked: 1, feasible: 1 }
    const { feasible, rejections, rejectedBy, looked } = this.#filter(pod, nodes, run)
    times?.point('Filter', feasible.length === 0 ? 'Unschedulable' : 'Success', since)
    if (feasible.length === 0) {
      const wakenBy = new Set([...rejectedBy].flatMap((plugin) => plugin.wakenBy))
      const names = [...rejectedBy].map(({ name }) => name)
      return { ok: false, message: summary(nodes.length, rejections), wakenBy, rejectedBy: names, rejections, run }
    }
    const node = feasible.length === 1 ? (feasible[0] as NodeInfo) : this.#best(pod, feasible, cluster, state, { skipped, sampled })
    return { ok: true, node, state, looked, feasible: feasible.length }
  }

  /** Pods that are as important and were promised room there. */
  #coming(node: NodeInfo, pod: PodInfo): readonly PodInfo[] {
    if (this.#nominations.isEmpty) return none
    return [...this.#nominations.on(node.name)].filter((other) => other.priority >= pod.priority && other.key !== pod.key)
  }

  #filter(pod: PodInfo, nodes: readonly NodeInfo[], run: FilterRun) {
    const enough = enoughNodes(nodes.length)
    const feasible: NodeInfo[] = []
    const rejections = new Map<string, Rejection>()
    const rejectedBy = new Set<Plugin>()
    const rejected = (plugin: Plugin) => void rejectedBy.add(plugin)
    let looked = 0
    for (; looked < nodes.length && feasible.length < enough; looked++) {
      const node = nodes[(this.#next + looked) % nodes.length] as NodeInfo
      const rejection = run.checkWith(node, this.#coming(node, pod), rejected)
      if (rejection) rejections.set(node.name, rejection)
      else feasible.push(node)
    }
    this.#next = (this.#next + looked) % nodes.length
    return { feasible, rejections, rejectedBy, looked }
  }

  #best(
    pod: PodInfo,
    nodes: NodeInfo[],
    cluster: Cluster,
    state: CycleState,
    { skipped, sampled }: { skipped: ReadonlySet<string>; sampled: CycleTimes | undefined },
  ): NodeInfo {
    const times = this.#times
    const begun = times?.now() ?? 0
    let preparing = 0
    const totals = new Array<number>(nodes.length).fill(0)
    const scores = new Array<number>(nodes.length).fill(0)
    for (const plugin of this.#plugins) {
      // What a plugin skipped in preFilter it may still score (its preScore decides).
      if (!plugin.score || (skipped.has(plugin.name) && !plugin.preScore)) continue
      if (plugin.preScore) {
        const start = times?.now() ?? 0
        const skip = plugin.preScore(pod, nodes, cluster, state)
        sampled?.plugin(plugin.name, 'PreScore', statusOf(skip), start)
        if (times) preparing += times.now() - start
        if (skip === 'skip') continue
      }
      const start = sampled?.now() ?? 0
      for (let i = 0; i < nodes.length; i++) scores[i] = plugin.score(pod, nodes[i] as NodeInfo, state)
      plugin.normalize?.(scores, pod, state)
      sampled?.plugin(plugin.name, 'Score', 'Success', start)
      const weight = plugin.weight ?? 1
      for (let i = 0; i < nodes.length; i++) totals[i] = (totals[i] ?? 0) + (scores[i] ?? 0) * weight
    }
    if (times) {
      times.point('PreScore', 'Success', times.now() - preparing)
      times.point('Score', 'Success', begun + preparing)
    }
    let best = nodes[0] as NodeInfo
    let bestScore = Number.NEGATIVE_INFINITY
    let ties = 0
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i] as NodeInfo
      const score = totals[i] ?? 0
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

const statusOf = (result: Rejection | 'skip' | undefined): Status =>
  result === undefined ? 'Success' : result === 'skip' ? 'Skip' : result.unresolvable ? 'UnschedulableAndUnresolvable' : 'Unschedulable'

function failure(message: string, wakenBy: readonly ClusterEvent[], rejectedBy: readonly string[] = []): CycleResult {
  return { ok: false, message, wakenBy: new Set(wakenBy), rejectedBy, rejections: new Map() }
}

const allNodes = (nodes: number, reason: string) => `0/${nodes} nodes are available: ${reason}.`

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.`: each reason with the number of nodes. */
function summary(nodes: number, rejections: Map<string, Rejection>): string {
  const counts = new Map<string, number>()
  for (const { reason } of rejections.values()) for (const one of reason.split(reasonSeparator)) counts.set(one, (counts.get(one) ?? 0) + 1)
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).sort()
  return allNodes(nodes, reasons.join(', '))
}
