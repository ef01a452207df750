/**
 * Containers. Creating prepares the root file system and the bundle; starting makes the process, so that a program
 * that cannot be run is a failed start, as with other runtimes. An exit is known by the file that conmon leaves.
 */
import { join } from 'node:path'
import { type ContainerConfig, type ContainerResources, RuntimeError } from '../runtime.ts'
import { hasOomKill } from './cgroups/oom.ts'
import { createMonitored } from './conmon.ts'
import { ContainerEntry } from './container-entry.ts'
import { prepareContainer, releaseContainer, saveContainer, sweepContainer } from './container-preparation.ts'
import type { RuntimeContext } from './context.ts'
import { ExitFiles } from './exit-files.ts'
import { namesIn, recordsIn, writeJson } from './json-file.ts'
import { exists, hears, identify, isAlive } from './process-identity.ts'
import { type ContainerRecord, containerState, type SandboxRecord } from './records.ts'
import { mountPointsBelow } from './sandbox-namespaces.ts'
import { resourcesOf } from './spec/resources.ts'
import { startErrorMessage } from './start-error.ts'

interface End {
  exitCode: number
  reason?: string
  message?: string
  at?: number
}

/** As containerd: for a process that never was, and for one whose end nobody saw. */
const startFailed = { exitCode: 128, reason: 'StartError' }
const unseen = { exitCode: 255, reason: 'Unknown' }

export class Containers {
  readonly #context: RuntimeContext
  readonly #entries = new Map<string, ContainerEntry>()
  readonly #exits: ExitFiles

  constructor(context: RuntimeContext) {
    this.#context = context
    this.#exits = new ExitFiles(context.paths.exits)
  }

