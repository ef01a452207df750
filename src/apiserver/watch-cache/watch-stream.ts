/**
 * One client's watch: what it is to be told, in order, until it takes it. Bounded: a client that does not keep up
 * loses its watch, not the server its memory, and starts again from the last revision it saw.
 */
import { expired } from '../../machinery/errors.ts'
import type { AnyObject, Status, WatchEvent } from '../../machinery/object.ts'
import type { CacheCounts } from './cache-counts.ts'
import type { CacheChange } from './change.ts'
import type { Selection } from './selection.ts'
import type { Watching } from './watcher-index.ts'

export type Event = WatchEvent<AnyObject>

export interface WatchStreamOptions {
  selection: Selection
  /** Whether the client understands bookmarks. */
  bookmarks: boolean
  kind: string
  apiVersion: string
  /** From the stored version to the one asked for; gives the same result for the same object. */
  convert?: (object: AnyObject) => AnyObject
  /** Events that may wait; more, and the watch ends. */
  capacity?: number
}

export const initialEventsEnd = 'k8s.io/initial-events-end'

export class WatchStream implements AsyncIterable<Event>, Watching {
  readonly selection: Selection
  readonly bookmarks: boolean
  /** Applied to each object as it leaves (tables, metadata only). */
  render: ((event: Event) => Event) | undefined
  readonly #options: WatchStreamOptions
  readonly #counts: CacheCounts | undefined
  readonly #closers: (() => void)[] = []
  /** Objects that were there when the watch began: ADDED events not made yet. */
  #initial: Iterator<AnyObject> | undefined
  #queue: Event[] = []
  #ended = false
  #readable: (() => void) | undefined

  constructor(options: WatchStreamOptions, counts?: CacheCounts) {
    this.#options = options
    this.#counts = counts
    this.selection = options.selection
    this.bookmarks = options.bookmarks
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Objects to tell as ADDED before all else. Taken one by one, so a large list is never held twice. */
  begin(objects: Iterable<AnyObject>): void {
    this.#initial = objects[Symbol.iterator]()
    this.#wake()
  }

  onChange(change: CacheChange): void {
    const event = this.#eventOf(change)
    if (event) this.push(event)
  }

  bookmark(revision: number, initialEnd = false): void {
    if (!this.bookmarks) return
    const { kind, apiVersion } = this.#options
    const metadata: Record<string, unknown> = { resourceVersion: String(revision), creationTimestamp: null }
    if (initialEnd) metadata.annotations = { [initialEventsEnd]: 'true' }
    this.push({ type: 'BOOKMARK', object: { kind, apiVersion, metadata } as unknown as AnyObject })
  }

  fail(status: Status): void {
    this.push({ type: 'ERROR', object: status })
    this.end()
  }

  tooOld(revision: number, oldest: number): void {
    this.fail(expired(`too old resource version: ${revision} (${oldest})`).status)
  }

  push(event: Event): void {
    if (this.#ended) return
    if (this.#queue.length >= (this.#options.capacity ?? 4096)) {
      this.#queue = []
      this.#initial = undefined
      if (this.#counts) this.#counts.overflowed++
      this.end()
      return
    }
    this.#queue.push(event)
    this.#wake()
  }

  /** What waits, at most `max`; empty when nothing does. */
  take(max: number): Event[] {
    const events: Event[] = []
    while (this.#initial && events.length < max) {
      const next = this.#initial.next()
      if (next.done) this.#initial = undefined
      else events.push({ type: 'ADDED', object: next.value })
    }
    if (!this.#initial && events.length < max && this.#queue.length > 0) {
      const room = max - events.length
      if (this.#queue.length <= room) {
        events.push(...this.#queue)
        this.#queue = []
      } else events.push(...this.#queue.splice(0, room))
    }
    if (this.#counts) this.#counts.told += events.length
    return this.render ? events.map(this.render) : events
  }

  /** Calls `readable` each time something can be taken, or the stream has ended. One reader only. */
  onReadable(readable: () => void): void {
    this.#readable = readable
    readable()
  }

  onEnd(closer: () => void): void {
    if (this.#ended) closer()
    else this.#closers.push(closer)
  }

  /** What was pushed before can still be taken. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    for (const closer of this.#closers.splice(0)) closer()
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Event> {
    try {
      for (;;) {
        const events = this.take(256)
        // `yield*` of nothing would wait a turn, in which a push finds nobody to wake.
        if (events.length > 0) {
          yield* events
          continue
        }
        if (this.#ended) return
        await new Promise<void>((resolve) => {
          this.#readable = resolve
        })
      }
    } finally {
      this.end()
    }
  }

  #wake(): void {
    this.#readable?.()
  }

  #eventOf(change: CacheChange): Event | undefined {
    const { namespace, matches } = this.selection
    if (namespace && !change.key.startsWith(`${namespace}/`)) return undefined
    const { convert = same } = this.#options
    const object = change.object && convert(change.object)
    const matchesNow = object !== undefined && (!matches || matches(object))
    const matchedBefore = change.previous !== undefined && (!matches || matches(convert(change.previous)))
    if (matchesNow) return { type: matchedBefore ? 'MODIFIED' : 'ADDED', object }
    return matchedBefore && change.departed ? { type: 'DELETED', object: convert(change.departed) } : undefined
  }
}

const same = (object: AnyObject) => object
