/**
 * Recorded writes by object and by cause, for who asks. It is made at the first question, and brought up to date at each,
 * in tables of this connection's own: nothing of it is written where others write.
 */
import type { DatabaseSync } from 'node:sqlite'
import { readWrites } from './write-text.ts'

export class TraceIndex {
  readonly #db: DatabaseSync
  /** The last piece of which it knows; undefined before the first question. */
  #last: number | undefined

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  /** Revisions, oldest first. */
  writesOf(resource: string, namespace: string, name: string): number[] {
    this.#update()
    const rows = this.#db
      .prepare('SELECT revision FROM temp.named WHERE namespace = ? AND name = ? AND resource = ? ORDER BY revision')
      .all(namespace, name, resource)
    return rows.map(({ revision }) => Number(revision))
  }

  effectsOf(seen: number): number[] {
    this.#update()
    const rows = this.#db.prepare('SELECT revision FROM temp.edges WHERE seen = ? ORDER BY revision').all(seen)
    return rows.map(({ revision }) => Number(revision))
  }

  /** What it knows is not so any more. */
  clear(): void {
    if (this.#last === undefined) return
    this.#db.exec('DELETE FROM temp.named; DELETE FROM temp.edges')
    this.#last = 0
  }

  #update(): void {
    if (this.#last === undefined)
      this.#db.exec(`
        CREATE TEMP TABLE named (
          namespace TEXT, name TEXT, resource TEXT, revision INTEGER, PRIMARY KEY (namespace, name, resource, revision)
        ) WITHOUT ROWID;
        CREATE TEMP TABLE edges (seen INTEGER, revision INTEGER, PRIMARY KEY (seen, revision)) WITHOUT ROWID;
      `)
    this.#last ??= 0
    this.#db.exec('BEGIN')
    try {
      const last = this.#add(this.#last)
      this.#db.exec('COMMIT')
      this.#last = last
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }

  /** All pieces behind this one; returns the last of them. */
  #add(last: number): number {
    const insertNamed = this.#db.prepare('INSERT OR IGNORE INTO temp.named VALUES (?, ?, ?, ?)')
    const insertEdge = this.#db.prepare('INSERT OR IGNORE INTO temp.edges VALUES (?, ?)')
    let newest = last
    for (const { id, texts } of this.#db.prepare('SELECT id, texts FROM writes WHERE id > ?').iterate(last)) {
      for (const { revision, namespace, name, resource, seen } of readWrites(texts)) {
        insertNamed.run(namespace, name, resource, revision)
        for (const one of seen) insertEdge.run(one, revision)
      }
      newest = Number(id)
    }
    return newest
  }
}
