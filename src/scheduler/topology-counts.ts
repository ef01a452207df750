/** How many pods of some groups are in each topology, weighed; without copying what the groups keep. */
import type { Cluster } from './framework.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodGroup } from './pod-groups.ts'

export class TopologyCounts {
  /** The label of nodes whose values are the topologies. */
  readonly key: string
  /** Each node is a topology of its own: its own count will do, and need not be looked up among all. */
  readonly #isPerNode: boolean
  readonly #groups: { group: PodGroup; weight: number }[] = []
  readonly #maps: ReadonlyMap<string, number>[] = []
  /** What is supposed to be otherwise: pods taken away or put there on trial. */
  #supposed: Map<string, number> | undefined

  constructor(key: string, cluster: Cluster) {
    this.key = key
    const { values, nodes } = cluster.index.topology(key)
    this.#isPerNode = values.size === nodes
  }

  include(group: PodGroup, weight = 1): void {
    this.#groups.push({ group, weight })
  }

  includeCounts(counts: ReadonlyMap<string, number>): void {
    this.#maps.push(counts)
  }

  get isEmpty(): boolean {
    for (const value of this.#values()) if (this.of(value) !== 0) return false
    return true
  }

  of(value: string): number {
    let sum = this.#supposed?.get(value) ?? 0
    for (const { group, weight } of this.#groups) sum += (group.byTopology(this.key).get(value) ?? 0) * weight
    for (const counts of this.#maps) sum += counts.get(value) ?? 0
    return sum
  }

  /** In the topology that the node is in; 0 where it is in none. */
  at(node: NodeInfo): number {
    const value = node.labels[this.key]
    if (value === undefined) return 0
    if (!this.#isPerNode || this.#supposed || this.#maps.length > 0) return this.of(value)
    let sum = 0
    for (const { group, weight } of this.#groups) sum += group.on(node) * weight
    return sum
  }

  suppose(node: NodeInfo, amount: number): void {
    const value = node.labels[this.key]
    if (value === undefined) return
    this.#supposed ??= new Map()
    this.#supposed.set(value, (this.#supposed.get(value) ?? 0) + amount)
  }

  /** Topologies with pods in them, and perhaps some without. */
  *#values(): Iterable<string> {
    for (const { group } of this.#groups) yield* group.byTopology(this.key).keys()
    for (const counts of this.#maps) yield* counts.keys()
    if (this.#supposed) yield* this.#supposed.keys()
  }
}
