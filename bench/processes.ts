/** What a tree of processes takes of the machine, read from /proc. */
import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessUse {
  pid: number
  name: string
  /** Its share of memory: private pages, and shared ones divided among those who share them. */
  pssBytes: number
  cpuMs: number
}

interface Stat {
  pid: number
  parent: number
  name: string
  cpuMs: number
}

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'))
    return { pid, parent: Number(fields[1]), name, cpuMs: cpuMsOf(pid) }
  } catch {
    // It has just ended.
    return undefined
  }
}

/** To the nanosecond, of all threads: clock ticks do not see work that is shorter than they are. */
function cpuMsOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  return threads.reduce((ms, thread) => ms + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6, 0)
}

function pssOf(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    // It has just ended.
    return 0
  }
}

/** These processes and all that come of them. */
export function usedBy(roots: readonly number[]): ProcessUse[] {
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat !== undefined)
  const members = new Set(roots)
  for (let grown = true; grown; ) {
    grown = false
    for (const { pid, parent } of stats)
      if (members.has(parent) && !members.has(pid)) {
        members.add(pid)
        grown = true
      }
  }
  return stats.filter(({ pid }) => members.has(pid)).map(({ pid, name, cpuMs }) => ({ pid, name, cpuMs, pssBytes: pssOf(pid) }))
}
