/** Which of the unneeded nodes go now: those unneeded for long enough, the empty ones together, others one by one. */
import type { Clock } from '../../machinery/clock.ts'
import type { PoolState } from '../pool-state.ts'
import type { AutoscalerSettings } from '../settings.ts'
import type { UnneededNode } from './unneeded-nodes.ts'

export class ScaleDownTimes {
  readonly #clock: Clock
  /** By node, since when it is not needed, and whether it was ready then. */
  readonly #since = new Map<string, { at: number; ready: boolean }>()
  lastAdd = Number.NEGATIVE_INFINITY
  lastDelete = Number.NEGATIVE_INFINITY
  lastFailure = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Nodes that were unneeded and are not among these are needed again. */
  note(unneeded: readonly UnneededNode[]): void {
    const now = this.#clock.monotonic()
    const names = new Set(unneeded.map(({ node }) => node.name))
    for (const name of this.#since.keys()) if (!names.has(name)) this.#since.delete(name)
    for (const { node, ready } of unneeded) if (this.#since.get(node.name)?.ready !== ready) this.#since.set(node.name, { at: now, ready })
  }

  /** Milliseconds until the node may go. */
  left({ node, ready, state }: UnneededNode, settings: AutoscalerSettings): number {
    const { settings: pool } = state
    const now = this.#clock.monotonic()
    const since = this.#since.get(node.name)?.at ?? now
    return Math.max(since + (ready ? pool.unneededMs : pool.unreadyMs) - now, this.#delay(state, settings))
  }

  /** Whether one of them has to wait because of what was done with others. */
  isCoolingDown(unneeded: readonly UnneededNode[], settings: AutoscalerSettings): boolean {
    return unneeded.some(({ state }) => this.#delay(state, settings) > 0)
  }

  #delay({ settings: pool }: PoolState, settings: AutoscalerSettings): number {
    return (
      Math.max(
        this.lastAdd + pool.delayAfterAddMs,
        this.lastDelete + settings.scaleDownDelayAfterDeleteMs,
        this.lastFailure + settings.scaleDownDelayAfterFailureMs,
      ) - this.#clock.monotonic()
    )
  }
}

/** `running`: removals under way, and how many of them drain. */
export function chooseRemovals(
  unneeded: readonly UnneededNode[],
  times: ScaleDownTimes,
  settings: AutoscalerSettings,
  running: { all: number; draining: number },
): UnneededNode[] {
  const due = unneeded.filter((node) => times.left(node, settings) <= 0)
  const empty = due.filter(({ pods }) => pods.length === 0)
  const chosen = empty.slice(0, Math.max(0, settings.maxScaleDownParallelism - running.all))
  // Nodes that take up each other's pods do not go at the same time as empty ones that were to take them up: all of
  // them were found together.
  const drains = Math.min(settings.maxDrainParallelism - running.draining, settings.maxScaleDownParallelism - running.all - chosen.length)
  return [...chosen, ...due.filter(({ pods }) => pods.length > 0).slice(0, Math.max(0, drains))]
}
