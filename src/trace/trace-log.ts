/**
 * The record of causes (design, "What happened, and why"): for each write who made it and because of which
 * revisions, and the spans of work between. A graph: writes are its nodes, by revision; `seen` its edges.
 * Kept in a SQLite file of its own, beside the state and never needed to run: losing the last tenth of a second
 * of it in a crash is accepted, so recording costs the write path next to nothing.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Cause, Span } from '../client/client.ts'
import type { Clock, Timer } from '../machinery/clock.ts'

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

const formatVersion = 2
const flushAfter = 100
/** Writes kept; older ones go. */
const keep = 500_000
const maxSeen = 32

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
  readonly #insertWrite: StatementSync
  readonly #insertEdge: StatementSync
  readonly #insertSpan: StatementSync
  #writes: WriteToRecord[] = []
  #spans: { component: string; span: Span; revision: number | null }[] = []
  #timer: Timer | undefined
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
      CREATE TABLE IF NOT EXISTS writes (
        revision INTEGER PRIMARY KEY, resource TEXT, namespace TEXT, name TEXT, verb TEXT, subresource TEXT,
        user TEXT, user_agent TEXT, component TEXT, at INTEGER, request_id TEXT, seen TEXT
      );
      CREATE INDEX IF NOT EXISTS writes_by_object ON writes (namespace, name, resource);
      CREATE TABLE IF NOT EXISTS edges (seen INTEGER, revision INTEGER, PRIMARY KEY (seen, revision)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS spans (
        id INTEGER PRIMARY KEY, component TEXT, name TEXT, start INTEGER, end INTEGER, about TEXT, attributes TEXT, revision INTEGER
      );
      CREATE INDEX IF NOT EXISTS spans_by_start ON spans (start);
      -- A span goes with every write that followed from it, and is kept once, with the first.
      CREATE UNIQUE INDEX IF NOT EXISTS spans_once ON spans (start, component, name, about, attributes);
      CREATE INDEX IF NOT EXISTS spans_by_revision ON spans (revision);
    `)
    this.#insertWrite = this.#db.prepare('INSERT OR REPLACE INTO writes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#insertEdge = this.#db.prepare('INSERT OR IGNORE INTO edges VALUES (?, ?)')
    this.#insertSpan = this.#db.prepare('INSERT OR IGNORE INTO spans (component, name, start, end, about, attributes, revision) VALUES (?, ?, ?, ?, ?, ?, ?)')
  }

  record(write: WriteToRecord): void {
    this.#writes.push(write)
    for (const span of write.cause?.spans ?? []) this.#spans.push({ component: write.cause?.component ?? '', span, revision: write.revision })
    this.#schedule()
  }

  recordSpan(component: string, span: Span): void {
    this.#spans.push({ component, span, revision: null })
    this.#schedule()
  }

  write(revision: number) {
    this.#flush()
    const row = this.#db.prepare('SELECT * FROM writes WHERE revision = ?').get(revision)
    return row && toWrite(row)
  }

  writesOf(resource: string, namespace: string, name: string) {
    this.#flush()
    return this.#db
      .prepare('SELECT * FROM writes WHERE namespace = ? AND name = ? AND resource = ? ORDER BY revision')
      .all(namespace, name, resource)
      .map(toWrite)
  }

  writesAfter(revision: number, limit = 10_000) {
    this.#flush()
    return this.#db.prepare('SELECT * FROM writes WHERE revision > ? ORDER BY revision LIMIT ?').all(revision, limit).map(toWrite)
  }

  effectsOf(revision: number) {
    this.#flush()
    return this.#db.prepare('SELECT writes.* FROM edges JOIN writes USING (revision) WHERE edges.seen = ? ORDER BY edges.revision').all(revision).map(toWrite)
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
    if (this.#writes.length === 0 && this.#spans.length === 0) return
    try {
      this.#store()
    } catch {
      // The disk is full, say: what could not be kept is lost, and the cluster goes on.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
    }
    this.#writes = []
    this.#spans = []
  }

  #store() {
    this.#db.exec('BEGIN')
    for (const write of this.#writes) {
      const seen = write.cause?.seen.slice(-maxSeen) ?? []
      this.#insertWrite.run(
        write.revision,
        write.resource,
        write.namespace,
        write.name,
        write.verb,
        write.subresource,
        write.user.name,
        write.userAgent,
        write.cause?.component ?? '',
        write.at,
        write.requestId,
        JSON.stringify(seen),
      )
      for (const revision of seen) this.#insertEdge.run(revision, write.revision)
    }
    for (const { component, span, revision } of this.#spans)
      this.#insertSpan.run(component, span.name, span.start, span.end, span.about ?? '', JSON.stringify(span.attributes ?? {}), revision)
    this.#sincePrune += this.#writes.length
    if (this.#sincePrune > keep / 50) this.#prune()
    this.#db.exec('COMMIT')
  }

  #prune() {
    this.#sincePrune = 0
    const oldest = this.#db.prepare('SELECT revision, at FROM writes ORDER BY revision DESC LIMIT 1 OFFSET ?').get(keep)
    if (!oldest) return
    this.#db.prepare('DELETE FROM writes WHERE revision < ?').run(Number(oldest.revision))
    this.#db.prepare('DELETE FROM edges WHERE seen < ?').run(Number(oldest.revision))
    this.#db.prepare('DELETE FROM spans WHERE start < ?').run(Number(oldest.at))
  }
}

function toWrite(row: Row): RecordedWrite {
  return {
    revision: Number(row.revision),
    resource: String(row.resource),
    namespace: String(row.namespace),
    name: String(row.name),
    verb: String(row.verb),
    subresource: String(row.subresource),
    user: String(row.user),
    userAgent: String(row.user_agent),
    component: String(row.component),
    at: Number(row.at),
    requestId: String(row.request_id),
    seen: JSON.parse(String(row.seen)) as number[],
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