  /** Finds what an earlier process made, and what happened to it meanwhile. */
  async load(): Promise<void> {
    const { paths, log } = this.#context
    const broken = (id: string, error: unknown) => log(`the record of container ${id} cannot be read`, error)
    for (const record of recordsIn<ContainerRecord>(paths.containers, 'container.json', broken)) this.#entries.set(record.id, new ContainerEntry(record))
    // What was being made when the process ended: nobody knows of it.
    for (const id of namesIn(paths.containers)) if (!this.#entries.has(id)) await sweepContainer(this.#context, id)
    const mounted = new Set(mountPointsBelow(paths.bundles))
    for (const entry of this.#entries.values()) await this.#adopt(entry, mounted.has(paths.rootfs(entry.record.id)))
    this.#exits.watch((id) => this.#exited(id))
  }

  async #adopt(entry: ContainerEntry, mounted: boolean): Promise<void> {
    const { record } = entry
    const state = containerState(record)
    if (state === 'exited') {
      if (mounted) await releaseContainer(this.#context, record)
      entry.ended.resolve()
    } else if (state === 'created') {
      const begun = namesIn(this.#context.paths.bundle(record.id)).includes('pid')
      if (begun) await this.#finish(entry, { ...startFailed, message: 'the runtime ended while the container was being started' })
      else if (!mounted) await this.#finish(entry, unseen)
    } else await this.#checkMonitor(entry)
  }

  close(): void {
    this.#exits.close()
    for (const entry of this.#entries.values()) entry.stop?.timer.cancel()
  }

  /**
   * Tells all that run to end, and gives those that listen so many seconds. Nothing of it is written down: who ends well
   * because of being told to has not done what it was there for, and must not count as done when it is looked for again.
   */
  async shutDown(graceSeconds: number): Promise<void> {
    const { clock, crun, log } = this.#context
    const running = this.all().flatMap(({ record }) => (containerState(record) === 'running' && record.process ? [{ ...record, process: record.process }] : []))
    const listening = running.filter(({ process, stopSignal }) => hears(process.pid, stopSignal))
    await Promise.all(running.map(({ id, stopSignal }) => crun.kill(id, stopSignal).catch((error) => log(`container ${id} could not be told to end`, error))))
    const end = clock.monotonic() + graceSeconds * 1000
    while (clock.monotonic() < end && listening.some(({ process }) => isAlive(process))) await clock.sleep(20)
  }

  get(id: string): ContainerEntry | undefined {
    return this.#entries.get(id)
  }

  need(id: string): ContainerEntry {
    const entry = this.#entries.get(id)
    if (!entry) throw new RuntimeError('NotFound', `container "${id}" not found`)
    return entry
  }

  running(id: string): ContainerEntry {
    const entry = this.need(id)
    const state = containerState(entry.record)
    if (state !== 'running') throw new RuntimeError('FailedPrecondition', `container "${id}" is not running: it is ${state}`)
    return entry
  }

  all(): ContainerEntry[] {
    return [...this.#entries.values()]
  }

  of(sandboxId: string): ContainerEntry[] {
    return this.all().filter((entry) => entry.record.sandboxId === sandboxId)
  }

  async create(sandbox: SandboxRecord, config: ContainerConfig): Promise<string> {
    const record = await prepareContainer(this.#context, sandbox, config, (of) => {
      const pid = of === 'pod' ? sandbox.pausePid : this.running(of.target).record.process?.pid
      if (pid === undefined) throw new RuntimeError('FailedPrecondition', 'the sandbox shares no processes')
      return `/proc/${pid}/ns/pid`
    })
    this.#entries.set(record.id, new ContainerEntry(record))
    this.#context.events.emit({ type: 'containerCreated', containerId: record.id, sandboxId: sandbox.id, at: record.createdAt })
    return record.id
  }

  async start(id: string): Promise<void> {
    const entry = this.need(id)
    if (containerState(entry.record) !== 'created' || entry.starting) throw new RuntimeError('FailedPrecondition', `container "${id}" was started already`)
    entry.starting = this.#start(entry)
    try {
      await entry.starting
    } finally {
      delete entry.starting
    }
    // It may have ended before the start was written down.
    this.#exited(id)
  }

  async #start(entry: ContainerEntry): Promise<void> {
    const { record } = entry
    const { paths, crun, crunPath, clock, events } = this.#context
    const { id, config } = record
    try {
      const { pid, monitorPid } = await createMonitored(crun, crunPath, {
        id,
        bundle: paths.bundle(id),
        logPath: record.logPath,
        exitDir: paths.exits,
        socketDir: paths.sockets,
        terminal: config.tty,
        stdin: config.stdin,
        leaveStdinOpen: config.stdin && !config.stdinOnce,
      })
      const process = identify(pid)
      const monitor = identify(monitorPid)
      if (process) record.process = process
      if (monitor) record.monitor = monitor
      await crun.start(id)
    } catch (error) {
      const message = startErrorMessage(error instanceof Error ? error.message : String(error), record.args)
      await this.#finish(entry, { ...startFailed, message })
      throw new RuntimeError('RunContainerError', message, { cause: error })
    }
    record.startedAt = clock.now()
    this.#save(record)
    events.emit({ type: 'containerStarted', containerId: id, sandboxId: record.sandboxId, at: record.startedAt })
  }

  /** Whether it could be written down: what has happened has happened, also when the disk is full. */
  #save(record: ContainerRecord): boolean {
    try {
      saveContainer(this.#context, record)
      return true
    } catch (error) {
      this.#context.log(`the record of container ${record.id} could not be written`, error)
      return false
    }
  }

  #exited(id: string): void {
    const entry = this.#entries.get(id)
    // While it is being started, its start must be written down first.
    if (!entry || entry.starting || containerState(entry.record) !== 'running') return
    const exit = this.#exits.read(id)
    if (!exit) return
    this.#finish(entry, exit).catch((error) => this.#context.log(`container ${id} could not be cleaned up after its end`, error))
  }

  /** Writes the end down, tells of it, gives back what was used. Once. */
  #finish(entry: ContainerEntry, end: End): Promise<void> {
    entry.finishing ??= this.#finishOnce(entry, end)
    return entry.finishing
  }

  async #finishOnce(entry: ContainerEntry, { exitCode, reason, message, at }: End): Promise<void> {
    const { record } = entry
    const { clock, events, cgroups } = this.#context
    const outOfMemory = hasOomKill(cgroups, record.cgroup)
    record.finishedAt = Math.max(at ?? clock.now(), record.startedAt ?? 0)
    record.exitCode = exitCode
    record.reason = outOfMemory ? 'OOMKilled' : (reason ?? (exitCode === 0 ? 'Completed' : 'Error'))
    if (message) record.message = message
    entry.stop?.timer.cancel()
    // On a full disk the exit file stays, from which a later process learns the same.
    if (this.#save(record)) this.#exits.forget(record.id)
    events.emit({ type: 'containerStopped', containerId: record.id, sandboxId: record.sandboxId, at: record.finishedAt })
    try {
      await releaseContainer(this.#context, record)
    } finally {
      entry.ended.resolve()
    }
  }

  /** A container whose conmon is gone has no log, no terminal, and nobody who sees its end: it is ended. */
  async #checkMonitor(entry: ContainerEntry): Promise<void> {
    const { record } = entry
    if (entry.finishing || entry.starting || containerState(record) !== 'running') return
    if (record.monitor && isAlive(record.monitor)) return
    const exit = this.#exits.read(record.id)
    if (exit) return this.#finish(entry, exit)
    if (!record.process || !isAlive(record.process)) return this.#finish(entry, unseen)
    await this.#context.crun.kill(record.id, 'KILL')
    await this.#finish(entry, { exitCode: 137, message: 'the process that watched the container has ended, and the container with it' })
  }

  /** Cheap enough to be asked several times a second: whether a monitor has ended without a word. */
  async checkLostMonitors(): Promise<void> {
    for (const entry of this.#entries.values()) {
      const { monitor } = entry.record
      if (monitor && !entry.finishing && containerState(entry.record) === 'running' && !exists(monitor.pid)) await this.#checkMonitor(entry)
    }
  }

  async checkMonitors(): Promise<void> {
    for (const entry of this.#entries.values()) await this.#checkMonitor(entry)
  }

  /** Resolves when it has ended. A later stop with less time overtakes an earlier one. */
  async stop(id: string, timeoutSeconds: number): Promise<void> {
    const entry = this.#entries.get(id)
    if (!entry) return
    if (entry.starting) await entry.starting.catch(() => {})
    const { record } = entry
    const { clock, crun } = this.#context
    if (containerState(record) === 'created') return
    if (containerState(record) === 'running') {
      const deadline = clock.now() + timeoutSeconds * 1000
      const first = entry.stop === undefined
      if (timeoutSeconds <= 0) {
        entry.stop?.timer.cancel()
        entry.stop = { deadline, timer: { cancel: () => {} } }
        await crun.kill(id, 'KILL')
      } else if (entry.stop === undefined || deadline < entry.stop.deadline) {
        entry.stop?.timer.cancel()
        const kill = () => crun.kill(id, 'KILL').catch((error) => this.#context.log(`container ${id} could not be killed`, error))
        entry.stop = { deadline, timer: clock.after(timeoutSeconds * 1000, kill) }
        if (first) await crun.kill(id, record.stopSignal)
      }
    }
    await entry.ended.promise
  }

  async remove(id: string): Promise<void> {
    const entry = this.#entries.get(id)
    if (!entry) return
    await this.stop(id, 0)
    if (!this.#entries.delete(id)) return
    await sweepContainer(this.#context, id)
    this.#context.events.emit({ type: 'containerDeleted', containerId: id, sandboxId: entry.record.sandboxId, at: this.#context.clock.now() })
  }

  async update(id: string, resources: ContainerResources): Promise<void> {
    const { record } = this.need(id)
    const state = containerState(record)
    if (state === 'exited') throw new RuntimeError('FailedPrecondition', `container "${id}" has ended`)
    const all = { ...record.config.resources, ...resources }
    if (state === 'created') throw new RuntimeError('FailedPrecondition', `container "${id}" has not started`)
    const file = join(this.#context.paths.bundle(id), 'resources.json')
    writeJson(file, resourcesOf(all, this.#context.cgroups))
    await this.#context.crun.update(id, file)
    record.config = { ...record.config, resources: all }
    saveContainer(this.#context, record)
  }

  attachSocket(id: string): string {
    return join(this.#context.paths.bundle(id), 'attach')
  }
}
