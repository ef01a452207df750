/** Delays that grow with each failure. */
import type { Clock } from '../machinery/clock.ts'

export interface BackoffOptions {
  initialMs: number
  maxMs: number
  /** 2 when absent. */
  factor?: number
  /** Each delay is lengthened by up to this part of itself, so that many do not come back at once. */
  jitter?: number
}

export class Backoff {
  readonly #options: BackoffOptions
  readonly #clock: Clock
  #failures = 0

  constructor(clock: Clock, options: BackoffOptions) {
    this.#clock = clock
    this.#options = options
  }

  /** The delay before the next attempt. */
  next(): number {
    const { initialMs, maxMs, factor = 2, jitter = 0 } = this.#options
    const delay = Math.min(initialMs * factor ** this.#failures++, maxMs)
    return delay * (1 + jitter * this.#clock.random())
  }

  reset(): void {
    this.#failures = 0
  }
}
