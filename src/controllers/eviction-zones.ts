/**
 * How fast nodes may be emptied, by zone. One node that fails is a fault of the node; many at once are more likely a
 * fault of the network, or of ours: then nodes are emptied slowly, or not at all (upstream's modes of disruption).
 */
import type { Clock } from '../machinery/clock.ts'
import type { V1Node } from '../machinery/schema/generated/types.ts'
import { isNodeReady } from './node-conditions.ts'

export interface EvictionRates {
  /** Nodes a second that are emptied in a zone; 0.1 when absent. */
  nodesPerSecond?: number
  /** The same in a large zone of which much is down; 0.01 when absent. A smaller zone is left as it is then. */
  nodesPerSecondDisrupted?: number
  /** A zone is large with more nodes than this; 50 when absent. */
  largeZone?: number
  /** The share of nodes that are down from which on a zone is disrupted; 0.55 when absent. */
  disruptedShare?: number
}

interface Zone {
  ready: number
  notReady: number
  /** Nodes that may be emptied now, at most one; as of {@link at}. */
  allowance: number
  at: number
}

const regionLabel = 'topology.kubernetes.io/region'
const zoneLabel = 'topology.kubernetes.io/zone'

/** `region:zone`; '' of a node that says neither. */
export function zoneOf({ metadata: { labels = {} } }: V1Node): string {
  const [region = '', zone = ''] = [labels[regionLabel], labels[zoneLabel]]
  return region || zone ? `${region}:${zone}` : ''
}

export class EvictionZones {
  readonly #clock: Clock
  readonly #rates: Required<EvictionRates>
  readonly #zones = new Map<string, Zone>()
  readonly #nodes = new Map<string, { zone: string; isReady: boolean }>()

  constructor(clock: Clock, rates: EvictionRates) {
    this.#clock = clock
    this.#rates = { nodesPerSecond: 0.1, nodesPerSecondDisrupted: 0.01, largeZone: 50, disruptedShare: 0.55, ...rates }
  }

  observe(node: V1Node): void {
    const { name } = node.metadata
    const next = { zone: zoneOf(node), isReady: isNodeReady(node) }
    const known = this.#nodes.get(name)
    if (known?.zone === next.zone && known.isReady === next.isReady) return
    this.forget(name)
    this.#nodes.set(name, next)
    const zone = this.#zones.get(next.zone) ?? { ready: 0, notReady: 0, allowance: 1, at: this.#clock.monotonic() }
    this.#zones.set(next.zone, zone)
    // What was saved up at one rate is not lost at the next.
    this.#accrue(zone)
    count(zone, next.isReady, 1)
  }

  forget(name: string): void {
    const known = this.#nodes.get(name)
    const zone = known && this.#zones.get(known.zone)
    if (!known || !zone) return
    this.#nodes.delete(name)
    this.#accrue(zone)
    count(zone, known.isReady, -1)
    if (zone.ready + zone.notReady === 0) this.#zones.delete(known.zone)
  }

  sizes(): { zone: string; ready: number; notReady: number }[] {
    return [...this.#zones].map(([zone, { ready, notReady }]) => ({ zone, ready, notReady }))
  }

  /** Not one node is ready: nobody is driven out of a house that has no other. */
  get isAllDown(): boolean {
    for (const { ready } of this.#zones.values()) if (ready > 0) return false
    return true
  }

  /** Uses the zone's allowance for one node; false when there is none now. */
  mayEmpty(node: V1Node): boolean {
    const zone = this.#zones.get(zoneOf(node))
    if (!zone) return false
    const rate = this.#accrue(zone)
    if (rate === 0 || zone.allowance < 1) return false
    zone.allowance--
    return true
  }

  #accrue(zone: Zone): number {
    const rate = this.#rateOf(zone)
    const now = this.#clock.monotonic()
    zone.allowance = Math.min(1, zone.allowance + ((now - zone.at) / 1000) * rate)
    zone.at = now
    return rate
  }

  #rateOf({ ready, notReady }: Zone): number {
    const { nodesPerSecond, nodesPerSecondDisrupted, largeZone, disruptedShare } = this.#rates
    const all = ready + notReady
    // Where all of a zone is down, other zones have room: it is emptied as usual.
    const isPartly = ready > 0 && notReady > 2 && notReady / all >= disruptedShare
    if (!isPartly) return nodesPerSecond
    return all > largeZone ? nodesPerSecondDisrupted : 0
  }
}

function count(zone: Zone, isReady: boolean, amount: 1 | -1): void {
  if (isReady) zone.ready += amount
  else zone.notReady += amount
}
