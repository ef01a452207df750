/**
 * The writing half of the SQLite store, in a worker thread: takes a batch of writes, makes them in one
 * transaction, and answers when it is on disk. While one batch is being committed the next one gathers in the
 * main thread, so a slow disk makes larger batches and never stops the event loop.
 */
import type { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { KeyValue } from '../store.ts'
import { compactedRevision, lastRevision, openForWriting } from './database.ts'

export type WriteCommand = { op: 'put'; key: string; value: Uint8Array; expected: number } | { op: 'delete'; key: string; expected: number }

export type ToWriter = { kind: 'write'; commands: WriteCommand[] } | { kind: 'compact'; revision: number } | { kind: 'close' }

export type Outcome =
  /** `last`: of a delete, what it deleted. What a put took the place of is read by its revision by who asks: hardly anybody does. */
  | { ok: true; revision: number; createRevision: number; previousRevision: number | undefined; last?: KeyValue }
  | { ok: false; current: KeyValue | undefined; revision: number }

export type FromWriter =
  | { kind: 'ready'; revision: number; compacted: number }
  | { kind: 'written'; outcomes: Outcome[] }
  | { kind: 'compacted'; revision: number }
  /** The whole batch was rolled back (disk full, I/O error): nothing of it is stored. */
  | { kind: 'failed'; message: string }
  | { kind: 'closed' }

function makeWriter(db: DatabaseSync) {
  let revision = lastRevision(db)
  const readLive = db.prepare(
    'SELECT log.key, log.value, log.create_revision, log.revision FROM live JOIN log ON log.revision = live.revision WHERE live.key = ?',
  )
  const readRevisions = db.prepare('SELECT log.create_revision, log.revision FROM live JOIN log ON log.revision = live.revision WHERE live.key = ?')
  const insert = db.prepare('INSERT INTO log (revision, key, value, create_revision, previous_revision, deleted) VALUES (?, ?, ?, ?, ?, ?)')
  const setLive = db.prepare('INSERT INTO live (key, revision) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET revision = excluded.revision')
  const dropLive = db.prepare('DELETE FROM live WHERE key = ?')
  const nothing = new Uint8Array()

  function current(key: string): KeyValue | undefined {
    const row = readLive.get(key)
    if (!row) return undefined
    return { key, value: row.value as Uint8Array, createRevision: Number(row.create_revision), modRevision: Number(row.revision) }
  }

  function run(command: WriteCommand): Outcome {
    return command.op === 'put' ? put(command.key, command.value, command.expected) : remove(command.key, command.expected)
  }

  function put(key: string, value: Uint8Array, expected: number): Outcome {
    const row = readRevisions.get(key)
    const previousRevision = row ? Number(row.revision) : undefined
    if ((previousRevision ?? 0) !== expected) return { ok: false, current: current(key), revision }
    revision++
    const createRevision = row ? Number(row.create_revision) : revision
    insert.run(revision, key, value, createRevision, previousRevision ?? null, 0)
    setLive.run(key, revision)
    return { ok: true, revision, createRevision, previousRevision }
  }

  function remove(key: string, expected: number): Outcome {
    const last = current(key)
    if (!last || last.modRevision !== expected) return { ok: false, current: last, revision }
    revision++
    insert.run(revision, key, nothing, last.createRevision, last.modRevision, 1)
    dropLive.run(key)
    return { ok: true, revision, createRevision: last.createRevision, previousRevision: last.modRevision, last }
  }

  return {
    write(commands: WriteCommand[]): Outcome[] {
      const start = revision
      db.exec('BEGIN IMMEDIATE')
      try {
        const outcomes = commands.map(run)
        db.exec('COMMIT')
        return outcomes
      } catch (error) {
        revision = start
        if (db.isTransaction) db.exec('ROLLBACK')
        throw error
      }
    },
    compact(to: number): void {
      const from = compactedRevision(db)
      db.exec('BEGIN IMMEDIATE')
      try {
        db.prepare(
          'DELETE FROM log WHERE revision IN (SELECT previous_revision FROM log WHERE revision > ? AND revision <= ? AND previous_revision IS NOT NULL)',
        ).run(from, to)
        db.prepare('DELETE FROM log WHERE deleted = 1 AND revision <= ?').run(to)
        db.prepare("UPDATE meta SET value = ? WHERE name = 'compacted'").run(to)
        db.exec('COMMIT')
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK')
        throw error
      }
    },
  }
}

const port = parentPort
if (port) {
  const db = openForWriting((workerData as { path: string }).path)
  const writer = makeWriter(db)
  const answer = (message: FromWriter) => port.postMessage(message)
  port.on('message', (message: ToWriter) => {
    try {
      if (message.kind === 'write') answer({ kind: 'written', outcomes: writer.write(message.commands) })
      else if (message.kind === 'compact') {
        writer.compact(message.revision)
        answer({ kind: 'compacted', revision: message.revision })
      } else {
        db.close()
        answer({ kind: 'closed' })
        port.close()
      }
    } catch (error) {
      answer({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
    }
  })
  answer({ kind: 'ready', revision: lastRevision(db), compacted: compactedRevision(db) })
}
