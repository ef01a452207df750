/** Ends a running cluster from the host's side: gently first, so that databases close their files. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { removeCgroups } from './cgroup-parent.ts'
import { type DataDirectory, forgetCluster, lastCluster, processStartTime, runningCluster } from './data-directory.ts'
import { waitToLockLife } from './life-lock.ts'
import { removeFromKubeconfig } from './pki/kubeconfig.ts'

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
  const loop = loopProcess(firstProcess)
  return loop === undefined ? undefined : childrenOf(loop)[0]
}

function loopProcess(firstProcess: number): number | undefined {
  const [tini] = childrenOf(firstProcess)
  return tini === undefined ? undefined : childrenOf(tini).find((pid) => commandOf(pid).startsWith('/bin/sh'))
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

const pause = (ms = 50) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Ends all at once. The kernel ends what is inside with the first process, but not until that process has asked for it,
 * a moment after it has made its child: it is held, so that it makes none unseen, and the child is killed too.
 */
export async function killCluster(firstProcess: number): Promise<void> {
  signal(firstProcess, 'SIGSTOP')
  while (/^[^TZX]$/.test(stateOf(firstProcess))) await pause(1)
  const children = childrenOf(firstProcess)
  for (const pid of [firstProcess, ...children]) signal(pid, 'SIGKILL')
}

/** One letter (proc_pid_stat(5)); X when it is gone. */
function stateOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.charAt(stat.lastIndexOf(')') + 2)
  } catch {
    // It has ended.
    return 'X'
  }
}

/** Tells the loop to start no other server, and the one that runs to end; whichever it is that runs by then. */
async function endGently(firstProcess: number, alive: () => boolean): Promise<void> {
  const told = new Set<number>()
  const tell = (pid: number | undefined) => {
    if (pid === undefined || told.has(pid)) return
    told.add(pid)
    signal(pid, 'SIGTERM')
  }
  const end = performance.now() + gentleSeconds * 1000
  while (alive() && performance.now() < end) {
    tell(loopProcess(firstProcess))
    tell(serverProcess(firstProcess))
    await pause()
  }
}

/**
 * Returns false when no cluster was running. Removes the empty cgroup directories and the kubeconfig's context either
 * way. A start that is under way is waited for, as far as there is something to stop.
 * `warn` hears of what could not be done, and is no reason to stop halfway.
 */
export async function stopCluster(data: DataDirectory, warn: (trouble: string) => void = () => {}): Promise<boolean> {
  if (!existsSync(join(data.root, 'layout'))) return false
  const unlock = await waitToLockLife(data, 'stopping', pause)
  try {
    const cluster = runningCluster(data)
    const last = lastCluster(data)
    if (cluster) {
      const alive = () => processStartTime(cluster.pid) === cluster.startTime
      await endGently(cluster.pid, alive)
      if (alive()) await killCluster(cluster.pid)
      while (alive()) await pause()
    }
    if (last) {
      // Processes of a killed namespace leave their cgroups a moment after it is gone.
      for (let tries = 0; removeCgroups(last.id).length > 0 && tries < 100; tries++) await pause()
    }
    if (cluster) forgetCluster(data)
    if (last)
      await removeFromKubeconfig(last.kubeconfig, { context: last.context }).catch((error) =>
        warn(`the context '${last.context}' stays in ${last.kubeconfig}: ${error instanceof Error ? error.message : error}`),
      )
    return cluster !== undefined
  } finally {
    unlock()
  }
}
