/**
 * Delivers a store's events to its watchers. The store says each durable batch once; a watcher that starts
 * from the past reads it from the store's history first, and no event is lost or doubled at the seam.
 */
import { Compacted, StoreClosed, type StoreEvent, type WatchOptions } from './store.ts'

interface Watcher extends WatchOptions {
  prefix: string
  /** The revision up to which events were delivered. */
  delivered: number
}

export class WatchHub {
  readonly #watchers = new Set<Watcher>()
  #closed = false

  /** `history(prefix, after)` gives all durable events after a revision, or throws {@link Compacted}. */
  watch(prefix: string, options: WatchOptions, history: (prefix: string, after: number) => StoreEvent[], durable: number): void {
    if (options.signal.aborted) return
    if (this.#closed) {
      options.onError(new StoreClosed())
      return
    }
    const watcher: Watcher = {
      prefix,
      delivered: Math.max(options.after, durable),
      after: options.after,
      signal: options.signal,
      onEvents: options.onEvents,
      onError: options.onError,
    }
    try {
      const past = options.after < durable ? history(prefix, options.after) : []
      if (past.length > 0) options.onEvents(past)
    } catch (error) {
      if (!(error instanceof Compacted)) throw error
      options.onError(error)
      return
    }
    this.#watchers.add(watcher)
    options.signal.addEventListener('abort', () => this.#watchers.delete(watcher), { once: true })
  }

  /** Events of whole revisions, in order, once durable. */
  publish(events: StoreEvent[]): void {
    for (const watcher of [...this.#watchers]) {
      const mine = events.filter((event) => event.revision > watcher.delivered && event.key.startsWith(watcher.prefix))
      if (mine.length > 0) watcher.onEvents(mine)
    }
  }

  close(): void {
    this.#closed = true
    for (const watcher of [...this.#watchers]) watcher.onError(new StoreClosed())
    this.#watchers.clear()
  }
}
