/** Which nodes could go: little used, nothing forbids it, and there is room elsewhere for what is on them. */
import type { V1Node, V1Pod } from '../../machinery/schema/generated/types.ts'
import type { NodeInfo } from '../../scheduler/node-info.ts'
import type { PodInfo } from '../../scheduler/pod-info.ts'
import { type ClusterView, isKeptByHand, isReady } from '../cluster-view.ts'
import type { Instance } from '../node-provider.ts'
import { isBeingDeleted, isLeaving, type PoolState } from '../pool-state.ts'
import { likenesses } from '../scale-up/bin-packing.ts'
import { addUpcoming, placeWaiting } from '../scale-up/scale-up.ts'
import type { AutoscalerSettings } from '../settings.ts'
import { Trial } from '../simulation/trial.ts'
import { BudgetsLeft, forbidsRemoval, needsNoPlace } from './movable-pods.ts'

export interface UnneededNode {
  state: PoolState
  instance: Instance
  node: NodeInfo
  ready: boolean
  /** What has to be evicted; none: the node is empty. */
  pods: V1Pod[]
}

export interface UnneededNodes {
  unneeded: UnneededNode[]
  /** By node, why it stays. */
  kept: Map<string, string>
}

/** Of cores or memory, the larger share that is requested. */
export function utilization({ capacity, used }: NodeInfo): number {
  return Math.max(...(['cpu', 'memory'] as const).map((resource) => (capacity[resource] > 0 ? used[resource] / capacity[resource] : 0)))
}

/** `leaving`: names of nodes that are being taken out already. */
export function findUnneededNodes(view: ClusterView, pools: readonly PoolState[], settings: AutoscalerSettings, leaving: ReadonlySet<string>): UnneededNodes {
  const trial = new Trial(view.cache, view.plugins)
  try {
    const likenessOf = likenesses()
    addUpcoming(trial, pools, view.daemonSets())
    placeWaiting(trial, [...view.pending.values()], settings, likenessOf)
    const search = new Search(trial, view, settings, leaving)
    const candidates = pools.filter((state) => !isLeaving(state)).flatMap((state) => state.members.map((member) => ({ state, ...member })))
    for (const { state, node } of candidates) search.count(state, node)
    // The emptiest first: they cost nobody anything.
    const withInfo = candidates.flatMap(({ state, instance, node }) => {
      const info = trial.node(node.metadata.name)
      return info ? [{ state, instance, info }] : []
    })
    const order = withInfo.map((one) => ({ ...one, pods: movable(one.info).length })).sort((a, b) => a.pods - b.pods)
    for (const { state, instance, info } of order) search.consider(state, instance, info)
    return search.result
  } finally {
    trial.end()
  }
}

const movable = (node: NodeInfo): PodInfo[] => [...node.pods.values()].filter(({ pod }) => !needsNoPlace(pod))

class Search {
  readonly result: UnneededNodes = { unneeded: [], kept: new Map() }
  readonly #trial: Trial
  readonly #view: ClusterView
  readonly #settings: AutoscalerSettings
  readonly #budgets: BudgetsLeft
  readonly #leaving = new Set<string>()
  readonly #leavingOf = new Map<string, number>()

  constructor(trial: Trial, view: ClusterView, settings: AutoscalerSettings, leaving: ReadonlySet<string>) {
    this.#trial = trial
    this.#view = view
    this.#settings = settings
    this.#budgets = new BudgetsLeft(view.budgets())
    for (const { name, node } of trial.nodes) if (leaving.has(name) || isBeingDeleted(node)) this.#leaving.add(name)
  }

  /** A node that is leaving is among those that its pool has no longer. */
  count({ name }: PoolState, { metadata }: V1Node): void {
    if (this.#leaving.has(metadata.name)) this.#leavingOf.set(name, (this.#leavingOf.get(name) ?? 0) + 1)
  }

  consider(state: PoolState, instance: Instance, node: NodeInfo): void {
    const reason = this.#refusal(state, node)
    if (reason !== undefined) {
      this.result.kept.set(node.name, reason)
      return
    }
    const all = movable(node)
    const important = all.filter(({ priority }) => priority >= this.#settings.expendablePodsPriorityCutoff)
    // What is only supposed to be there has to find another place, and need not be evicted.
    const pods = all.filter(({ pod }) => pod.spec.nodeName === node.name).map(({ pod }) => pod)
    const mark = this.#trial.length
    this.#leaving.add(node.name)
    const hasPlace = this.#move(important, node)
    if (!hasPlace || !this.#budgets.allow(important.map(({ pod }) => pod).filter((pod) => pods.includes(pod)))) {
      this.#trial.backTo(mark)
      this.#leaving.delete(node.name)
      this.result.kept.set(node.name, hasPlace ? 'NotEnoughPdb' : 'NoPlaceToMovePods')
      return
    }
    this.#leavingOf.set(state.name, (this.#leavingOf.get(state.name) ?? 0) + 1)
    this.result.unneeded.push({ state, instance, node, ready: isReady(node.node), pods })
  }

  #refusal(state: PoolState, node: NodeInfo): string | undefined {
    const { pool, settings } = state
    if (this.#leaving.has(node.name) || !this.#view.wasReady(node.node)) return 'CurrentlyBeingDeletedOrStarting'
    if (!settings.scaleDownEnabled || isKeptByHand(node.node)) return 'ScaleDownDisabledAnnotation'
    if (state.targetSize - (this.#leavingOf.get(state.name) ?? 0) <= pool.spec.minSize) return 'NodeGroupMinSizeReached'
    if (isReady(node.node) && utilization(node) > settings.utilizationThreshold) return 'NotUnderutilized'
    const budgets = this.#view.budgets()
    for (const { pod, priority } of movable(node)) {
      const forbidden = priority < this.#settings.expendablePodsPriorityCutoff ? undefined : forbidsRemoval(pod, budgets, this.#settings)
      if (forbidden) return forbidden
    }
    return undefined
  }

  #move(pods: readonly PodInfo[], from: NodeInfo): boolean {
    const staying = ({ name, node }: NodeInfo) => !this.#leaving.has(name) && (isReady(node) || isComing(name))
    const taken = pods.map((pod) => this.#trial.take(pod, from))
    return taken.every((pod) => this.#trial.placeOnFirst(pod, this.#trial.nodes, { not: (node) => !staying(node) }) !== undefined)
  }
}

/** A node that is on its way. */
const isComing = (name: string) => name.startsWith('upcoming-node-of-')
