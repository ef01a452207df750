import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../client/component.ts'
import type { Clock, Timer } from '../machinery/clock.ts'
import { get } from '../machinery/node-http.ts'
import type { ListenSocket } from './nginx-config.ts'

export interface NginxProcessOptions {
  binary: string
  stateDirectory: string
  /** Listening sockets that are open already, handed on to nginx: it takes those whose address it is to listen on. */
  inherited: number[]
  status: ListenSocket
  clock: Clock
  log: Logger
}

const attempts = 4
const attemptMs = 3_000
const stopMs = 5_000

/** The one nginx of a state directory: started, or found running after this process was started again. */
export class NginxProcess {
  readonly configFile: string
  readonly #options: NginxProcessOptions
  readonly #pidFile: string
  #pid: number | undefined
  #watch: Timer | undefined
  #stopped = false
  #deaths = 0

  constructor(options: NginxProcessOptions) {
    this.#options = options
    this.configFile = join(options.stateDirectory, 'nginx.conf')
    this.#pidFile = join(options.stateDirectory, 'nginx.pid')
    mkdirSync(options.stateDirectory, { recursive: true })
  }

  /** What nginx says against a configuration; undefined when it takes it. */
  async test(config: string): Promise<string | undefined> {
    const file = `${this.configFile}.test`
    writeFileSync(file, config, { mode: 0o600 })
    const child = this.#spawn(['-t', '-q', '-c', file, '-e', 'stderr'], 'pipe')
    let said = ''
    child.stderr?.on('data', (chunk) => {
      said += chunk
    })
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    rmSync(file, { force: true })
    if (code === 0) return undefined
    const line = said.split('\n').find((text) => text.includes('[emerg]')) ?? said.trim()
    return line.replace(/^.*\[emerg\] (\d+#\d+: )?/, '').replace(/ in \S+nginx\.conf\.test:\d+$/, '')
  }

  /** The configuration that an nginx runs which an earlier controller left; undefined when there is none. */
  async adopt(): Promise<string | undefined> {
    this.#pid = this.#findRunning()
    if (this.#pid === undefined) return undefined
    this.#watch ??= this.#options.clock.every(1000, () => this.#check())
    return await this.#ask('/generation')
  }

  /** What nginx' own status page says; undefined while it does not run. */
  status(): Promise<string | undefined> {
    return this.#ask('/nginx_status')
  }

  /** Makes nginx run this configuration and returns when it does: connections that stand are served to their end. */
  async apply(config: string, generation: string): Promise<void> {
    writeFileSync(`${this.configFile}.new`, config, { mode: 0o600 })
    renameSync(`${this.configFile}.new`, this.configFile)
    this.#pid ??= this.#findRunning()
    this.#watch ??= this.#options.clock.every(1000, () => this.#check())
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (this.#pid !== undefined && this.#isOurs(this.#pid)) process.kill(this.#pid, 'SIGHUP')
      else this.#start()
      if (await this.#until(async () => (await this.#ask('/generation')) === generation, attemptMs)) return
    }
    throw new Error(`nginx does not run the new configuration: see ${join(this.#options.stateDirectory, 'error.log')}`)
  }

  /** Lets requests that are under way come to their end, for a while. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#watch?.cancel()
    const pid = this.#pid ?? this.#findRunning()
    if (pid === undefined) return
    for (const signal of ['SIGQUIT', 'SIGTERM', 'SIGKILL'] as const) {
      if (!this.#isOurs(pid)) return
      process.kill(pid, signal)
      await this.#until(() => !this.#isOurs(pid), stopMs)
    }
    endWorkersOf(pid)
  }

  /** By what it was started with: a process that has come by the number since is somebody else's. */
  #isOurs(pid: number): boolean {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      return command.includes('nginx') && command.includes(this.configFile)
    } catch {
      return false
    }
  }

  #findRunning(): number | undefined {
    const pid = this.#lastPid()
    if (pid === undefined || !this.#isOurs(pid)) return undefined
    this.#options.log.info('found nginx running', { pid })
    return pid
  }

  /** Of the last master, whether or not it still runs. */
  #lastPid(): number | undefined {
    try {
      const pid = Number(readFileSync(this.#pidFile, 'utf8').trim())
      return pid > 1 ? pid : undefined
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  #start(): void {
    // Those of a master that was killed go on, with what it had, at the addresses that the next one needs.
    const last = this.#pid ?? this.#lastPid()
    if (last !== undefined) endWorkersOf(last)
    const child = this.#spawn(['-c', this.configFile, '-e', join(this.#options.stateDirectory, 'error.log')], 'ignore')
    this.#pid = child.pid
    child.once('error', (error) => this.#options.log.error('could not start nginx', { error }))
    child.unref()
  }

  #spawn(args: string[], stderr: 'pipe' | 'ignore'): ChildProcess {
    const { binary, stateDirectory, inherited } = this.#options
    // Descriptors follow the three usual ones; the variable tells nginx which of them are sockets to listen on.
    const env = { ...process.env, ...(inherited.length > 0 ? { NGINX: inherited.map((_, index) => `${index + 3};`).join('') } : {}) }
    return spawn(binary, [...args, '-p', stateDirectory], { stdio: ['ignore', 'ignore', stderr, ...inherited], env, detached: true })
  }

  /** nginx's own master restarts workers; should it be gone itself, it is started again with what it had. */
  #check(): void {
    if (this.#stopped || this.#pid === undefined || this.#isOurs(this.#pid)) return
    this.#deaths++
    this.#options.log.error('nginx is gone, starting it again', { times: this.#deaths })
    this.#start()
  }

  async #until(condition: () => boolean | Promise<boolean>, milliseconds: number): Promise<boolean> {
    const { clock } = this.#options
    const end = clock.monotonic() + milliseconds
    for (let wait = 5; ; wait = Math.min(wait * 2, 100)) {
      if (await condition()) return true
      if (clock.monotonic() > end) return false
      await clock.sleep(wait)
    }
  }

  #ask(path: string): Promise<string | undefined> {
    const { address, port } = this.#options.status
    return new Promise((resolve) => {
      const request = get({ host: address, port, path, agent: false, timeout: 1000 }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => resolve(text))
      })
      request.on('timeout', () => request.destroy())
      request.on('error', () => resolve(undefined))
    })
  }
}

/** Lets the workers of a master that is gone end what is under way, and take nothing new. A master leads a session of its own. */
function endWorkersOf(master: number): void {
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || sessionOf(pid) !== master || !isWorker(pid)) continue
    try {
      process.kill(pid, 'SIGQUIT')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

function isWorker(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('nginx: worker')
  } catch {
    // It has ended.
    return false
  }
}

function sessionOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command in parentheses may hold spaces.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3])
  } catch {
    // It has ended.
    return undefined
  }
}
