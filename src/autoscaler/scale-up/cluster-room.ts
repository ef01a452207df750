/** How much larger the whole cluster may become. */
import type { V1Node } from '../../machinery/schema/generated/types.ts'
import { NodeInfo } from '../../scheduler/node-info.ts'
import type { ClusterView } from '../cluster-view.ts'
import type { PoolState } from '../pool-state.ts'
import type { AutoscalerSettings } from '../settings.ts'

const resources = ['cpu', 'memory'] as const

export class ClusterRoom {
  readonly nodes: number
  readonly #left: { cpu: number; memory: number }

  /** To be made before anything is tried in the view's cache. */
  constructor(view: ClusterView, pools: readonly PoolState[], { maxNodesTotal, maxCores, maxMemoryBytes }: AutoscalerSettings) {
    // Nodes that are starting are there already, and among those that will come.
    const starting = new Set(pools.flatMap(({ members }) => members.filter(({ node }) => !view.wasReady(node)).map(({ node }) => node.metadata.name)))
    const there = view.cache.nodes().filter(({ name }) => !starting.has(name))
    const coming = pools.flatMap(({ template, upcoming }) => (template && upcoming > 0 ? [{ capacity: new NodeInfo(template).capacity, times: upcoming }] : []))
    const all = [...there.map(({ capacity }) => ({ capacity, times: 1 })), ...coming]
    const used = (resource: 'cpu' | 'memory') => all.reduce((sum, { capacity, times }) => sum + capacity[resource] * times, 0)
    const count = all.reduce((sum, { times }) => sum + times, 0)
    this.nodes = maxNodesTotal > 0 ? Math.max(0, maxNodesTotal - count) : Number.POSITIVE_INFINITY
    this.#left = {
      cpu: maxCores === undefined ? Number.POSITIVE_INFINITY : maxCores * 1000 - used('cpu'),
      memory: maxMemoryBytes === undefined ? Number.POSITIVE_INFINITY : maxMemoryBytes - used('memory'),
    }
  }

  /** As many of these nodes as there is room for. */
  most(nodes: number, template: V1Node): number {
    const { capacity } = new NodeInfo(template)
    const fitting = resources.map((resource) => (capacity[resource] > 0 ? Math.floor(this.#left[resource] / capacity[resource]) : nodes))
    return Math.max(0, Math.min(nodes, this.nodes, ...fitting))
  }

  /** Why there is room for none of these, if there is none. */
  refusal(template: V1Node): string | undefined {
    if (this.nodes <= 0) return 'max total nodes in cluster reached'
    const { capacity } = new NodeInfo(template)
    const exceeded = resources.filter((resource) => capacity[resource] > this.#left[resource])
    return exceeded.length > 0 ? `max cluster ${exceeded.join(', ')} limit reached` : undefined
  }
}
