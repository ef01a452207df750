/**
 * The processes of a further node: `unshare` with namespaces of the node's own, in them `tini`, and a shell loop that
 * starts the agent again when it was killed. They outlive the server that started them: the next server finds them.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../machinery/clock.ts'
import { processStartTime } from '../data-directory.ts'
import { mallocEnvironment, nodeHeapFlags } from '../process-memory.ts'
import { findProgram } from '../requirements.ts'

export interface NodeProcess {
  pid: number
  startTime: string
}

export interface StartOptions {
  /** With the first process, when its namespaces are made. */
  connect(pid: number): Promise<void>
  /** A descriptor of the machine's own network namespace, for the way out; the agent has it as {@link machineNetworkDescriptor}. */
  machineNetwork?: number
}

export const machineNetworkDescriptor = 4

/** Says that the namespaces are made, and goes on when its network is. */
const gate = 'echo made >&3; read -r _ <&3; exec 3>&-; exec "$@"'
const agentLoop = 'trap "exit 0" TERM; while :; do "$@"; [ $? -eq 0 ] && exit 0; sleep 0.2; done'

export class NodeProcesses {
  readonly #directory: string
  readonly #clock: Clock

  /** `directory` must be in memory: what it says is true only while the cluster's namespaces live. */
  constructor(directory: string, clock: Clock) {
    this.#directory = directory
    this.#clock = clock
    mkdirSync(directory, { recursive: true })
  }

  running(name: string): NodeProcess | undefined {
    const file = this.#file(name)
    if (!existsSync(file)) return undefined
    const known = JSON.parse(readFileSync(file, 'utf8')) as NodeProcess
    return processStartTime(known.pid) === known.startTime ? known : undefined
  }

  /** The agent runs when `connect` has given its namespaces their network. */
  async start(name: string, agentFile: string, logFile: string, { connect, machineNetwork }: StartOptions): Promise<NodeProcess> {
    const log = openSync(logFile, 'a')
    const agent = [process.execPath, '--disable-warning=ExperimentalWarning', ...nodeHeapFlags, join(import.meta.dirname, 'agent-inside.ts')]
    const child = spawn(
      findProgram('unshare') ?? 'unshare',
      ['--net', '--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child', '--mount-proc']
        .concat(['/bin/sh', '-c', gate, 'skiff-node', findProgram('tini') ?? 'tini', '--'])
        .concat(['/bin/sh', '-c', agentLoop, `skiff-${name}`, ...agent]),
      {
        stdio: ['ignore', log, log, 'pipe', machineNetwork ?? 'ignore'],
        detached: true,
        env: { ...process.env, ...mallocEnvironment, SKIFF_AGENT: agentFile },
        cwd: '/',
      },
    )
    closeSync(log)
    try {
      const pid = await untilMade(child)
      const started = { pid, startTime: processStartTime(pid) ?? '' }
      writeFileSync(`${this.#file(name)}.new`, JSON.stringify(started))
      renameSync(`${this.#file(name)}.new`, this.#file(name))
      await connect(pid)
      const pipe = gateOf(child)
      pipe.end('go\n')
      child.unref()
      return started
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
  }

  /** All at once, as when the power fails. */
  async kill(name: string): Promise<void> {
    await this.#end(name, (pid) => process.kill(pid, 'SIGKILL'), 5)
  }

  /** The agent ends its pods within `seconds`, then all of it ends. */
  async stop(name: string, seconds: number): Promise<void> {
    await this.#end(name, (pid) => signalAgent(pid), seconds)
  }

  async #end(name: string, signal: (pid: number) => void, seconds: number): Promise<void> {
    const running = this.running(name)
    if (running) {
      try {
        signal(running.pid)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
      const alive = () => processStartTime(running.pid) === running.startTime
      for (const end = this.#clock.monotonic() + seconds * 1000; alive() && this.#clock.monotonic() < end; ) await this.#clock.sleep(20)
      if (alive()) process.kill(running.pid, 'SIGKILL')
      while (alive()) await this.#clock.sleep(20)
    }
    rmSync(this.#file(name), { force: true })
  }

  #file(name: string): string {
    return join(this.#directory, `${name}.json`)
  }
}

const childrenOf = (pid: number): number[] => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)

/** unshare → tini → the loop → the agent. */
function signalAgent(first: number): void {
  const [tini] = childrenOf(first)
  const loop = tini && childrenOf(tini).find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('/bin/sh'))
  if (!loop) return void process.kill(first, 'SIGKILL')
  // It must not start another: one that is only starting ends without a word.
  process.kill(loop, 'SIGTERM')
  for (const agent of childrenOf(loop)) process.kill(agent, 'SIGTERM')
}

function gateOf(child: ChildProcess): Duplex {
  return (child.stdio as readonly unknown[])[3] as Duplex
}

function untilMade(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`the node's first process ended (${signal ?? code})`)))
    gateOf(child).once('data', () => {
      const { pid } = child
      // What came up in the namespaces of this process would change the cluster's own network.
      if (!pid || readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync('/proc/self/ns/net')) reject(new Error('the node has no network namespace of its own'))
      else resolve(pid)
    })
  })
}
