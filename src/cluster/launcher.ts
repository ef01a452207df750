/**
 * Starts a cluster in namespaces of its own, from the host's side. The listening sockets are made here, on the
 * host's loopback, and inherited (descriptors 3, 4, 5); descriptor 6 is a pipe on which the inside says how far it
 * is; on 7 lies the host's network namespace, for the way out; on 8 a socket for machines that join, if they may. What remains outside is `unshare` itself: when it ends, however it ends, the kernel ends everything inside.
 * Inside, `tini` reaps orphans and a shell loop starts the server again when it was killed: containers go on.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { AutoscalerSettings } from '../autoscaler/settings.ts'
import type { KubeletSettings } from '../kubelet/settings.ts'
import { removeCgroups } from './cgroup-parent.ts'
import { type DataDirectory, lastCluster, processStartTime, type RunningCluster, rememberCluster, runningCluster } from './data-directory.ts'
import { lockLife } from './life-lock.ts'
import type { OptionalComponent } from './optional-components.ts'
import { machinePidMax } from './pid-max.ts'
import { mallocEnvironment, serverHeapFlags } from './process-memory.ts'
import { checkRequirements, findProgram } from './requirements.ts'
import type { SimulatedNodesWish } from './simulated-nodes/simulated-node-options.ts'
import { killCluster } from './stop.ts'
import { UserError } from './user-error.ts'

export interface LaunchOptions {
  data: DataDirectory
  apiPort: number
  httpPort: number
  httpsPort: number
  egress: 'on' | 'off'
  without?: readonly OptionalComponent[]
  /** At least so many real nodes; 1 when absent. */
  nodes?: number
  nodeCapacity?: Record<string, string>
  /** Of the kubelets of this machine's nodes, where not as usual. */
  kubelet?: KubeletSettings
  /** An address of this machine, under which other machines join the cluster; absent: none can. */
  joinAddress?: string
  simulatedNodes?: SimulatedNodesWish
  /** A node that is silent for so long is not ready; the usual time when absent. */
  nodeMonitorGraceSeconds?: number
  /** How the cluster autoscaler decides, where not as usual. */
  autoscaler?: Partial<AutoscalerSettings>
  context: string
  kubeconfig: string
}

/** What the server inside says, one JSON object a line. */
export type Progress = { at: 'api-ready' | 'node-ready'; ms: number } | { at: 'failed'; message: string }

/** How the server inside is started: it must not run again when it ends by itself with 0, nor when the loop was told to end (`stop.ts`). */
const serverLoop = 'trap "exit 0" TERM; while :; do "$@"; [ $? -eq 0 ] && exit 0; sleep 0.2; done'

/** What the inside is told, in the environment variable `SKIFF_INSIDE`. */
export interface InsideOptions {
  dataDir: string
  id: string
  egress: 'on' | 'off'
  apiPort: number
  httpPort: number
  httpsPort: number
  without: readonly OptionalComponent[]
  nodes: number
  nodeCapacity: Record<string, string>
  /** The machine's; see `pid-max.ts`. */
  pidMax: number
  kubelet?: KubeletSettings
  /** The API answers there too, on the descriptor behind the host's network namespace. */
  joinAddress?: string
  simulatedNodes?: SimulatedNodesWish
  nodeMonitorGraceSeconds?: number
  autoscaler?: Partial<AutoscalerSettings>
}

async function listen(port: number, what: string, flag: string, address = '127.0.0.1'): Promise<Server> {
  // Whoever comes before the sockets are handed over is sent away, and comes again.
  const server = createServer((early) => early.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(new UserError(`port ${port} for ${what} is taken: free it, or choose another with ${flag} (0 takes any)`))
      else if (error.code === 'EADDRNOTAVAIL') reject(new UserError(`${address} is no address of this machine: give one that is with --join-address`))
      else reject(new UserError(`port ${port} for ${what} cannot be used (${error.code}): choose another with ${flag}`))
    })
    server.listen(port, address, () => resolve(server))
  })
}

const portOf = (server: Server): number => {
  const address = server.address()
  return address && typeof address === 'object' ? address.port : 0
}

const descriptorOf = (server: Server): number => (server as unknown as { _handle: { fd: number } })._handle.fd

/**
 * Resolves when the API answers and the node is ready, with what is known of the cluster. `onProgress` hears of
 * each stage. Throws {@link UserError} when it could not start; nothing is left then.
 */
export async function launch(options: LaunchOptions, onProgress: (progress: Progress) => void): Promise<RunningCluster> {
  const { data } = options
  checkRequirements()
  // Until `cluster.json` tells others.
  const unlock = lockLife(data, 'starting')
  const interruption = listenForInterruption()
  try {
    const { child, cluster } = await start(options).finally(unlock)
    try {
      await Promise.race([untilReady(child, data, onProgress), interruption.comes])
    } catch (error) {
      await killCluster(cluster.pid)
      throw error
    }
    child.unref()
    return cluster
  } finally {
    interruption.ignore()
  }
}

