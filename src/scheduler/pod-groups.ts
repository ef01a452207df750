/**
 * Pods that are alike to other pods: of one namespace, with the same labels and the same affinity. What depends on
 * which pods are where (spreading, affinity) asks each group once instead of each pod, and finds the counts by
 * topology kept.
 */
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'

export class PodGroup {
  /** Any of them: they do not differ in what matters here. */
  readonly sample: PodInfo
  readonly #nodes = new Set<NodeInfo>()
  /** By label of nodes, then by its value. Made when first asked for. */
  readonly #topologies = new Map<string, Map<string, number>>()

  constructor(sample: PodInfo) {
    this.sample = sample
  }

  get isEmpty(): boolean {
    return this.#nodes.size === 0
  }

  on(node: NodeInfo): number {
    return node.groups.get(this) ?? 0
  }

  /** Pods by the value that their node's label `key` has; nothing of nodes without it. Changes as pods come and go. */
  byTopology(key: string): ReadonlyMap<string, number> {
    let counts = this.#topologies.get(key)
    if (!counts) {
      counts = new Map()
      for (const node of this.#nodes) add(counts, node.labels[key], this.on(node))
      this.#topologies.set(key, counts)
    }
    return counts
  }

  add(node: NodeInfo, amount: 1 | -1): void {
    const count = this.on(node) + amount
    if (count > 0) {
      node.groups.set(this, count)
      this.#nodes.add(node)
    } else {
      node.groups.delete(this)
      this.#nodes.delete(node)
    }
    for (const [key, counts] of this.#topologies) add(counts, node.labels[key], amount)
  }

  /** The node has other labels now. */
  relabelled(node: NodeInfo): void {
    if (this.#nodes.has(node)) this.#topologies.clear()
  }
}

function add(counts: Map<string, number>, value: string | undefined, amount: number): void {
  if (value === undefined) return
  const count = (counts.get(value) ?? 0) + amount
  if (count === 0) counts.delete(value)
  else counts.set(value, count)
}

const none: ReadonlyMap<string, PodGroup> = new Map()

export class PodGroups {
  readonly #byNamespace = new Map<string, Map<string, PodGroup>>()
  readonly #withAffinity = new Set<PodGroup>()

  inNamespace(namespace: string): Iterable<PodGroup> {
    return (this.#byNamespace.get(namespace) ?? none).values()
  }

  *all(): Iterable<PodGroup> {
    for (const groups of this.#byNamespace.values()) yield* groups.values()
  }

  /** Those whose pods have affinity or anti-affinity of their own. */
  withAffinity(): Iterable<PodGroup> {
    return this.#withAffinity
  }

  count(pod: PodInfo, node: NodeInfo, amount: 1 | -1): void {
    const groups = this.#byNamespace.get(pod.namespace) ?? new Map<string, PodGroup>()
    this.#byNamespace.set(pod.namespace, groups)
    let group = groups.get(pod.group)
    if (!group) {
      group = new PodGroup(pod)
      groups.set(pod.group, group)
      if (pod.hasAffinity) this.#withAffinity.add(group)
    }
    group.add(node, amount)
    if (!group.isEmpty) return
    groups.delete(pod.group)
    this.#withAffinity.delete(group)
    if (groups.size === 0) this.#byNamespace.delete(pod.namespace)
  }

  relabelled(node: NodeInfo): void {
    for (const group of this.all()) group.relabelled(node)
  }
}
