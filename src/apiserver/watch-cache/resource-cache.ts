/**
 * All objects of one resource in memory, decoded once and shared, following the store. Reads never copy; watches
 * start from the window of latest changes, and further back from the store's own history.
 */
import type { Resource } from '../../apis/resource.ts'
import type { Clock, Timer } from '../../machinery/clock.ts'
import type { AnyObject } from '../../machinery/object.ts'
import { Compacted, type Store, type StoreEvent } from '../../store/store.ts'
import type { CachedObjects } from '../contracts.ts'
import type { ObjectCodec } from '../values/object-codec.ts'
import { CacheCounts } from './cache-counts.ts'
import type { CacheFeed, FeedConsumer } from './cache-feed.ts'
import { CacheChange } from './change.ts'
import { ChangeWindow } from './change-window.ts'
import type { Selection } from './selection.ts'
import { SortedKeys } from './sorted-keys.ts'
import { WatchStream, type WatchStreamOptions } from './watch-stream.ts'
import { WatcherIndex } from './watcher-index.ts'

/** Changes that watches may go back to without asking the store. */
export const windowSize = 2048
const bookmarkPeriod = 60_000

export interface WatchStart {
  /** Tell what is there first. */
  initial: boolean
  /** Say with a bookmark where the initial events end. */
  initialEnd: boolean
  /** Without initial events: tell changes after this revision. */
  after: number
}

type ChangeHandler = Parameters<CachedObjects['onChange']>[0]

export class ResourceCache implements FeedConsumer, CachedObjects {
  readonly resource: Resource
  readonly prefix: string
  readonly counts = new CacheCounts()
  readonly codec: ObjectCodec
  readonly #store: Store
  readonly #feed: CacheFeed
  readonly #clock: Clock
  readonly #objects = new Map<string, AnyObject>()
  readonly #keys = new SortedKeys()
  readonly #watchers: WatcherIndex
  readonly #handlers = new Set<ChangeHandler>()
  #window = new ChangeWindow(0, windowSize)
  /** Events that came while the first read was under way. */
  #pending: StoreEvent[] | undefined
  #loading: Promise<void> | undefined
  #bookmarks: Timer | undefined
  #watching = 0

  constructor(resource: Resource, codec: ObjectCodec, store: Store, feed: CacheFeed, clock: Clock) {
    this.resource = resource
    this.prefix = `/registry/${resource.storagePrefix}/`
    this.codec = codec
    this.#store = store
    this.#feed = feed
    this.#clock = clock
    this.#watchers = new WatcherIndex(resource)
    feed.add(resource.storagePrefix, this)
  }

  /** Resolves once the cache holds all; reads it from the store at the first call. */
  ready(): Promise<void> {
    this.#loading ??= this.#load()
    return this.#loading
  }

  get size(): number {
    return this.#objects.size
  }

  get watchers(): number {
    return this.#watching
  }

  get(namespace: string, name: string): AnyObject | undefined {
    return this.#objects.get(namespace ? `${namespace}/${name}` : name)
  }

  *list(namespace = ''): Generator<AnyObject> {
    for (const key of this.keys(namespace)) {
      const object = this.#objects.get(key)
      if (object) yield object
    }
  }

  /** Keys relative to the resource (`namespace/name`), in order, from `start` on. */
  keys(namespace = '', start = ''): string[] {
    const prefix = namespace ? `${namespace}/` : ''
    return this.#keys.range(prefix, start || prefix)
  }

  byKey(key: string): AnyObject | undefined {
    return this.#objects.get(key)
  }

  onChange(handler: ChangeHandler): () => void {
    this.#handlers.add(handler)
    return () => this.#handlers.delete(handler)
  }

