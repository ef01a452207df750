/** The {@link Store} contract in memory: for tests and clusters that need not outlive their process. */
import { compareKeys, prefixEnd } from './key-range.ts'
import {
  Compacted,
  FutureRevision,
  type KeyValue,
  type RangeOptions,
  type RangeResult,
  type Store,
  StoreClosed,
  type StoreEvent,
  type WatchOptions,
  type WriteResult,
} from './store.ts'
import { WatchHub } from './watch-hub.ts'

interface Version {
  revision: number
  /** Undefined: deleted at this revision. */
  kv: KeyValue | undefined
}

export class MemoryStore implements Store {
  #revision = 1
  #compacted = 0
  #closed = false
  /** Versions of each key, oldest first. */
  readonly #versions = new Map<string, Version[]>()
  /** Keys in order, kept sorted; rebuilt lazily after keys came or went. */
  #sorted: string[] | undefined
  #log: StoreEvent[] = []
  readonly #hub = new WatchHub()

  async revision() {
    return this.#revision
  }

  async get(key: string, revision?: number) {
    this.#check(revision)
    return { kv: this.#at(key, revision), revision: this.#revision }
  }

  async range(prefix: string, options: RangeOptions = {}): Promise<RangeResult> {
    this.#check(options.revision)
    const kvs: KeyValue[] = []
    let remaining = 0
    for (const key of this.#keys(options.startKey ?? prefix, prefixEnd(prefix))) {
      const kv = this.#at(key, options.revision)
      if (!kv) continue
      if (options.limit && kvs.length >= options.limit) remaining++
      else kvs.push(kv)
    }
    return { kvs, revision: options.revision || this.#revision, remaining }
  }

  async count(prefix: string) {
    return (await this.range(prefix)).kvs.length
  }

  async put(key: string, value: Uint8Array, expected: number): Promise<WriteResult> {
    this.#check()
    const current = this.#at(key)
    if ((current?.modRevision ?? 0) !== expected) return { ok: false, current, revision: this.#revision }
    const revision = ++this.#revision
    const kv: KeyValue = { key, value, createRevision: current?.createRevision ?? revision, modRevision: revision }
    this.#append({ type: 'put', key, kv, previous: current, revision }, kv)
    return { ok: true, revision }
  }

  async delete(key: string, expected: number): Promise<WriteResult> {
    this.#check()
    const current = this.#at(key)
    if (!current || current.modRevision !== expected) return { ok: false, current, revision: this.#revision }
    const revision = ++this.#revision
    this.#append({ type: 'delete', key, kv: { ...current, modRevision: revision }, previous: current, revision }, undefined)
    return { ok: true, revision }
  }

  watch(prefix: string, options: WatchOptions): void {
    this.#hub.watch(prefix, options, (p, after) => this.#history(p, after), this.#revision)
  }

  async compact(revision: number) {
    this.#check()
    if (revision > this.#revision) throw new FutureRevision()
    if (revision <= this.#compacted) throw new Compacted(this.#compacted)
    this.#compacted = revision
    this.#log = this.#log.filter((event) => event.revision > revision)
    for (const [key, versions] of this.#versions) {
      let keep = versions.findLastIndex((version) => version.revision <= revision)
      if (keep < 0) continue
      if (!versions[keep]?.kv) keep++
      versions.splice(0, keep)
      if (versions.length === 0) {
        this.#versions.delete(key)
        this.#sorted = undefined
      }
    }
  }

  async compactedRevision() {
    return this.#compacted
  }

  async size() {
    let bytes = 0
    for (const versions of this.#versions.values()) for (const { kv } of versions) bytes += kv?.value.byteLength ?? 0
    return bytes
  }

  async close() {
    this.#closed = true
    this.#hub.close()
  }

  #check(revision?: number) {
    if (this.#closed) throw new StoreClosed()
    if (!revision) return
    if (revision > this.#revision) throw new FutureRevision()
    if (revision < this.#compacted) throw new Compacted(this.#compacted)
  }

  #at(key: string, revision?: number): KeyValue | undefined {
    const versions = this.#versions.get(key)
    if (!versions) return undefined
    if (!revision) return versions.at(-1)?.kv
    return versions.findLast((version) => version.revision <= revision)?.kv
  }

  #keys(start: string, end: string): string[] {
    this.#sorted ??= [...this.#versions.keys()].sort(compareKeys)
    const from = lowerBound(this.#sorted, start)
    return this.#sorted.slice(from, lowerBound(this.#sorted, end))
  }

  #history(prefix: string, after: number): StoreEvent[] {
    if (after < this.#compacted) throw new Compacted(this.#compacted)
    return this.#log.filter((event) => event.revision > after && event.key.startsWith(prefix))
  }

  #append(event: StoreEvent, kv: KeyValue | undefined) {
    const versions = this.#versions.get(event.key)
    if (versions) versions.push({ revision: event.revision, kv })
    else {
      this.#versions.set(event.key, [{ revision: event.revision, kv }])
      this.#sorted = undefined
    }
    this.#log.push(event)
    this.#hub.publish([event])
  }
}

function lowerBound(keys: string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys(keys[middle] ?? '', key) < 0) low = middle + 1
    else high = middle
  }
  return low
}
