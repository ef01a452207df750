/** How the nodes are: all of the cluster, or those of some pools. */
import type { V1Node } from '../machinery/schema/generated/types.ts'
import { type ClusterView, isReady } from './cluster-view.ts'
import { isBeingDeleted, type PoolState } from './pool-state.ts'
import type { AutoscalerSettings } from './settings.ts'

export interface NodeCounts {
  registered: number
  ready: number
  /** Registered, and never ready yet. */
  notStarted: number
  beingDeleted: number
  /** Were ready once. */
  unready: number
  /** On their way. */
  unregistered: number
  /** Given up before they were ready. */
  longUnregistered: number
}

export function countNodes(view: ClusterView, nodes: readonly V1Node[], pools: readonly PoolState[]): NodeCounts {
  const ready = nodes.filter((node) => isReady(node) && !isBeingDeleted(node)).length
  const notStarted = nodes.filter((node) => !isReady(node) && !view.wasReady(node) && !isBeingDeleted(node)).length
  const beingDeleted = nodes.filter(isBeingDeleted).length
  const sum = (of: (pool: PoolState) => number) => pools.reduce((total, pool) => total + of(pool), 0)
  return {
    registered: nodes.length,
    ready,
    notStarted,
    beingDeleted,
    unready: Math.max(0, nodes.length - ready - notStarted - beingDeleted),
    unregistered: sum(({ upcoming, members }) => Math.max(0, upcoming - members.filter(({ node }) => !isReady(node) && !view.wasReady(node)).length)),
    longUnregistered: sum(({ failed, lostWishes }) => failed.filter(({ node }) => !node).length + lostWishes),
  }
}

/** Whether so few nodes are not ready that what the cluster tells can be believed. */
export function isSafeToAutoscale({ registered, unready, longUnregistered }: NodeCounts, settings: AutoscalerSettings): boolean {
  const bad = unready + longUnregistered
  return bad <= settings.okTotalUnreadyCount || bad * 100 <= settings.maxTotalUnreadyPercentage * (registered + longUnregistered)
}
