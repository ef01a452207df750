import { constants } from 'node:os'
import { readText } from './json-file.ts'
import type { ProcessIdentity } from './records.ts'

/** The kernel's PF_EXITING. */
const exiting = 0x4

/**
 * Undefined when there is no such process, or only what is left of it: until it is reaped, or, of the first process
 * of a PID namespace, until all others in it have ended.
 */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  // The command in parentheses may hold spaces.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (!fields || fields[0] === 'Z' || fields[0] === 'X' || (Number(fields[6]) & exiting) !== 0) return undefined
  return { pid, startTime: fields[19] ?? '' }
}

export const isAlive = (process: ProcessIdentity): boolean => identify(process.pid)?.startTime === process.startTime

/** Whether some process has that number, dead ones that nobody has reaped included. One system call. */
export function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Whether a signal (`SIGTERM`, `15`) does anything to the process. The first one of a PID namespace gets only those for which it has a
 * handler, or which it holds back to fetch them itself (proc_pid_status(5): SigCgt, SigBlk).
 */
export function hears(pid: number, signal: string): boolean {
  const status = readText(`/proc/${pid}/status`) ?? ''
  const isFirst = /^NSpid:.*\t1$/m.test(status)
  const number = Number(signal) || constants.signals[`SIG${signal.replace(/^SIG/, '')}` as NodeJS.Signals]
  if (!isFirst || !number) return true
  const mask = (name: string) => BigInt(`0x${new RegExp(`^${name}:\\s*(\\w+)`, 'm').exec(status)?.[1] ?? '0'}`)
  return (((mask('SigCgt') | mask('SigBlk')) >> BigInt(number - 1)) & 1n) === 1n
}
