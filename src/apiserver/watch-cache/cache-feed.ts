/**
 * The one watch over the whole store that feeds every cache of this server, so that "the caches are at revision N"
 * means the same for all of them.
 */
import type { Clock } from '../../machinery/clock.ts'
import { Compacted, type Store, StoreClosed, type StoreEvent } from '../../store/store.ts'

/** Receives the events of one resource, in order. */
export interface FeedConsumer {
  onEvent(event: StoreEvent): void
  /** Events were lost (compacted before they were read): start again from the store. */
  onReset(): void
  onClosed(): void
}

const registry = '/registry/'

export class CacheFeed {
  readonly #store: Store
  readonly #clock: Clock
  readonly #consumers = new Map<string, FeedConsumer>()
  readonly #waiting = new Set<{ revision: number; resolve: () => void }>()
  readonly #abort = new AbortController()
  #revision = 0

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** All events up to here were delivered to the consumers. */
  get revision(): number {
    return this.#revision
  }

  async start(): Promise<void> {
    this.#revision = await this.#store.revision()
    this.#watch()
  }

  stop(): void {
    this.#abort.abort()
    for (const consumer of this.#consumers.values()) consumer.onClosed()
  }

  /** `prefix` as in `Resource.storagePrefix`: `pods`, `services/specs`. */
  add(prefix: string, consumer: FeedConsumer): void {
    this.#consumers.set(prefix, consumer)
  }

  remove(prefix: string): void {
    this.#consumers.delete(prefix)
  }

  /** Resolves once the caches hold all that was written before this call. */
  async caughtUp(): Promise<number> {
    const revision = await this.#store.revision()
    if (revision > this.#revision) await this.reached(revision, 3000)
    return this.#revision
  }

  /** Resolves true once the caches are at `revision`; false when that takes longer than `ms`. */
  reached(revision: number, ms: number): Promise<boolean> {
    if (revision <= this.#revision) return Promise.resolve(true)
    return new Promise((resolve) => {
      const entry = { revision, resolve: () => done(true) }
      const timer = this.#clock.after(ms, () => done(false))
      const done = (reached: boolean) => {
        timer.cancel()
        this.#waiting.delete(entry)
        resolve(reached)
      }
      this.#waiting.add(entry)
    })
  }

  #watch(): void {
    this.#store.watch('', {
      after: this.#revision,
      signal: this.#abort.signal,
      onEvents: (events) => this.#onEvents(events),
      onError: (error) => this.#onError(error),
    })
  }

  #onEvents(events: StoreEvent[]): void {
    for (const event of events) {
      this.#consumerOf(event.key)?.onEvent(event)
      this.#revision = event.revision
    }
    for (const entry of [...this.#waiting]) if (entry.revision <= this.#revision) entry.resolve()
  }

  #onError(error: Error): void {
    if (error instanceof StoreClosed || this.#abort.signal.aborted) {
      for (const consumer of this.#consumers.values()) consumer.onClosed()
      return
    }
    if (!(error instanceof Compacted)) throw error
    this.#revision = error.compactRevision
    for (const consumer of this.#consumers.values()) consumer.onReset()
    this.#watch()
  }

  /** A prefix has one segment, or two (`services/specs`, `example.com/widgets`). */
  #consumerOf(key: string): FeedConsumer | undefined {
    if (!key.startsWith(registry)) return undefined
    const first = key.indexOf('/', registry.length)
    if (first < 0) return undefined
    const one = this.#consumers.get(key.slice(registry.length, first))
    if (one) return one
    const second = key.indexOf('/', first + 1)
    return second < 0 ? undefined : this.#consumers.get(key.slice(registry.length, second))
  }
}
