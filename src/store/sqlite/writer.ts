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
  | { ok: true; revision: number; createRevision: number; previous: KeyValue | undefined }
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
    const before = current(command.key)
    const isDeleteOfNothing = command.op === 'delete' && !before
    if (isDeleteOfNothing || (before?.modRevision ?? 0) !== command.expected) return { ok: false, current: before, revision }
    revision++
    const createRevision = before?.createRevision ?? revision
    if (command.op === 'put') {
      insert.run(revision, command.key, command.value, createRevision, before?.modRevision ?? null, 0)
      setLive.run(command.key, revision)
    } else {
      insert.run(revision, command.key, nothing, createRevision, before?.modRevision ?? null, 1)
      dropLive.run(command.key)
    }
    return { ok: true, revision, createRevision, previous: before }
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
