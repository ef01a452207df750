/** Which pool gets how many nodes for the pods that have no place, and why other pools do not. Nothing is done yet. */
import type { Clock } from '../../machinery/clock.ts'
import type { V1DaemonSet, V1Pod } from '../../machinery/schema/generated/types.ts'
import { reasonSeparator } from '../../scheduler/plugins/node-resources-fit.ts'
import { type PodInfo, podInfo } from '../../scheduler/pod-info.ts'
import { type ClusterView, isUnschedulable } from '../cluster-view.ts'
import { fromTemplate, isLeaving, type PoolState } from '../pool-state.ts'
import type { AutoscalerSettings } from '../settings.ts'
import { mayFitLater, Trial } from '../simulation/trial.ts'
import { addTemplate, likenesses, pack } from './bin-packing.ts'
import { ClusterRoom } from './cluster-room.ts'
import { chooseExpansion, type Expansion } from './expanders.ts'
import { balance, type Share } from './similar-pools.ts'

export interface ScaleUpDecision {
  expansion: Expansion | undefined
  /** Which pools get how many of its nodes. */
  shares: Share[]
  /** Pods for which no pool has a node, and why each pool has none. */
  helpless: { pod: V1Pod; reasons: string[] }[]
}

export interface ScaleUpInput {
  view: ClusterView
  pools: readonly PoolState[]
  /** Pools that cannot be worked with now. */
  unknownPools: number
  settings: AutoscalerSettings
  clock: Clock
  priorities: ReadonlyMap<number, readonly RegExp[]> | undefined
}

export const atMaxSize = 'max node group size reached'
const notReady = 'not ready for scale-up'

export function decideScaleUp({ view, pools, unknownPools, settings, clock, priorities }: ScaleUpInput): ScaleUpDecision {
  const trial = new Trial(view.cache, view.plugins)
  try {
    const daemonSets = view.daemonSets()
    const likenessOf = likenesses()
    const room = new ClusterRoom(view, pools, settings)
    addUpcoming(trial, pools, daemonSets)
    const waiting = placeWaiting(trial, [...view.pending.values()], settings, likenessOf)
    if (waiting.length === 0) return { expansion: undefined, shares: [], helpless: [] }
    const expansions: Expansion[] = []
    const helped = new Set<PodInfo>()
    const why = new Map<PodInfo, string[]>(waiting.map((pod) => [pod, []]))
    const refuse = (reason: string) => {
      for (const reasons of why.values()) reasons.push(reason)
    }
    for (let i = 0; i < unknownPools; i++) refuse(notReady)
    for (const state of pools) {
      const { template, name, pool } = state
      const refusal = refusalOf(state, clock) ?? (template ? room.refusal(template) : notReady)
      if (refusal || !template) {
        refuse(refusal ?? notReady)
        continue
      }
      const mostNodes = Math.min(pool.spec.maxSize - state.targetSize, settings.maxNodesPerScaleUp, room.nodes)
      const packing = pack({ trial, pool: name, template, daemonSets, pods: waiting, mostNodes, likenessOf })
      for (const pod of packing.pods) helped.add(pod)
      const nodes = room.most(packing.nodes, template)
      if (nodes > 0) expansions.push({ pool: name, nodes, pods: packing.pods, template, rejects: (pod) => packing.rejections.has(likenessOf(pod)) })
      for (const pod of waiting) {
        const rejection = packing.rejections.get(likenessOf(pod))
        if (rejection) why.get(pod)?.push(...rejection.reason.split(reasonSeparator))
      }
    }
    const expansion = chooseExpansion(expansions, settings.expanders, { clock, priorities })
    const helpless = waiting.filter((pod) => !helped.has(pod)).map((pod) => ({ pod: pod.pod, reasons: why.get(pod) ?? [] }))
    const shares = expansion ? balance(expansion, settings.balanceSimilarNodeGroups ? expansions : [expansion], pools, settings.balancingIgnoreLabels) : []
    return { expansion, shares, helpless }
  } finally {
    trial.end()
  }
}

/** Nodes that are on their way count as if they were there, but for their names. */
export function addUpcoming(trial: Trial, pools: readonly PoolState[], daemonSets: readonly V1DaemonSet[]): void {
  for (const state of pools) {
    const { name, template, upcoming } = state
    if (!template || isLeaving(state)) continue
    for (let i = 0; i < upcoming; i++) addTemplate(trial, fromTemplate(template, `upcoming-node-of-${name}-${i}`), daemonSets)
  }
}

/** Puts pods where there is room for them; returns those that the scheduler found no node for and for which there is none. */
export function placeWaiting(trial: Trial, pods: readonly V1Pod[], settings: AutoscalerSettings, likenessOf: (pod: PodInfo) => string): PodInfo[] {
  const important = pods.map(podInfo).filter(({ priority }) => priority >= settings.expendablePodsPriorityCutoff)
  const waiting: PodInfo[] = []
  const without = new Set<string>()
  const lastAt = new Map<string, number>()
  for (const pod of important.sort((a, b) => b.priority - a.priority)) {
    // Others make way for it there.
    const promised = trial.node(pod.pod.status?.nominatedNodeName ?? '')
    if (promised) {
      trial.put(pod, promised)
      continue
    }
    const alike = likenessOf(pod)
    if (!without.has(alike)) {
      const at = trial.placeOnFirst(pod, trial.nodes, { from: lastAt.get(alike) ?? 0 })
      if (at !== undefined) {
        lastAt.set(alike, at)
        continue
      }
      if (!mayFitLater(pod)) without.add(alike)
    }
    if (isUnschedulable(pod.pod)) waiting.push(pod)
  }
  return waiting
}

function refusalOf(state: PoolState, clock: Clock): string | undefined {
  const { pool, memory, targetSize } = state
  if (isLeaving(state)) return notReady
  if (memory.backoffAt(clock.monotonic())) return 'in backoff after failed scale-up'
  return targetSize >= pool.spec.maxSize ? atMaxSize : undefined
}
