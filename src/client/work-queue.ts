/**
 * Keys to work on: each at most once at a time, and once more if it was added meanwhile. A key that failed
 * comes back after a delay that doubles with each failure; all such returns together are limited in rate.
 * Each key carries the revisions that woke it.
 */
import type { Clock, Timer } from '../machinery/clock.ts'
import type { MetricRegistry } from '../machinery/metrics/registry.ts'
import { QueueMetrics } from './work-queue-metrics.ts'

export interface WorkQueueOptions {
  clock: Clock
  /** 5 ms when absent, doubled for each failure of the key. */
  baseDelayMs?: number
  /** 1000 s when absent. */
  maxDelayMs?: number
  /** Returns after failure, of all keys together: 10 a second when absent, after a burst of 100. */
  ratePerSecond?: number
  burst?: number
  /** Where it is counted, and under which name. */
  metrics?: { registry: MetricRegistry; name: string }
}

export interface Work {
  key: string
  /** Revisions of the changes that woke it, oldest first; at most {@link maxSeen}. */
  seen: number[]
}

const maxSeen = 32

export class WorkQueue {
  readonly #clock: Clock
  readonly #baseDelayMs: number
  readonly #maxDelayMs: number
  readonly #rate: number
  readonly #burst: number
  /** Tokens of the overall rate, and when they were counted; below zero: promised to keys that wait. */
  #tokens: number
  #countedAt: number

  /** Keys that wait for a worker, in order. */
  readonly #ready = new Set<string>()
  readonly #working = new Set<string>()
  /** Added while they were worked on. */
  readonly #again = new Set<string>()
  readonly #seen = new Map<string, number[]>()
  readonly #failures = new Map<string, number>()
  readonly #delayed = new Map<string, { at: number; timer: Timer }>()
  readonly #takers: ((work: Work | undefined) => void)[] = []
  readonly #metrics: QueueMetrics | undefined
  #stopped = false

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock
    this.#baseDelayMs = options.baseDelayMs ?? 5
    this.#maxDelayMs = options.maxDelayMs ?? 1_000_000
    this.#rate = options.ratePerSecond ?? 10
    this.#burst = options.burst ?? 100
    this.#tokens = this.#burst
    this.#countedAt = options.clock.monotonic()
    if (options.metrics) this.#metrics = new QueueMetrics(options.metrics.registry, options.metrics.name, options.clock, () => this.#ready.size)
  }

  /** Keys that wait for a worker. */
  get length(): number {
    return this.#ready.size
  }

  add(key: string, revision?: number): void {
    if (this.#stopped) return
    if (revision !== undefined) this.#note(key, revision)
    if (this.#working.has(key)) this.#again.add(key)
    else {
      if (!this.#ready.has(key)) this.#metrics?.added(key)
      this.#ready.add(key)
      this.#handOut()
    }
  }

  /** Adds after a delay; of several delays the shortest counts. */
  addAfter(key: string, ms: number, revision?: number): void {
    if (this.#stopped) return
    if (revision !== undefined) this.#note(key, revision)
    if (ms <= 0) {
      this.add(key)
      return
    }
    const at = this.#clock.monotonic() + ms
    const waiting = this.#delayed.get(key)
    if (waiting && waiting.at <= at) return
    waiting?.timer.cancel()
    const timer = this.#clock.after(ms, () => {
      this.#delayed.delete(key)
      this.add(key)
    })
    this.#delayed.set(key, { at, timer })
  }

  /** Adds a key that failed, and counts the failure. What had woken it is still why it is worked on. */
  addRateLimited(key: string, seen: readonly number[] = []): void {
    for (const revision of seen) this.#note(key, revision)
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    this.#metrics?.retried()
    this.addAfter(key, Math.max(Math.min(this.#baseDelayMs * 2 ** failures, this.#maxDelayMs), this.#reserve()))
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0
  }

  /** The key is well again: its next failure waits the shortest delay. */
  forget(key: string): void {
    this.#failures.delete(key)
  }

  /** The next key; undefined once the queue is shut down. Call {@link done} when it is worked on. */
  take(): Promise<Work | undefined> {
    const key = this.#next()
    if (key !== undefined) return Promise.resolve(this.#begin(key))
    if (this.#stopped) return Promise.resolve(undefined)
    return new Promise((resolve) => this.#takers.push(resolve))
  }

  done(key: string): void {
    this.#working.delete(key)
    this.#metrics?.done(key)
    if (this.#again.delete(key)) this.add(key)
  }

  /** Nothing is added or handed out any more; what is being worked on goes on. */
  shutDown(): void {
    this.#stopped = true
    for (const { timer } of this.#delayed.values()) timer.cancel()
    this.#delayed.clear()
    this.#ready.clear()
    this.#again.clear()
    this.#metrics?.close()
    for (const taker of this.#takers.splice(0)) taker(undefined)
  }

  #handOut(): void {
    if (this.#takers.length === 0) return
    const key = this.#next()
    if (key !== undefined) this.#takers.shift()?.(this.#begin(key))
  }

  #next(): string | undefined {
    const [key] = this.#ready
    return key
  }

  #begin(key: string): Work {
    this.#ready.delete(key)
    this.#working.add(key)
    this.#metrics?.begun(key)
    const seen = this.#seen.get(key) ?? []
    this.#seen.delete(key)
    return { key, seen }
  }

  #note(key: string, revision: number): void {
    const seen = this.#seen.get(key)
    if (!seen) this.#seen.set(key, [revision])
    else if (!seen.includes(revision)) {
      seen.push(revision)
      if (seen.length > maxSeen) seen.shift()
    }
  }

  /** Takes a token and says how long it is until it is there. */
  #reserve(): number {
    const now = this.#clock.monotonic()
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#countedAt) / 1000) * this.#rate) - 1
    this.#countedAt = now
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#rate) * 1000
  }
}
