/**
 * The volumes that a claim could have, smallest first, and which of them a node reaches. Most volumes that are tied
 * to nodes at all are tied by one label (the host's name, the zone): found by its value, they need not be asked one by
 * one for each node.
 */
import { matchesNodeSelector } from '../../apis/core/node-selector.ts'
import { compareQuantities } from '../../machinery/quantity.ts'
import type { V1PersistentVolume } from '../../machinery/schema/generated/types.ts'
import type { NodeInfo } from '../node-info.ts'

export function reachable(volume: V1PersistentVolume, node: NodeInfo): boolean {
  const required = volume.spec.nodeAffinity?.required
  return !required || matchesNodeSelector(required, node)
}

/** The label and its values that a node must have to be looked at; undefined where it is not as simple as that. */
function tie(volume: V1PersistentVolume): { key: string; values: readonly string[] } | undefined {
  const terms = volume.spec.nodeAffinity?.required?.nodeSelectorTerms ?? []
  const found = terms.length === 1 ? terms[0]?.matchExpressions?.find(({ operator }) => operator === 'In') : undefined
  return found ? { key: found.key, values: found.values ?? [] } : undefined
}

interface Ranked {
  volume: V1PersistentVolume
  rank: number
}

const bySize = (a: V1PersistentVolume, b: V1PersistentVolume) =>
  compareQuantities(a.spec.capacity?.storage ?? '0', b.spec.capacity?.storage ?? '0') || (a.metadata.name < b.metadata.name ? -1 : 1)

export class FreeVolumes {
  readonly #loose: Ranked[] = []
  /** By label, then by its value. */
  readonly #tied = new Map<string, Map<string, Ranked[]>>()

  constructor(volumes: V1PersistentVolume[]) {
    for (const [rank, volume] of volumes.sort(bySize).entries()) {
      const tied = tie(volume)
      if (!tied) {
        this.#loose.push({ volume, rank })
        continue
      }
      const byValue = this.#tied.get(tied.key) ?? new Map<string, Ranked[]>()
      this.#tied.set(tied.key, byValue)
      for (const value of new Set(tied.values)) byValue.set(value, [...(byValue.get(value) ?? []), { volume, rank }])
    }
  }

  /** The smallest that the node reaches and that is not taken. */
  bestFor(node: NodeInfo, taken: ReadonlySet<string>): V1PersistentVolume | undefined {
    const suits = ({ volume }: Ranked) => !taken.has(volume.metadata.name) && reachable(volume, node)
    let best = this.#loose.find(suits)
    for (const [key, byValue] of this.#tied) {
      const found = byValue.get(node.labels[key] ?? '')?.find(suits)
      if (found && (!best || found.rank < best.rank)) best = found
    }
    return best?.volume
  }
}
