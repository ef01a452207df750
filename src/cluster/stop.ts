/** Ends a running cluster from the host's side: gently first, so that databases close their files. */
import { readFileSync } from 'node:fs'
import { removeCgroups } from './cgroup-parent.ts'
import { type DataDirectory, forgetCluster, lastCluster, processStartTime, runningCluster } from './data-directory.ts'

/** Seconds that pods get to end before the kernel ends them. */
const gentleSeconds = 40

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    // It has ended.
    return []
  }
}

/** The server's process: unshare → tini → the shell loop → it. */
export function serverProcess(firstProcess: number): number | undefined {
  const [tini] = childrenOf(firstProcess)
  const [loop] = tini ? childrenOf(tini).filter((pid) => commandOf(pid).startsWith('/bin/sh')) : []
  const [server] = loop ? childrenOf(loop) : []
  return server
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    // It has ended.
    return ''
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 50))

/** Returns false when no cluster was running. Removes the empty cgroup directories either way. */
export async function stopCluster(data: DataDirectory): Promise<boolean> {
  const cluster = runningCluster(data)
  const last = lastCluster(data)
  if (cluster) {
    const alive = () => processStartTime(cluster.pid) === cluster.startTime
    const server = serverProcess(cluster.pid)
    if (server) {
      signal(server, 'SIGTERM')
      const end = performance.now() + gentleSeconds * 1000
      while (alive() && performance.now() < end) await pause()
    }
    if (alive()) signal(cluster.pid, 'SIGKILL')
    while (alive()) await pause()
  }
  if (last) {
    // Processes of a killed namespace leave their cgroups a moment after it is gone.
    for (let tries = 0; removeCgroups(last.id).length > 0 && tries < 100; tries++) await pause()
  }
  if (cluster) forgetCluster(data)
  return cluster !== undefined
}
