/**
 * The {@link Store} contract over one SQLite file (the default). Writes go to a worker thread in batches
 * ({@link ToWriter}); reads come from a connection of this thread and see every committed write; events are
 * delivered when their commit is on disk. Sources: SQLite's WAL and `synchronous=FULL` guarantees.
 */
import { statSync } from 'node:fs'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { prefixEnd } from '../key-range.ts'
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
} from '../store.ts'
import { WatchHub } from '../watch-hub.ts'
import { openForReading } from './database.ts'
import type { FromWriter, Outcome, ToWriter, WriteCommand } from './writer.ts'

/** Batches stay small enough that one commit does not keep the first of its writes waiting. */
const maxBatch = 512

interface PendingWrite {
  command: WriteCommand
  resolve(result: WriteResult): void
  reject(error: Error): void
}

interface PendingTask {
  message: ToWriter
  resolve(): void
  reject(error: Error): void
}

type Row = Record<string, unknown>

const toKeyValue = (row: Row): KeyValue => ({
  key: row.key as string,
  value: row.value as Uint8Array,
  createRevision: Number(row.create_revision),
  modRevision: Number(row.revision),
})

/** Opens (or makes) the database at `path`. Rejects for a file of a newer format or one that cannot be written. */
export async function openSqliteStore(path: string): Promise<Store> {
  const worker = new Worker(new URL('./writer.ts', import.meta.url), { workerData: { path } })
  const ready = await new Promise<Extract<FromWriter, { kind: 'ready' }>>((resolve, reject) => {
    worker.once('message', (message: FromWriter) =>
      message.kind === 'ready' ? resolve(message) : reject(new Error(`the store did not open: ${message.kind}`)),
    )
    worker.once('error', reject)
  })
  worker.removeAllListeners('error')
  return new SqliteStore(path, worker, openForReading(path), ready.revision, ready.compacted)
}

class SqliteStore implements Store {
  readonly #path: string
  readonly #worker: Worker
  readonly #db: DatabaseSync
  readonly #hub = new WatchHub()
  readonly #statements: Record<'get' | 'getAt' | 'range' | 'rangeAt' | 'count' | 'countAt' | 'history' | 'byRevision' | 'newest', StatementSync>
  /** The last revision whose events were delivered. */
  #delivered: number
  /** The newest revision that any answer of this store has told of: of a write, or of a read that ran ahead of one's answer. */
  #known: number
  #compacted: number
  #closed = false
  #queue: PendingWrite[] = []
  #inFlight: PendingWrite[] | undefined
  #tasks: PendingTask[] = []
  #task: PendingTask | undefined
  #scheduled = false

