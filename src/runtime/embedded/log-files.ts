/**
 * Keeps the logs of running containers within limits, as the kubelet does for other runtimes: a file that has grown
 * too large is renamed to `<file>.<time>` and opened anew; older ones are compressed, the oldest removed.
 */
import { createReadStream, createWriteStream, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { namesIn } from './json-file.ts'

export interface LogLimits {
  /** Bytes of one file. */
  size: number
  /** With the one that is written. */
  files: number
}

export const defaultLogLimits: LogLimits = { size: 10 << 20, files: 5 }

/** Rotates when the limit is reached; `reopen` makes the writer begin a new file. Returns whether it did. */
export async function rotateLog(path: string, limits: LogLimits, now: number, reopen: () => Promise<void>): Promise<boolean> {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size < limits.size) return false
  const rotated = rotatedLogs(path)
  // Two stay besides the oldest ones: the one being written and the one just closed.
  for (const old of rotated.slice(0, Math.max(0, rotated.length - (limits.files - 2)))) rmSync(old, { force: true })
  for (const old of rotatedLogs(path)) if (!old.endsWith('.gz')) await compress(old)
  const stamp = new Date(now).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)
  renameSync(path, `${path}.${stamp}`)
  try {
    await reopen()
  } catch (error) {
    renameSync(`${path}.${stamp}`, path)
    throw error
  }
  return true
}

/** Oldest first. */
export function rotatedLogs(path: string): string[] {
  const directory = dirname(path)
  return namesIn(directory)
    .filter((name) => name.startsWith(`${basename(path)}.`) && /\.\d{8}-\d{6}(\.gz)?$/.test(name))
    .sort()
    .map((name) => `${directory}/${name}`)
}

async function compress(path: string): Promise<void> {
  const temporary = `${path}.tmp`
  await pipeline(createReadStream(path), createGzip(), createWriteStream(temporary))
  renameSync(temporary, `${path}.gz`)
  rmSync(path)
}