/** Ctrl-C reaches this process alone: what it has begun would go on. */
function listenForInterruption(): { comes: Promise<never>; ignore(): void } {
  const { promise: comes, reject } = Promise.withResolvers<never>()
  // It may come before anybody waits for it.
  comes.catch(() => {})
  const interrupted = () => reject(new UserError('interrupted: what was started so far is stopped again'))
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const name of signals) process.once(name, interrupted)
  return {
    comes,
    ignore() {
      for (const name of signals) process.off(name, interrupted)
    },
  }
}

/** Starts the first process and remembers it. */
async function start(options: LaunchOptions): Promise<{ child: ChildProcess; cluster: RunningCluster }> {
  const { data } = options
  const running = runningCluster(data)
  if (running)
    throw new UserError(
      `a cluster is already running over ${data.root} (process ${running.pid}): use it, stop it with 'skiff down', or choose another --data-dir`,
    )
  const previous = lastCluster(data)
  if (previous) removeCgroups(previous.id)
  const id = previous?.id ?? randomBytes(4).toString('hex')

  const sockets: Server[] = []
  try {
    sockets.push(await listen(options.apiPort, 'the API', '--api-port'))
    sockets.push(await listen(options.httpPort, 'HTTP', '--http-port'))
    sockets.push(await listen(options.httpsPort, 'HTTPS', '--https-port'))
    const [apiPort = 0, httpPort = 0, httpsPort = 0] = sockets.map(portOf)
    if (options.joinAddress) sockets.push(await listen(apiPort, 'the API', '--api-port', options.joinAddress))
    const child = spawnInside(
      {
        dataDir: data.root,
        id,
        egress: options.egress,
        apiPort,
        httpPort,
        httpsPort,
        without: options.without ?? [],
        nodes: options.nodes ?? 1,
        nodeCapacity: options.nodeCapacity ?? {},
        pidMax: machinePidMax(),
        ...(options.kubelet ? { kubelet: options.kubelet } : {}),
        ...(options.joinAddress ? { joinAddress: options.joinAddress } : {}),
        ...(options.simulatedNodes ? { simulatedNodes: options.simulatedNodes } : {}),
        ...(options.nodeMonitorGraceSeconds ? { nodeMonitorGraceSeconds: options.nodeMonitorGraceSeconds } : {}),
        ...(options.autoscaler ? { autoscaler: options.autoscaler } : {}),
      },
      data,
      sockets.map(descriptorOf),
    )
    for (const socket of sockets.splice(0)) socket.close()
    const pid = child.pid
    if (!pid) throw new UserError('unshare could not be started')
    const cluster: RunningCluster = {
      pid,
      startTime: processStartTime(pid) ?? '',
      id,
      apiPort,
      httpPort,
      httpsPort,
      context: options.context,
      kubeconfig: options.kubeconfig,
    }
    rememberCluster(data, cluster)
    return { child, cluster }
  } finally {
    for (const socket of sockets) socket.close()
  }
}

function spawnInside(inside: InsideOptions, data: DataDirectory, descriptors: number[]): ChildProcess {
  const log = openSync(join(data.logs, 'skiff.log'), 'a')
  const hostNetwork = openSync('/proc/self/ns/net', 'r')
  const node = process.execPath
  const server = [node, '--disable-warning=ExperimentalWarning', ...serverHeapFlags, join(import.meta.dirname, 'inside.ts')]
  const child = spawn(
    findProgram('unshare') ?? 'unshare',
    [
      '--net',
      '--mount',
      '--pid',
      '--ipc',
      '--fork',
      '--kill-child',
      '--mount-proc',
      findProgram('tini') ?? 'tini',
      '--',
      '/bin/sh',
      '-c',
      serverLoop,
      'skiff',
      ...server,
    ],
    {
      stdio: ['ignore', log, log, ...descriptors.slice(0, 3), 'pipe', hostNetwork, ...descriptors.slice(3)],
      detached: true,
      env: { ...process.env, ...mallocEnvironment, PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`, SKIFF_INSIDE: JSON.stringify(inside) },
      cwd: '/',
    },
  )
  closeSync(log)
  closeSync(hostNetwork)
  return child
}

/** Reads what the inside says until the node is ready. */
function untilReady(child: ChildProcess, data: DataDirectory, onProgress: (progress: Progress) => void): Promise<void> {
  const pipe = (child.stdio as readonly unknown[])[6]
  if (!(pipe instanceof Readable)) throw new Error('the pipe to the inside is missing')
  const lines = createInterface({ input: pipe })
  const log = join(data.logs, 'skiff.log')
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      lines.close()
      pipe.destroy()
      finish()
    }
    lines.on('line', (line) => {
      const progress = JSON.parse(line) as Progress
      onProgress(progress)
      if (progress.at === 'node-ready') settle(resolve)
      else if (progress.at === 'failed') settle(() => reject(new UserError(`the cluster did not start: ${progress.message} (more in ${log})`)))
    })
    child.once('error', (error) => settle(() => reject(new UserError(`the cluster did not start: ${error.message}`))))
    child.once('exit', (code, signal) =>
      settle(() =>
        reject(
          new UserError(
            code === 0 ? 'the cluster was stopped while it started' : `the cluster did not start: its first process ended (${signal ?? code}); see ${log}`,
          ),
        ),
      ),
    )
  })
}
