/** Two starts at once over one directory: the second is told so, before either has said in `cluster.json` that it runs. */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DataDirectory, processStartTime } from './data-directory.ts'
import { UserError } from './user-error.ts'

interface Holder {
  pid: number
  startTime: string | undefined
}

/** Answers what lets go of it. A lock whose process has ended, however it ended, counts no more. */
export function lockLaunch(data: DataDirectory): () => void {
  const file = join(data.root, 'launching')
  // Linked when it is written: nobody reads half of it.
  const own = `${file}.${process.pid}`
  const holder: Holder = { pid: process.pid, startTime: processStartTime(process.pid) }
  writeFileSync(own, JSON.stringify(holder))
  try {
    if (!linked(own, file)) {
      const other = holderOf(file)
      if (other && processStartTime(other.pid) === other.startTime)
        throw new UserError(`a cluster is being started over ${data.root} (process ${other.pid}): use that, or choose another --data-dir`)
      rmSync(file, { force: true })
      if (!linked(own, file)) throw new UserError(`a cluster is being started over ${data.root}: use that, or choose another --data-dir`)
    }
  } finally {
    rmSync(own, { force: true })
  }
  return () => rmSync(file, { force: true })
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
