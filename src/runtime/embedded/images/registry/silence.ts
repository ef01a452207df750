/** Ends a pull in which nothing comes any more: whoever waits for it, or for its turn, is not held up for good. */
import type { Clock, Timer } from '../../../../machinery/clock.ts'
import { RuntimeError } from '../../../runtime.ts'

/** As containerd's `image_pull_progress_timeout`. */
export const longestSilenceMs = 300_000

export class Silence {
  readonly #clock: Clock
  readonly #longestMs: number
  readonly #over = new AbortController()
  #asking = 0
  #timer: Timer | undefined

  constructor(clock: Clock, longestMs = longestSilenceMs) {
    this.#clock = clock
    this.#longestMs = longestMs
  }

  get signal(): AbortSignal {
    return this.#over.signal
  }

  /** Only while something is asked for is silence a fault: layers are unpacked without a word of the registry. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#asking++
    this.heard()
    try {
      return await work()
    } finally {
      this.#asking--
      this.heard()
    }
  }

  heard(): void {
    this.#timer?.cancel()
    this.#timer = this.#asking > 0 ? this.#clock.after(this.#longestMs, () => this.#end()) : undefined
  }

  #end(): void {
    this.#over.abort(new RuntimeError('ErrImagePull', `nothing came from the registry for ${this.#longestMs / 1000} seconds`))
  }
}
