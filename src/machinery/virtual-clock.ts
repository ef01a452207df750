import type { Clock, Timer } from './clock.ts'

interface Pending {
  at: number
  order: number
  callback: () => void
}

/** Lets every promise callback and I/O completion that is due run before time goes on. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

/**
 * Time that moves only by {@link advance}: a test passes a day in a millisecond. Chance is a seeded
 * generator, so a run repeats to the byte.
 */
export class VirtualClock implements Clock {
  #now: number
  readonly #start: number
  #order = 0
  #pending: Pending[] = []
  #seed: number

  constructor({ start = Date.UTC(2026, 0, 1), seed = 1 }: { start?: number; seed?: number } = {}) {
    this.#now = start
    this.#start = start
    this.#seed = seed
  }

  now = () => this.#now
  monotonic = () => this.#now - this.#start

  after(ms: number, callback: () => void): Timer {
    const entry: Pending = { at: this.#now + Math.max(0, ms), order: this.#order++, callback }
    this.#pending.push(entry)
    return { cancel: () => this.#remove(entry) }
  }

  every(ms: number, callback: () => void): Timer {
    let timer: Timer
    const tick = () => {
      timer = this.after(ms, tick)
      callback()
    }
    timer = this.after(ms, tick)
    return { cancel: () => timer.cancel() }
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const timer = this.after(ms, () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      })
      const abort = () => {
        timer.cancel()
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /** mulberry32: small, and good enough for jitter and picks. */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  uuid(): string {
    const hex = Array.from({ length: 32 }, () => Math.floor(this.random() * 16).toString(16))
    hex[12] = '4'
    hex[16] = '89ab'[Math.floor(this.random() * 4)] ?? '8'
    const text = hex.join('')
    return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-')
  }

  /** Moves time on by `ms`, firing timers in order and letting what they started settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (;;) {
      const next = this.#earliest()
      if (!next || next.at > end) break
      this.#remove(next)
      this.#now = Math.max(this.#now, next.at)
      next.callback()
      await settle()
    }
    this.#now = end
    await settle()
  }

  #earliest(): Pending | undefined {
    let best: Pending | undefined
    for (const entry of this.#pending) {
      if (!best || entry.at < best.at || (entry.at === best.at && entry.order < best.order)) best = entry
    }
    return best
  }

  #remove(entry: Pending): void {
    this.#pending = this.#pending.filter((other) => other !== entry)
  }
}
