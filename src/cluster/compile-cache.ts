/** Node keeps compiled code by content, and never forgets: what another version of the code left would stay for ever. */
import { readdir, rm, stat } from 'node:fs/promises'
import { getCompileCacheDir } from 'node:module'
import { dirname, join } from 'node:path'

/** The one that `bin/skiff` chooses; one that a person has chosen is not ours alone. */
const own = join(import.meta.dirname, '../../.cache/compiled')
/** File systems write down at least daily that a file was read. */
const keepMs = 7 * 24 * 3600_000

/** Removes what no process of any version has read for a week. `now` in milliseconds since the epoch. */
export async function pruneCompileCache(now: number, directory = getCompileCacheDir()): Promise<void> {
  if (directory === undefined || dirname(directory) !== own) return
  await prune(own, now)
}

export async function prune(directory: string, now: number): Promise<void> {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    // Another process may do the same.
    const times = await stat(path).catch(() => undefined)
    if (times && now - Math.max(times.atimeMs, times.mtimeMs) > keepMs) await rm(path, { force: true })
  }
}
