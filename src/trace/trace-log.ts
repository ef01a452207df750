/**
 * The record of causes (design, "What happened, and why"): for each write who made it and because of which
 * revisions, and the spans of work between. A graph: writes are its nodes, by revision; `seen` its edges.
 * Kept in a SQLite file of its own, beside the state and never needed to run: losing the last tenth of a second
 * of it in a crash is accepted, so recording costs the write path next to nothing. Writes are many and questions few:
 * what was written is kept in pieces of text, and who asks by object or by cause makes an index first.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Cause, Span } from '../client/client.ts'
import type { Clock, Timer } from '../machinery/clock.ts'
import { TraceIndex } from './trace-index.ts'
import { byRevision, readWrites, writeText } from './write-text.ts'

export interface RecordedWrite {
  revision: number
  /** Group resource: `deployments.apps`. */
  resource: string
  namespace: string
  name: string
  verb: string
  subresource: string
  user: string
  userAgent: string
  /** `deployment-controller`, `kubelet/node-1`; empty for clients that tell no cause. */
  component: string
  /** Milliseconds since the epoch. */
  at: number
  requestId: string
  /** Revisions that the writer had seen when it was woken. */
  seen: number[]
}

export interface RecordedSpan extends Span {
  id: number
  component: string
  /** The write that carried it; undefined for work that no write carries. */
  revision: number | undefined
}

/** What the API server tells of a write. */
export interface WriteToRecord extends Omit<RecordedWrite, 'user' | 'component' | 'seen'> {
  user: { name: string }
  cause: Cause | undefined
}

export interface TraceLog {
  record(write: WriteToRecord): void
  recordSpan(component: string, span: Span): void
  write(revision: number): RecordedWrite | undefined
  /** Writes of one object, oldest first. */
  writesOf(resource: string, namespace: string, name: string): RecordedWrite[]
  /** All writes after a revision, oldest first. */
  writesAfter(revision: number, limit?: number): RecordedWrite[]
  /** Writes that were made because of this one, directly. */
  effectsOf(revision: number): RecordedWrite[]
  /** Spans that began in [from, to), oldest first. */
  spansBetween(from: number, to: number): RecordedSpan[]
  spansOf(revision: number): RecordedSpan[]
  close(): void
}

const formatVersion = 3
const flushAfter = 100
/** Writes kept, which is revisions; older ones go. */
const keep = 500_000

type Row = Record<string, unknown>

/** A file that cannot be used (a full disk, a broken file) is no reason for the cluster not to start: the record is kept in memory then. */
export function openTraceLog(path: string, clock: Clock): TraceLog {
  try {
    return new SqliteTraceLog(path, clock)
  } catch {
    return new SqliteTraceLog(':memory:', clock)
  }
}

class SqliteTraceLog implements TraceLog {
  readonly #db: DatabaseSync
  readonly #clock: Clock
  readonly #insertPiece: StatementSync
  readonly #insertSpan: StatementSync
  readonly #piecesOf: StatementSync
  readonly #index: TraceIndex
  /** Not written yet: the text of each write, and the least of their revisions. */
  #texts: string[] = []
  #first = Number.POSITIVE_INFINITY
  #spans: { component: string; span: Span; revision: number | null }[] = []
  #timer: Timer | undefined
  #begun = false
  #sincePrune = 0

