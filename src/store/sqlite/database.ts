/**
 * The tables. `log` has every version of every key by revision; `live` has the newest version of each key that
 * exists, so that reading what is now never looks at the past. One writer (a worker thread), many readers (WAL).
 */
import { DatabaseSync } from 'node:sqlite'

/** Kept in SQLite's `user_version`; a database of a higher one is refused. */
export const formatVersion = 1

export class NewerDatabase extends Error {
  constructor(path: string, found: number) {
    super(`${path} was written by a newer Skiff (format ${found}, this one knows ${formatVersion}): use that version, or another data directory`)
    this.name = 'NewerDatabase'
  }
}

/** Four times SQLite's own: under load the same few pages of the trees are written home less often. */
const pagesBetweenCheckpoints = 4000

/** Opens for writing and makes the tables where they are missing. An answered commit is on disk. */
export function openForWriting(path: string): DatabaseSync {
  const db = new DatabaseSync(path)
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = ${pagesBetweenCheckpoints}`)
  const found = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0)
  if (found > formatVersion) {
    db.close()
    throw new NewerDatabase(path, found)
  }
  db.exec(`
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS log (
      revision INTEGER PRIMARY KEY,
      key TEXT NOT NULL,
      value BLOB NOT NULL,
      create_revision INTEGER NOT NULL,
      previous_revision INTEGER,
      deleted INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX IF NOT EXISTS log_by_key ON log (key, revision);
    CREATE TABLE IF NOT EXISTS live (key TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT OR IGNORE INTO meta VALUES ('compacted', 0);
    PRAGMA user_version = ${formatVersion};
    COMMIT;
  `)
  return db
}

export function openForReading(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true })
  db.exec('PRAGMA busy_timeout = 5000')
  return db
}

/** The last revision given out; never falls, whatever compaction removed. */
export function lastRevision(db: DatabaseSync): number {
  const row = db.prepare("SELECT max(coalesce((SELECT max(revision) FROM log), 1), (SELECT value FROM meta WHERE name = 'compacted'), 1) AS revision").get()
  return Number(row?.revision ?? 1)
}

export function compactedRevision(db: DatabaseSync): number {
  return Number(db.prepare("SELECT value FROM meta WHERE name = 'compacted'").get()?.value ?? 0)
}
