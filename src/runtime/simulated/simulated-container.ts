import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Clock, Timer } from '../../machinery/clock.ts'
import { type ContainerConfig, type ContainerStatus, type PodSandboxConfig, RuntimeError } from '../runtime.ts'
import type { SimulatedLife } from './life.ts'

const killed = 137
const terminated = 143

/** One container that has a life instead of a process. Of what it was made of it keeps what it still needs: it is one of very many. */
export class SimulatedContainer {
  readonly status: ContainerStatus
  readonly life: SimulatedLife
  readonly #clock: Clock
  /** Takes the place of a disk. */
  readonly #kept: Map<string, string> | undefined
  readonly #user: NonNullable<ContainerStatus['user']>
  readonly #onChange: (type: 'containerStarted' | 'containerStopped') => void
  #end: Timer | undefined
  #stopping: Timer | undefined
  #waiting: (() => void)[] = []

  constructor(
    id: string,
    sandboxId: string,
    config: ContainerConfig,
    sandbox: PodSandboxConfig,
    imageRef: string,
    life: SimulatedLife,
    clock: Clock,
    onChange: (type: 'containerStarted' | 'containerStopped') => void,
    kept?: Map<string, string>,
  ) {
    this.life = life
    this.#kept = kept
    this.#clock = clock
    this.#onChange = onChange
    const { runAsUser = 0, runAsGroup = 0, supplementalGroups } = config.security
    this.#user = { uid: runAsUser, gid: runAsGroup, supplementalGroups }
    this.status = {
      id,
      sandboxId,
      metadata: config.metadata,
      image: config.image,
      imageRef,
      state: 'created',
      createdAt: clock.now(),
      labels: config.labels,
      annotations: config.annotations,
      startedAt: undefined,
      finishedAt: undefined,
      exitCode: undefined,
      reason: '',
      message: '',
      logPath: sandbox.logDirectory && config.logPath ? join(sandbox.logDirectory, config.logPath) : '',
      resources: config.resources,
      mounts: config.mounts,
    }
  }

  get running(): boolean {
    return this.status.state === 'running'
  }

  /** Whether a probe of it succeeds now. */
  get healthy(): boolean {
    if (!this.running || this.status.startedAt === undefined) return false
    const age = this.#clock.now() - this.status.startedAt
    return age >= (this.life.readyAfterMs ?? 0) && age < (this.life.unhealthyAfterMs ?? Number.POSITIVE_INFINITY)
  }

  async start(): Promise<void> {
    if (this.status.state !== 'created') throw new RuntimeError('FailedPrecondition', `container ${this.status.id} is ${this.status.state}`)
    const { startDelayMs = 0, startError, runMs } = this.life
    if (startDelayMs > 0) await this.#clock.sleep(startDelayMs)
    if (startError) {
      this.#ended(128, 'StartError', startError)
      throw new RuntimeError('RunContainerError', startError)
    }
    if (this.status.state !== 'created') throw new RuntimeError('FailedPrecondition', `container ${this.status.id} was stopped before it started`)
    this.status.state = 'running'
    this.status.startedAt = this.#clock.now()
    this.status.user = this.#user
    this.#writeOutput(this.status.startedAt)
    this.#onChange('containerStarted')
    if (runMs !== undefined) this.#end = this.#clock.after(runMs, () => this.#endBySelf())
  }

  /** As it was when another runtime had it: what is left of its life begins here. */
  resume({ startedAt, ended }: { startedAt: number | undefined; ended?: { finishedAt: number; exitCode: number; reason: string; message: string } }): void {
    Object.assign(this.status, { createdAt: startedAt ?? this.status.createdAt, startedAt, user: this.#user })
    if (startedAt !== undefined) this.#writeOutput(startedAt)
    if (ended) {
      Object.assign(this.status, { state: 'exited', ...ended })
      return
    }
    this.status.state = 'running'
    const { runMs } = this.life
    if (runMs !== undefined && startedAt !== undefined)
      this.#end = this.#clock.after(Math.max(0, startedAt + runMs - this.#clock.now()), () => this.#endBySelf())
  }

  /** Nothing of it is kept any more. */
  forget(): void {
    this.#end?.cancel()
    if (!this.#kept) return
    this.#kept.delete(this.status.logPath)
    for (const { hostPath } of this.status.mounts) this.#kept.delete(hostPath)
  }

  /** A later call with a shorter time overtakes an earlier one. */
  async stop(timeoutMs: number): Promise<void> {
    if (this.status.state === 'exited') return
    if (!this.running || timeoutMs <= 0) {
      this.#ended(killed, 'Error', '')
      return
    }
    const { stopMs = 0 } = this.life
    this.#stopping?.cancel()
    const ended = new Promise<void>((resolve) => this.#waiting.push(resolve))
    if (stopMs <= timeoutMs) {
      const code = this.life.exitCode ?? terminated
      this.#stopping = this.#clock.after(stopMs, () => this.#ended(code, code === 0 ? 'Completed' : 'Error', ''))
    } else {
      this.#stopping = this.#clock.after(timeoutMs, () => this.#ended(killed, 'Error', ''))
    }
    await ended
  }

  #endBySelf(): void {
    const { exitCode = 0, failureRate = 0, oomKilled } = this.life
    const code = failureRate > 0 && this.#clock.random() < failureRate ? 1 : exitCode
    if (oomKilled) this.#ended(killed, 'OOMKilled', '')
    else this.#ended(code, code === 0 ? 'Completed' : 'Error', '')
  }

  #ended(exitCode: number, reason: string, message: string): void {
    if (this.status.state === 'exited') return
    this.#end?.cancel()
    this.#stopping?.cancel()
    this.#writeTerminationMessage()
    Object.assign(this.status, { state: 'exited', finishedAt: this.#clock.now(), exitCode, reason, message })
    for (const resolve of this.#waiting.splice(0)) resolve()
    this.#onChange('containerStopped')
  }

  #writeOutput(startedAt: number): void {
    const lines = this.life.output ?? []
    if (lines.length === 0 || !this.status.logPath) return
    const at = new Date(startedAt).toISOString()
    const text = lines.map(({ stream = 'stdout', line, partial }) => `${at} ${stream} ${partial ? 'P' : 'F'} ${line}\n`).join('')
    if (this.#kept) {
      this.#kept.set(this.status.logPath, text)
      return
    }
    mkdirSync(dirname(this.status.logPath), { recursive: true })
    appendFileSync(this.status.logPath, text)
  }

  #writeTerminationMessage(): void {
    const path = this.status.annotations['io.kubernetes.container.terminationMessagePath']
    const mount = this.status.mounts.find((one) => one.containerPath === path)
    if (!mount || this.life.terminationMessage === undefined) return
    if (this.#kept) this.#kept.set(mount.hostPath, this.life.terminationMessage)
    else writeFileSync(mount.hostPath, this.life.terminationMessage)
  }
}