  watch(options: WatchStreamOptions, start: WatchStart): WatchStream {
    const stream = new WatchStream(options, this.counts)
    if (start.initial) {
      stream.begin(this.#selected(options))
      if (start.initialEnd) stream.bookmark(this.#feed.revision, true)
      this.#follow(stream)
      return stream
    }
    const past = this.#window.since(start.after)
    if (past) {
      for (const change of past) stream.onChange(change)
      this.#follow(stream)
    } else this.#followStore(stream, start.after)
    return stream
  }

  onEvent(event: StoreEvent): void {
    if (this.#pending) {
      this.#pending.push(event)
      return
    }
    if (!this.#loading) return
    this.counts.received++
    const key = event.key.slice(this.prefix.length)
    const previous = this.#objects.get(key)
    const decoded = this.codec.decode(event.kv)
    const change =
      event.type === 'put' ? new CacheChange(event.revision, key, decoded, previous) : new CacheChange(event.revision, key, undefined, previous, decoded)
    if (change.object) {
      this.#objects.set(key, change.object)
      if (!previous) this.#keys.add(key)
    } else {
      this.#objects.delete(key)
      this.#keys.remove(key)
    }
    this.#window.add(change)
    this.#watchers.deliver(change)
    for (const handler of this.#handlers) handler(change)
  }

  onReset(): void {
    for (const stream of [...this.#streams()]) stream.tooOld(0, this.#feed.revision)
    this.#loading = this.#load()
  }

  onClosed(): void {
    for (const stream of [...this.#streams()]) stream.end()
    this.#bookmarks?.cancel()
  }

  async #load(): Promise<void> {
    this.#pending = []
    const { kvs, revision } = await this.#store.range(this.prefix)
    this.counts.loads++
    this.counts.loaded += kvs.length
    this.#objects.clear()
    for (const kv of kvs) this.#objects.set(kv.key.slice(this.prefix.length), this.codec.decode(kv))
    this.#keys.reset(this.#objects.keys())
    this.#window = new ChangeWindow(revision, windowSize)
    const pending = this.#pending
    this.#pending = undefined
    for (const event of pending) if (event.revision > revision) this.onEvent(event)
    // What this read saw must not be newer than what the feed says of every cache.
    await this.#feed.reached(revision, 3000)
  }

  /** What is there at this moment; taken before the next change, although it is handed out one by one. */
  #selected({ selection, convert }: WatchStreamOptions): AnyObject[] {
    const chosen: AnyObject[] = []
    for (const stored of this.select(selection)) {
      const object = convert ? convert(stored) : stored
      if (!selection.matches || selection.matches(object)) chosen.push(object)
    }
    return chosen
  }

  /** The objects that a selection may concern (its predicate is not applied), in order. */
  select(selection: Selection): Iterable<AnyObject> {
    if (selection.name === undefined) return this.list(selection.namespace)
    if (!selection.namespace && this.resource.namespaced) return this.list()
    const object = this.get(selection.namespace, selection.name)
    return object ? [object] : []
  }

  #follow(stream: WatchStream): void {
    this.#watchers.add(stream)
    this.#watching++
    this.#bookmarks ??= this.#clock.every(bookmarkPeriod, () => {
      for (const each of this.#streams()) each.bookmark(this.#feed.revision)
    })
    stream.onEnd(() => {
      this.#watchers.remove(stream)
      if (--this.#watching > 0) return
      this.#bookmarks?.cancel()
      this.#bookmarks = undefined
    })
  }

  /** From further back than the window reaches (after a restart, say): the store knows it until it is compacted. */
  #followStore(stream: WatchStream, after: number): void {
    const abort = new AbortController()
    stream.onEnd(() => abort.abort())
    this.#store.watch(this.prefix, {
      after,
      signal: abort.signal,
      onEvents: (events) => {
        for (const { type, kv, key, previous, revision } of events) {
          const relative = key.slice(this.prefix.length)
          const before = previous && this.codec.decode(previous)
          const object = this.codec.decode(kv)
          stream.onChange(type === 'put' ? new CacheChange(revision, relative, object, before) : new CacheChange(revision, relative, undefined, before, object))
        }
      },
      onError: (error) => {
        if (error instanceof Compacted) stream.tooOld(after, error.compactRevision)
        else stream.end()
      },
    })
  }

  *#streams(): Generator<WatchStream> {
    for (const watching of this.#watchers.all()) if (watching instanceof WatchStream) yield watching
  }
}
