/**
 * The Store contract, in etcd's model: one revision counter for the whole store; every key has the
 * revision that created it and the one that last changed it; writes compare and swap on that; a watch
 * delivers every change after a revision, in order, without a gap; compaction forgets the past.
 *
 * Values are opaque bytes to the store. `store.contract.ts` is the one suite that runs over every
 * implementation. Source of the model: etcd's KV and Watch API guarantees.
 */

export interface KeyValue {
  key: string
  value: Uint8Array
  createRevision: number
  /** The revision of the last change: becomes `metadata.resourceVersion`. */
  modRevision: number
}

export interface RangeOptions {
  /** Read as of this revision; absent or 0: now. Throws {@link Compacted} or {@link FutureRevision}. */
  revision?: number
  /** Start after nothing before this key (inclusive); must lie in the prefix. For pages. */
  startKey?: string
  limit?: number
}

export interface RangeResult {
  /** In key order (bytewise). */
  kvs: KeyValue[]
  /** The revision this answer is true at. */
  revision: number
  /** Keys that lie in the range beyond `kvs`. */
  remaining: number
}

export type WriteResult =
  | { ok: true; revision: number }
  /** The comparison failed; `current` is what is there (undefined: nothing). */
  | { ok: false; current: KeyValue | undefined; revision: number }

export interface StoreEvent {
  type: 'put' | 'delete'
  key: string
  /** For a delete the last value, with `modRevision` the revision of the deletion. */
  kv: KeyValue
  /** What the key held before, if it did. Perhaps read when it is asked for: ask while the event is delivered. */
  readonly previous: KeyValue | undefined
  revision: number
}

export interface WatchOptions {
  /** Deliver changes with a revision greater than this. */
  after: number
  signal: AbortSignal
  /** Batches in revision order; each call carries all events of one or more whole revisions. */
  onEvents(events: StoreEvent[]): void
  /** The watch cannot go on: {@link Compacted}, or the store closed. */
  onError(error: Error): void
}

export interface Store {
  /** The revision of the last write. A fresh store starts at 1, as etcd does. */
  revision(): Promise<number>
  get(key: string, revision?: number): Promise<{ kv: KeyValue | undefined; revision: number }>
  /** All keys that start with `prefix`. */
  range(prefix: string, options?: RangeOptions): Promise<RangeResult>
  count(prefix: string): Promise<number>
  /**
   * Writes if the key's modRevision is `expected` (0: the key must not exist). Resolves when the write is
   * durable: after it, `kill -9` does not lose it.
   */
  put(key: string, value: Uint8Array, expected: number): Promise<WriteResult>
  /** Deletes if the key's modRevision is `expected`. Durable likewise. */
  delete(key: string, expected: number): Promise<WriteResult>
  /** Events are delivered only once durable. Ends when the signal is aborted. */
  watch(prefix: string, options: WatchOptions): void
  /** Forgets versions that were superseded at or before `revision`. */
  compact(revision: number): Promise<void>
  compactedRevision(): Promise<number>
  /** Bytes on disk or in memory. */
  size(): Promise<number>
  close(): Promise<void>
}

export class Compacted extends Error {
  readonly compactRevision: number
  constructor(compactRevision: number) {
    super('required revision has been compacted')
    this.name = 'Compacted'
    this.compactRevision = compactRevision
  }
}

export class FutureRevision extends Error {
  constructor() {
    super('required revision is a future revision')
    this.name = 'FutureRevision'
  }
}

export class StoreClosed extends Error {
  constructor() {
    super('the store is closed')
    this.name = 'StoreClosed'
  }
}
