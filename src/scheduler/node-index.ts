/** What is asked of all nodes together, kept as nodes come, change and go. */
import type { NodeInfo } from './node-info.ts'

export interface Topology {
  /** Nodes by the label's value. */
  values: ReadonlyMap<string, number>
  /** How many nodes have the label. */
  nodes: number
}

interface Counted {
  values: Map<string, number>
  nodes: number
}

export class NodeIndex {
  readonly #nodes: ReadonlyMap<string, NodeInfo>
  /** By label; made when first asked for. */
  readonly #topologies = new Map<string, Counted>()
  readonly #images = new Map<string, number>()

  constructor(nodes: ReadonlyMap<string, NodeInfo>) {
    this.#nodes = nodes
  }

  topology(key: string): Topology {
    let topology = this.#topologies.get(key)
    if (!topology) {
      topology = { values: new Map(), nodes: 0 }
      for (const node of this.#nodes.values()) count(topology, node.labels[key], 1)
      this.#topologies.set(key, topology)
    }
    return topology
  }

  /** How many nodes have the image. */
  withImage(image: string): number {
    return this.#images.get(image) ?? 0
  }

  add(node: NodeInfo, amount: 1 | -1): void {
    for (const [key, topology] of this.#topologies) count(topology, node.labels[key], amount)
    for (const image of node.images.keys()) {
      const nodes = this.withImage(image) + amount
      if (nodes > 0) this.#images.set(image, nodes)
      else this.#images.delete(image)
    }
  }
}

function count(topology: Counted, value: string | undefined, amount: number): void {
  if (value === undefined) return
  topology.nodes += amount
  const nodes = (topology.values.get(value) ?? 0) + amount
  if (nodes > 0) topology.values.set(value, nodes)
  else topology.values.delete(value)
}
