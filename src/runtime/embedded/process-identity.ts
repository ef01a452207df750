import { readText } from './json-file.ts'
import type { ProcessIdentity } from './records.ts'

/** Undefined when there is no such process, or only what is left of it until it is reaped. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  // The command in parentheses may hold spaces.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (!fields || fields[0] === 'Z' || fields[0] === 'X') return undefined
  return { pid, startTime: fields[19] ?? '' }
}

export const isAlive = (process: ProcessIdentity): boolean => identify(process.pid)?.startTime === process.startTime
