/**
 * The scheduling framework's contract (KEP-624), one object per plugin. A cycle for one pod is synchronous over the
 * live cache: preFilter once, filter per node, score per feasible node, reserve; then preBind and bind run on their
 * own while the next pod is scheduled. Nothing of a cycle is kept in a plugin: it lives in {@link CycleState}.
 */
import type { V1Pod } from '../machinery/schema/generated/types.ts'
import type { NodeIndex } from './node-index.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodGroups } from './pod-groups.ts'
import type { PodInfo } from './pod-info.ts'

/** Why a node (or the pod anywhere) does not do. `unresolvable`: removing other pods would not help. */
export interface Rejection {
  reason: string
  unresolvable?: boolean
}

/** What a plugin computed in preFilter or preScore for its own later steps, by plugin name. */
export type CycleState = Map<string, unknown>

export interface Cluster {
  nodes(): readonly NodeInfo[]
  node(name: string): NodeInfo | undefined
  readonly index: NodeIndex
  readonly groups: PodGroups
  namespaceLabels(namespace: string): Record<string, string>
}

/** Changes in the cluster that may let a pod fit that did not. */
export type ClusterEvent =
  | 'node-added'
  | 'node-allocatable'
  | 'node-labels'
  | 'node-taints'
  | 'node-condition'
  | 'pod-assigned'
  | 'pod-deleted'
  | 'pod-updated'
  | 'namespace-labels'
  | 'pvc'
  | 'pv'
  | 'storage-class'

export interface Plugin {
  readonly name: string
  /** Factor of its scores among those of the other plugins. */
  readonly weight?: number
  /** Events after which a pod that this plugin rejected is tried again. */
  readonly wakenBy: readonly ClusterEvent[]
  /** `skip`: the plugin has nothing to say of this pod; its filter and score are left out. */
  preFilter?(pod: PodInfo, cluster: Cluster, state: CycleState): Rejection | 'skip' | undefined
  filter?(pod: PodInfo, node: NodeInfo, state: CycleState): Rejection | undefined
  /**
   * Filters of the pod are asked next as if `other` were (1) or were not (-1) on the node: what preFilter put into the
   * state has to be so. Taken back by the opposite amount.
   */
  suppose?(pod: PodInfo, other: PodInfo, node: NodeInfo, amount: 1 | -1, state: CycleState): void
  /** Before scoring, with the nodes that passed. */
  preScore?(pod: PodInfo, nodes: readonly NodeInfo[], cluster: Cluster, state: CycleState): 'skip' | undefined
  /** Any number; {@link normalize} brings it into 0…100. */
  score?(pod: PodInfo, node: NodeInfo, state: CycleState): number
  /** In place, in the order of the nodes. */
  normalize?(scores: number[], pod: PodInfo, state: CycleState): void
  reserve?(pod: PodInfo, node: NodeInfo, state: CycleState): Rejection | undefined
  unreserve?(pod: PodInfo, node: NodeInfo, state: CycleState): void
  /** Work that must be done before binding (volumes); undefined where there is none. Throws when it cannot be. */
  preBind?(pod: V1Pod, node: NodeInfo, state: CycleState, signal: AbortSignal): Promise<void> | undefined
}

export const maxScore = 100

/** Scales so that the highest becomes 100; `reverse` for scores where less is better. */
export function normalizeByMax(scores: number[], reverse = false): void {
  let max = 0
  for (const score of scores) max = Math.max(max, score)
  scores.forEach((score, index) => {
    const scaled = max === 0 ? (reverse ? 0 : score) : Math.floor((score * maxScore) / max)
    scores[index] = reverse ? maxScore - scaled : scaled
  })
}
