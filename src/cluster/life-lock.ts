/**
 * Starting and stopping over one directory, one at a time: whoever comes meanwhile is told so or waits, and neither
 * finds half of what the other does.
 */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DataDirectory, processStartTime } from './data-directory.ts'
import { UserError } from './user-error.ts'

interface Holder {
  pid: number
  startTime: string | undefined
  doing: 'starting' | 'stopping'
}

/** Answers what lets go of it. Throws {@link UserError} when another holds it. */
export function lockLife(data: DataDirectory, doing: Holder['doing']): () => void {
  const taken = take(data, doing)
  if (typeof taken === 'function') return taken
  if (taken.doing === 'stopping') throw new UserError(`the cluster over ${data.root} is being stopped (process ${taken.pid}): start it when that is done`)
  throw new UserError(`a cluster is being started over ${data.root} (process ${taken.pid}): use that, or choose another --data-dir`)
}

/** As soon as it is free: neither starting nor stopping holds it for long. `pause` takes some milliseconds. */
export async function waitToLockLife(data: DataDirectory, doing: Holder['doing'], pause: () => Promise<unknown>): Promise<() => void> {
  for (;;) {
    const taken = take(data, doing)
    if (typeof taken === 'function') return taken
    await pause()
  }
}

/** What lets go of it, or who holds it. One whose process has ended, however it ended, holds it no more. */
function take(data: DataDirectory, doing: Holder['doing']): (() => void) | Holder {
  const file = join(data.root, 'launching')
  // Linked when it is written: nobody reads half of it.
  const own = `${file}.${process.pid}`
  const holder: Holder = { pid: process.pid, startTime: processStartTime(process.pid), doing }
  writeFileSync(own, JSON.stringify(holder))
  try {
    for (;;) {
      if (linked(own, file)) return () => rmSync(file, { force: true })
      const other = holderOf(file)
      if (other && processStartTime(other.pid) === other.startTime) return other
      rmSync(file, { force: true })
    }
  } finally {
    rmSync(own, { force: true })
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function holderOf(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