  constructor(path: string, worker: Worker, db: DatabaseSync, revision: number, compacted: number) {
    this.#path = path
    this.#worker = worker
    this.#db = db
    this.#delivered = revision
    this.#known = revision
    this.#compacted = compacted
    const columns = 'log.key, log.value, log.create_revision, log.revision'
    const asOf = 'SELECT key, value, create_revision, max(revision) AS revision, deleted FROM log WHERE key >= ? AND key < ? AND revision <= ? GROUP BY key'
    this.#statements = {
      get: db.prepare(`SELECT ${columns} FROM live JOIN log ON log.revision = live.revision WHERE live.key = ?`),
      getAt: db.prepare('SELECT key, value, create_revision, revision, deleted FROM log WHERE key = ? AND revision <= ? ORDER BY revision DESC LIMIT 1'),
      range: db.prepare(`SELECT ${columns} FROM live JOIN log ON log.revision = live.revision WHERE live.key >= ? AND live.key < ? ORDER BY live.key LIMIT ?`),
      rangeAt: db.prepare(`SELECT * FROM (${asOf}) WHERE deleted = 0 ORDER BY key LIMIT ?`),
      count: db.prepare('SELECT count(*) AS count FROM live WHERE key >= ? AND key < ?'),
      countAt: db.prepare(`SELECT count(*) AS count FROM (${asOf}) WHERE deleted = 0`),
      history: db.prepare('SELECT * FROM log WHERE revision > ? AND revision <= ? AND key >= ? AND key < ? ORDER BY revision'),
      byRevision: db.prepare(`SELECT ${columns} FROM log WHERE revision = ?`),
      newest: db.prepare('SELECT max(revision) AS revision FROM log'),
    }
    worker.on('message', (message: FromWriter) => this.#onMessage(message))
    worker.on('error', (error) => this.#fail(error))
    worker.unref()
  }

  async revision() {
    this.#check()
    return this.#known
  }

  async get(key: string, revision?: number) {
    this.#check(revision)
    return this.#snapshot((now) => {
      const row = revision ? this.#statements.getAt.get(key, revision) : this.#statements.get.get(key)
      return { kv: row && !row.deleted ? toKeyValue(row) : undefined, revision: now }
    })
  }

  async range(prefix: string, { revision, startKey = prefix, limit }: RangeOptions = {}): Promise<RangeResult> {
    this.#check(revision)
    const end = prefixEnd(prefix)
    const most = limit || -1
    return this.#snapshot((now) => {
      const rows = revision ? this.#statements.rangeAt.all(startKey, end, revision, most) : this.#statements.range.all(startKey, end, most)
      let remaining = 0
      if (limit && rows.length === limit) {
        const counted = revision ? this.#statements.countAt.get(startKey, end, revision) : this.#statements.count.get(startKey, end)
        remaining = Number(counted?.count ?? 0) - rows.length
      }
      return { kvs: rows.map(toKeyValue), revision: revision || now, remaining }
    })
  }

  async count(prefix: string) {
    this.#check()
    return Number(this.#statements.count.get(prefix, prefixEnd(prefix))?.count ?? 0)
  }

  put(key: string, value: Uint8Array, expected: number) {
    return this.#enqueue({ op: 'put', key, value, expected })
  }

  delete(key: string, expected: number) {
    return this.#enqueue({ op: 'delete', key, expected })
  }

  watch(prefix: string, options: WatchOptions): void {
    this.#hub.watch(prefix, options, (p, after) => this.#history(p, after), this.#delivered)
  }

  async compact(revision: number) {
    this.#check()
    if (revision > this.#newest()) throw new FutureRevision()
    if (revision <= this.#compacted) throw new Compacted(this.#compacted)
    await this.#run({ kind: 'compact', revision })
  }

  async compactedRevision() {
    return this.#compacted
  }

  async size() {
    return ['', '-wal'].reduce((bytes, suffix) => bytes + (statSync(this.#path + suffix, { throwIfNoEntry: false })?.size ?? 0), 0)
  }

  async close() {
    if (this.#closed) return
    // What was accepted before is written first: the worker takes messages in order.
    await new Promise<void>((resolve) => {
      const wait = () => (this.#queue.length > 0 || this.#inFlight || this.#task ? setImmediate(wait) : resolve())
      wait()
    })
    const closed = this.#run({ kind: 'close' })
    this.#closed = true
    await closed
    this.#hub.close()
    this.#db.close()
    await this.#worker.terminate()
  }

  #check(revision?: number) {
    if (this.#closed) throw new StoreClosed()
    if (!revision) return
    if (revision > this.#newest()) throw new FutureRevision()
    if (revision < this.#compacted) throw new Compacted(this.#compacted)
  }

  /** The newest committed revision: perhaps one whose answer from the worker is still on its way. */
  #newest(): number {
    this.#known = Math.max(this.#known, Number(this.#statements.newest.get()?.revision ?? 0))
    return this.#known
  }

  /** Runs several reads on one state of the database. */
  #snapshot<R>(read: (revision: number) => R): R {
    this.#db.exec('BEGIN')
    try {
      return read(this.#newest())
    } finally {
      this.#db.exec('COMMIT')
    }
  }

  /** What was written at a revision, if that is not compacted. */
  #version(revision: number | undefined): KeyValue | undefined {
    const row = revision ? this.#statements.byRevision.get(revision) : undefined
    return row && toKeyValue(row)
  }

  #history(prefix: string, after: number): StoreEvent[] {
    if (after < this.#compacted) throw new Compacted(this.#compacted)
    const rows = this.#statements.history.all(after, this.#delivered, prefix, prefixEnd(prefix))
    return rows.map((row) => {
      const previous = this.#version(Number(row.previous_revision))
      const written = toKeyValue(row)
      if (!row.deleted) return { type: 'put', key: written.key, kv: written, previous, revision: written.modRevision }
      return { type: 'delete', key: written.key, kv: { ...written, value: previous?.value ?? written.value }, previous, revision: written.modRevision }
    })
  }

  #enqueue(command: WriteCommand): Promise<WriteResult> {
    if (this.#closed) return Promise.reject(new StoreClosed())
    return new Promise((resolve, reject) => {
      this.#queue.push({ command, resolve, reject })
      this.#nextSoon()
    })
  }

  /**
   * Writes that arrive in the same turn of the event loop share one commit, also those of clients that have just been
   * answered: fewer and larger commits take less of the machine than the disk's pause costs.
   */
  #nextSoon() {
    if (this.#inFlight || this.#scheduled || this.#queue.length === 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#next()
    })
  }

  #run(message: ToWriter): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#tasks.push({ message, resolve, reject })
      this.#next()
    })
  }

  /** Hands the worker its next message; it has at most one. */
  #next() {
    if (this.#inFlight || this.#task) return
    const task = this.#tasks.shift()
    if (task) {
      this.#task = task
      this.#worker.ref()
      this.#worker.postMessage(task.message)
      return
    }
    if (this.#queue.length === 0) return
    this.#inFlight = this.#queue.splice(0, maxBatch)
    this.#worker.ref()
    this.#worker.postMessage({ kind: 'write', commands: this.#inFlight.map((write) => write.command) } satisfies ToWriter)
  }

  #onMessage(message: FromWriter) {
    const writes = this.#inFlight
    const task = this.#task
    this.#inFlight = undefined
    this.#task = undefined
    this.#worker.unref()
    if (message.kind === 'written' && writes) {
      this.#settle(writes, message.outcomes)
      if (this.#tasks.length > 0) this.#next()
      else this.#nextSoon()
      return
    }
    if (message.kind === 'failed') {
      const error = new Error(`the store could not write: ${message.message}`)
      for (const write of writes ?? []) write.reject(error)
      task?.reject(error)
    } else if (message.kind === 'compacted') {
      this.#compacted = message.revision
      task?.resolve()
    } else task?.resolve()
    this.#next()
  }

  #settle(writes: PendingWrite[], outcomes: Outcome[]) {
    const events: StoreEvent[] = []
    const version = (revision: number | undefined) => this.#version(revision)
    writes.forEach(({ command }, index) => {
      const outcome = outcomes[index]
      if (!outcome?.ok) return
      const { revision, createRevision, previousRevision, last } = outcome
      const value = command.op === 'put' ? command.value : (last?.value ?? new Uint8Array())
      const kv: KeyValue = { key: command.key, value, createRevision, modRevision: revision }
      events.push({
        type: command.op,
        key: command.key,
        kv,
        get previous() {
          return last ?? version(previousRevision)
        },
        revision,
      })
      this.#delivered = revision
    })
    this.#known = Math.max(this.#known, this.#delivered)
    if (events.length > 0) this.#hub.publish(events)
    writes.forEach((write, index) => {
      const outcome = outcomes[index]
      if (!outcome) write.reject(new Error('the store gave no answer for a write'))
      else if (outcome.ok) write.resolve({ ok: true, revision: outcome.revision })
      else write.resolve(outcome)
    })
  }

  /** The worker died: nothing that it was asked can be known to be stored. */
  #fail(error: Error) {
    this.#closed = true
    for (const write of [...(this.#inFlight ?? []), ...this.#queue]) write.reject(error)
    for (const task of [...(this.#task ? [this.#task] : []), ...this.#tasks]) task.reject(error)
    this.#inFlight = undefined
    this.#queue = []
    this.#tasks = []
    this.#hub.close()
  }
}
