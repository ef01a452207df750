import type { Clock, Timer } from './clock.ts'
import { Heap } from './heap.ts'

interface Pending {
  at: number
  order: number
  callback: () => void
  cancelled: boolean
}

/** The earliest first; of one time, the one that was asked for first. */
const inOrder = (a: Pending, b: Pending) => a.at - b.at || a.order - b.order
/** So few that are cancelled may lie about for good. */
const fewCancelled = 64

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
  #pending = new Heap<Pending>(inOrder)
  #cancelled = 0
  #seed: number

  constructor({ start = Date.UTC(2026, 0, 1), seed = 1 }: { start?: number; seed?: number } = {}) {
    this.#now = start
    this.#start = start
    this.#seed = seed
  }

  now = () => this.#now
  monotonic = () => this.#now - this.#start

  after(ms: number, callback: () => void): Timer {
    const entry: Pending = { at: this.#now + Math.max(0, ms), order: this.#order++, callback, cancelled: false }
    this.#pending.push(entry)
    return { cancel: () => this.#cancel(entry) }
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
      const next = this.#takeUntil(end)
      if (!next) break
      this.#now = Math.max(this.#now, next.at)
      next.callback()
      await settle()
    }
    this.#now = end
    await settle()
  }

  /** Takes out the earliest that is due by then. */
  #takeUntil(end: number): Pending | undefined {
    for (let next = this.#pending.pop(); next; next = this.#pending.pop()) {
      if (next.cancelled) {
        this.#cancelled--
        continue
      }
      if (next.at > end) {
        this.#pending.push(next)
        return undefined
      }
      // Whoever cancels it from now on comes too late.
      next.cancelled = true
      return next
    }
    return undefined
  }

  /** It stays where it is until its time, unless most are like it: then all of them are cleared away. */
  #cancel(entry: Pending): void {
    if (entry.cancelled) return
    entry.cancelled = true
    this.#cancelled++
    if (this.#cancelled <= fewCancelled || this.#cancelled * 2 <= this.#pending.size) return
    const living = new Heap<Pending>(inOrder)
    for (let next = this.#pending.pop(); next; next = this.#pending.pop()) if (!next.cancelled) living.push(next)
    this.#pending = living
    this.#cancelled = 0
  }
}