  constructor(path: string, clock: Clock) {
    this.#clock = clock
    this.#db = new DatabaseSync(path)
    const found = Number(this.#db.prepare('PRAGMA user_version').get()?.user_version ?? 0)
    // The record may be lost without harm: one of another form is begun anew.
    if (found !== formatVersion) this.#db.exec('DROP TABLE IF EXISTS writes; DROP TABLE IF EXISTS edges; DROP TABLE IF EXISTS spans')
    this.#db.exec(`
      PRAGMA user_version = ${formatVersion};
      PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
      -- What was recorded in a tenth of a second, and the least of its revisions. Where the store is elsewhere, answers may come
      -- in another order than revisions: then one stands in the piece after its own.
      CREATE TABLE IF NOT EXISTS writes (id INTEGER PRIMARY KEY, first INTEGER, texts TEXT);
      CREATE INDEX IF NOT EXISTS writes_by_first ON writes (first);
      CREATE TABLE IF NOT EXISTS spans (
        id INTEGER PRIMARY KEY, component TEXT, name TEXT, start INTEGER, end INTEGER, about TEXT, attributes TEXT, revision INTEGER
      );
      -- A span goes with every write that followed from it, and is kept once, with the first. Spans are found by their start in it too.
      CREATE UNIQUE INDEX IF NOT EXISTS spans_once ON spans (start, component, name, about, attributes);
      CREATE INDEX IF NOT EXISTS spans_by_revision ON spans (revision);
    `)
    this.#insertPiece = this.#db.prepare('INSERT INTO writes (first, texts) VALUES (?, ?)')
    this.#insertSpan = this.#db.prepare('INSERT OR IGNORE INTO spans (component, name, start, end, about, attributes, revision) VALUES (?, ?, ?, ?, ?, ?, ?)')
    this.#piecesOf = this.#db.prepare('SELECT first, texts FROM writes WHERE first <= ? ORDER BY first DESC LIMIT 2')
    this.#index = new TraceIndex(this.#db)
  }

  record(write: WriteToRecord): void {
    const { revision, cause } = write
    this.#texts.push(writeText(write))
    if (revision < this.#first) this.#first = revision
    if (cause?.spans) for (const span of cause.spans) this.#spans.push({ component: cause.component, span, revision })
    this.#schedule()
  }

  recordSpan(component: string, span: Span): void {
    this.#spans.push({ component, span, revision: null })
    this.#schedule()
  }

  write(revision: number) {
    this.#flush()
    return this.#found([revision])[0]
  }

  writesOf(resource: string, namespace: string, name: string) {
    this.#flush()
    return this.#found(this.#index.writesOf(resource, namespace, name))
  }

  writesAfter(revision: number, limit = 10_000) {
    this.#flush()
    const found: RecordedWrite[] = []
    const from = Number(this.#piecesOf.all(revision).at(-1)?.first ?? 0)
    for (const { first, texts } of this.#db.prepare('SELECT first, texts FROM writes WHERE first >= ? ORDER BY first').iterate(from)) {
      if (found.length >= limit && Number(first) > (found.at(-1)?.revision ?? 0)) break
      for (const write of readWrites(texts)) if (write.revision > revision) found.push(write)
    }
    return found.sort(byRevision).slice(0, limit)
  }

  effectsOf(revision: number) {
    this.#flush()
    return this.#found(this.#index.effectsOf(revision))
  }

  spansBetween(from: number, to: number) {
    this.#flush()
    return this.#db.prepare('SELECT * FROM spans WHERE start >= ? AND start < ? ORDER BY start, id').all(from, to).map(toSpan)
  }

  spansOf(revision: number) {
    this.#flush()
    return this.#db.prepare('SELECT * FROM spans WHERE revision = ? ORDER BY start, id').all(revision).map(toSpan)
  }

  close(): void {
    this.#timer?.cancel()
    this.#flush()
    this.#db.close()
  }

  #schedule() {
    this.#timer ??= this.#clock.after(flushAfter, () => this.#flush())
  }

  #flush() {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#texts.length === 0 && this.#spans.length === 0) return
    try {
      this.#store()
    } catch {
      // The disk is full, say: what could not be kept is lost, and the cluster goes on.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
    }
    this.#texts = []
    this.#first = Number.POSITIVE_INFINITY
    this.#spans = []
  }

  #store() {
    this.#db.exec('BEGIN')
    if (this.#texts.length > 0) {
      if (!this.#begun) this.#begin(this.#first)
      this.#insertPiece.run(this.#first, `[${this.#texts.join(',')}]`)
      this.#sincePrune += this.#texts.length
      if (this.#sincePrune > keep / 50) this.#prune(this.#first - keep)
    }
    for (const { component, span, revision } of this.#spans)
      this.#insertSpan.run(component, span.name, span.start, span.end, span.about ?? '', JSON.stringify(span.attributes ?? {}), revision)
    this.#db.exec('COMMIT')
  }

  /** Revisions that are there before they are first written were those of a store that is gone. */
  #begin(revision: number) {
    this.#begun = true
    this.#db.prepare('DELETE FROM writes WHERE first >= ?').run(revision)
    this.#index.clear()
  }

  #prune(revision: number) {
    this.#sincePrune = 0
    const oldest = this.#piecesOf.get(revision)
    if (!oldest) return
    const [write] = readWrites(oldest.texts)
    this.#db.prepare('DELETE FROM writes WHERE first < ?').run(Number(oldest.first))
    this.#db.prepare('DELETE FROM spans WHERE start < ?').run(write?.at ?? 0)
    this.#index.clear()
  }

  /** Those of these revisions that are kept, in their order. */
  #found(revisions: readonly number[]): RecordedWrite[] {
    const found: RecordedWrite[] = []
    let writes = new Map<number, RecordedWrite>()
    for (const revision of revisions) {
      if (!writes.has(revision))
        writes = new Map(
          this.#piecesOf
            .all(revision)
            .flatMap(({ texts }) => readWrites(texts))
            .map((write) => [write.revision, write]),
        )
      const write = writes.get(revision)
      if (write) found.push(write)
    }
    return found
  }
}

function toSpan(row: Row): RecordedSpan {
  const about = String(row.about)
  return {
    id: Number(row.id),
    component: String(row.component),
    name: String(row.name),
    start: Number(row.start),
    end: Number(row.end),
    ...(about ? { about } : {}),
    attributes: JSON.parse(String(row.attributes)) as NonNullable<Span['attributes']>,
    revision: row.revision === null ? undefined : Number(row.revision),
  }
}
