/**
 * How many processes may still be started: by the kernel, and in the control groups that the node's lie in, since
 * whoever runs in a container or under a service manager has often fewer than the machine.
 */
import { readFile } from 'node:fs/promises'
import type { Runtime } from '../../runtime/runtime.ts'
import type { Observation } from './thresholds.ts'

export async function observeProcesses(runtime: Pick<Runtime, 'nodeStats'>): Promise<Observation | undefined> {
  const [load, ...most] = await Promise.all(['/proc/loadavg', '/proc/sys/kernel/pid_max', '/proc/sys/kernel/threads-max'].map((file) => readFile(file, 'utf8')))
  const { pidMax, pidLimits = [] } = (await runtime.nodeStats?.()) ?? {}
  return narrowest([
    kernelProcesses(load ?? '', pidMax === undefined ? most : [...most, String(pidMax)]),
    ...pidLimits.map(({ limit, used }) => ({ available: Math.max(0, limit - used), capacity: limit })),
  ])
}

/** From `/proc/loadavg`, whose fourth field is `running/all`, threads counted; of several limits the lowest holds. */
export function kernelProcesses(loadavg: string, limits: readonly string[]): Observation | undefined {
  const all = /^\S+ \S+ \S+ \d+\/(\d+) /.exec(loadavg)?.[1]
  const capacity = Math.min(...limits.map((text) => Number.parseInt(text, 10)).filter((limit) => limit > 0))
  return all === undefined || !Number.isFinite(capacity) ? undefined : { available: Math.max(0, capacity - Number(all)), capacity }
}

function narrowest(all: readonly (Observation | undefined)[]): Observation | undefined {
  return all.filter((one) => one !== undefined).toSorted((a, b) => a.available - b.available)[0]
}
