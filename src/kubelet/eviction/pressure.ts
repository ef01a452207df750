/**
 * Which thresholds act and which conditions the node has, from one look to the next: soft thresholds wait for their
 * grace period, and a condition stays for the transition period after its threshold was last met, so that the
 * scheduler is not led back and forth.
 */
import { conditionOfSignal, type Observations, type PressureCondition, type Threshold, thresholdsMet } from './thresholds.ts'

export class Pressure {
  readonly #thresholds: readonly Threshold[]
  readonly #transitionMs: number
  readonly #firstMet = new Map<Threshold, number>()
  readonly #lastSeen = new Map<PressureCondition, number>()
  #acting: readonly Threshold[] = []

  constructor(thresholds: readonly Threshold[], transitionMs: number) {
    this.#thresholds = thresholds
    this.#transitionMs = transitionMs
  }

  /** Those that act now, memory first. */
  look(observations: Observations, now: number): readonly Threshold[] {
    const met = new Set([...thresholdsMet(this.#thresholds, observations, false), ...thresholdsMet(this.#acting, observations, true)])
    for (const threshold of this.#firstMet.keys()) if (!met.has(threshold)) this.#firstMet.delete(threshold)
    for (const threshold of met) {
      if (!this.#firstMet.has(threshold)) this.#firstMet.set(threshold, now)
      this.#lastSeen.set(conditionOfSignal(threshold.signal), now)
    }
    for (const [condition, at] of this.#lastSeen) if (now - at >= this.#transitionMs) this.#lastSeen.delete(condition)
    this.#acting = [...met].filter((threshold) => now - (this.#firstMet.get(threshold) ?? now) >= (threshold.graceMs ?? 0))
    return this.#acting.toSorted((a, b) => Number(b.signal === 'memory.available') - Number(a.signal === 'memory.available'))
  }

  /** Whether enough is free again for all that acts, by newer observations. */
  isRelieved(observations: Observations): boolean {
    return thresholdsMet(this.#acting, observations, true).length === 0
  }

  /** In upstream's order of messages: by the time it came. */
  get conditions(): PressureCondition[] {
    return [...this.#lastSeen.keys()]
  }
}
