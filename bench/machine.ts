/** What numbers must be read with: the machine, its kernel, the versions, and what else ran. */
import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'

export interface MachineFacts {
  date: string
  commit: string
  processors: string
  memory: string
  kernel: string
  node: string
  /** Runnable processes over the minute before the first measure. */
  load: number
}

export function machineFacts(): MachineFacts {
  const [first] = cpus()
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    commit: commit(),
    processors: `${cpus().length} × ${first?.model.trim() ?? 'unknown'}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    kernel: release(),
    node: process.version,
    load: loadavg()[0] ?? 0,
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    // Not a checkout.
    return 'unknown'
  }
}
