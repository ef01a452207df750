/**
 * The embedded runtime: images by {@link ImageStore}, sandboxes as namespaces held by files, containers by crun and
 * conmon. No daemon: everything outlives this process, and the next one finds it.
 */
import { statfsSync } from 'node:fs'
import { relative } from 'node:path'
import type { Duplex } from 'node:stream'
import type { Clock, Timer } from '../../machinery/clock.ts'
import {
  type Container,
  type ContainerConfig,
  type ContainerResources,
  type ContainerStatus,
  type Image,
  type NodeStats,
  type PodNetwork,
  type PodSandbox,
  type PodSandboxConfig,
  type RegistryAuth,
  type Runtime,
  RuntimeError,
  type RuntimeEvent,
  type SandboxStats,
  type SessionStreams,
} from '../runtime.ts'
import { EventStream } from '../simulated/event-stream.ts'
import { attach, reopenLog } from './attach.ts'
import { readCgroups } from './cgroups/hierarchy.ts'
import { hideUnifiedHierarchy } from './cgroups/private-mounts.ts'
import { command, type RunProgram, runCommand } from './command.ts'
import { Containers } from './containers.ts'
import type { RuntimeContext } from './context.ts'
import { Crun } from './crun.ts'
import { exec, execSync } from './exec.ts'
import { openImageStore } from './images/image-store.ts'
import { pullImage } from './images/registry/pull.ts'
import type { RegistryConfig } from './images/registry/registry-config.ts'
import { defaultLogLimits, type LogLimits, rotateLog } from './log-files.ts'
import { RuntimePaths } from './paths.ts'
import { portForward } from './port-forward.ts'
import { type ContainerRecord, containerState } from './records.ts'
import { namespacePaths } from './sandbox-namespaces.ts'
import { Sandboxes } from './sandboxes.ts'
import { hostLimits } from './spec/host-limits.ts'
import { Stats } from './stats.ts'

export interface EmbeddedRuntimeOptions {
  /** Images, records, writable layers: `images/`, `sandboxes/`, `containers/`. */
  dataDir: string
  /** Of images, when several runtimes of a machine share them; on one disk with their data directories. */
  imagesDir?: string
  /** For this mount namespace's life; best a file system in memory. */
  stateDir: string
  /** `/skiff-…`: above every pod's `cgroupParent`. */
  cgroupRoot: string
  /** How many processes the machine can have, where another namespace says it than this. */
  pidMax?: number
  network: PodNetwork
  clock: Clock
  log?: (message: string, error?: unknown) => void
  logLimits?: LogLimits
  /** Another way to start programs than by this process itself. */
  run?: RunProgram
  registries?: RegistryConfig
  /** How often monitors, pause processes and the sizes of logs are looked at; milliseconds. */
  lookEvery?: number
}

/** A monitor that was killed takes its container with it: that must not go unnoticed for long. */
const lostMonitorsEvery = 300

export interface LocalRuntime extends Runtime {
  /**
   * Closes it, and tells every container to end, as a machine does that is shut down. Those that listen get so many
   * seconds. What is left is for the end of the namespaces, and so is the memory of it: see {@link Containers.shutDown}.
   */
  shutDown(graceSeconds: number): Promise<void>
}

/** Must be called in mount and PID namespaces of the cluster's own. */
export async function createEmbeddedRuntime(options: EmbeddedRuntimeOptions): Promise<LocalRuntime> {
  await hideUnifiedHierarchy()
  const paths = new RuntimePaths(options.dataDir, options.stateDir, options.imagesDir)
  const run = options.run ?? runCommand
  const crun = new Crun(paths.crunRoot, run)
  const context: RuntimeContext = {
    paths,
    clock: options.clock,
    log: options.log ?? (() => {}),
    run,
    crun,
    crunPath: (await command('sh', ['-c', 'command -v crun'])).trim(),
    images: openImageStore(paths.images, options.clock, `runtime ${relative(paths.images, options.dataDir)}`),
    network: options.network,
    cgroups: readCgroups(),
    cgroupRoot: options.cgroupRoot,
    pidMax: options.pidMax,
    host: hostLimits(),
    events: new EventStream<RuntimeEvent>(),
  }
  const runtime = new EmbeddedRuntime(context, options.logLimits ?? defaultLogLimits, options.registries ?? {})
  await runtime.load(options.lookEvery ?? 5000)
  return runtime
}

class EmbeddedRuntime implements LocalRuntime {
  readonly #context: RuntimeContext
  readonly #sandboxes: Sandboxes
  readonly #containers: Containers
  readonly #stats: Stats
  readonly #logLimits: LogLimits
  readonly #registries: RegistryConfig
  readonly #looks: Timer[] = []

  constructor(context: RuntimeContext, logLimits: LogLimits, registries: RegistryConfig) {
    this.#registries = registries
    this.#context = context
    this.#logLimits = logLimits
    this.#sandboxes = new Sandboxes(context)
    this.#containers = new Containers(context)
    this.#stats = new Stats(context, this.#containers)
  }

  async load(lookEvery: number): Promise<void> {
    await this.#containers.load()
    await this.#sandboxes.load()
    this.#looks.push(this.#lookEvery(lookEvery, () => this.#lookAfter()))
    this.#looks.push(this.#lookEvery(Math.min(lookEvery, lostMonitorsEvery), () => this.#containers.checkLostMonitors()))
  }

  /** One at a time. */
  #lookEvery(ms: number, look: () => Promise<void>): Timer {
    let looking = false
    return this.#context.clock.every(ms, () => {
      if (looking) return
      looking = true
      look()
        .catch((error) => this.#context.log('containers could not be looked after', error))
        .finally(() => {
          looking = false
        })
    })
  }

  async #lookAfter(): Promise<void> {
    await this.#containers.checkMonitors()
    this.#sandboxes.checkPauses()
    for (const { record } of this.#containers.all()) {
      if (containerState(record) !== 'running') continue
      await rotateLog(record.logPath, this.#logLimits, this.#context.clock.now(), () => reopenLog(this.#context, record)).catch((error) =>
        this.#context.log(`the log of container ${record.id} could not be rotated`, error),
      )
    }
  }

  async version() {
    const text = await command('crun', ['--version'])
    return { runtimeName: 'skiff', runtimeVersion: /crun version (\S+)/.exec(text)?.[1] ?? '', runtimeApiVersion: 'v1' }
  }

  async status(): ReturnType<Runtime['status']> {
    const conditions = (['RuntimeReady', 'NetworkReady'] as const).map((type) => ({ type, status: true, reason: '', message: '' }))
    return { conditions }
  }

  runPodSandbox(config: PodSandboxConfig): Promise<string> {
    return this.#sandboxes.run(config)
  }

  async stopPodSandbox(id: string): Promise<void> {
    await Promise.all(this.#containers.of(id).map(({ record }) => this.#containers.stop(record.id, 0)))
    await this.#sandboxes.stop(id)
  }

  async removePodSandbox(id: string): Promise<void> {
    await this.stopPodSandbox(id)
    await Promise.all(this.#containers.of(id).map(({ record }) => this.#containers.remove(record.id)))
    this.#sandboxes.remove(id)
  }

  async listPodSandboxes(): Promise<PodSandbox[]> {
    return this.#sandboxes.list()
  }

  async podSandboxStatus(id: string): Promise<PodSandbox | undefined> {
    return this.#sandboxes.status(id)
  }

  async createContainer(sandboxId: string, config: ContainerConfig): Promise<string> {
    const sandbox = this.#sandboxes.get(sandboxId)
    if (!sandbox) throw new RuntimeError('NotFound', `sandbox "${sandboxId}" not found`)
    if (sandbox.state !== 'ready') throw new RuntimeError('FailedPrecondition', `sandbox "${sandboxId}" is not running`)
    return this.#containers.create(sandbox, config)
  }

  async startContainer(id: string): Promise<void> {
    await this.#containers.start(id)
  }

  stopContainer(id: string, timeoutSeconds: number): Promise<void> {
    return this.#containers.stop(id, timeoutSeconds)
  }

  removeContainer(id: string): Promise<void> {
    return this.#containers.remove(id)
  }

  async listContainers(filter?: { sandboxId?: string }): Promise<Container[]> {
    const entries = filter?.sandboxId ? this.#containers.of(filter.sandboxId) : this.#containers.all()
    return entries.map(({ record }) => containerView(record))
  }

  async containerStatus(id: string): Promise<ContainerStatus | undefined> {
    const record = this.#containers.get(id)?.record
    return record && statusView(record)
  }

  updateContainerResources(id: string, resources: ContainerResources): Promise<void> {
    return this.#containers.update(id, resources)
  }

  async reopenContainerLog(id: string): Promise<void> {
    await reopenLog(this.#context, this.#containers.running(id).record)
  }

  async execSync(id: string, commandLine: string[], timeoutMs: number) {
    return execSync(this.#context, this.#containers.running(id).record, commandLine, timeoutMs)
  }

  async exec(id: string, commandLine: string[], streams: SessionStreams): Promise<{ exitCode: number }> {
    return exec(this.#context, this.#containers.running(id).record, commandLine, streams)
  }

  async attach(id: string, streams: SessionStreams): Promise<void> {
    return attach(this.#context, this.#containers.running(id).record, streams)
  }

  async portForward(sandboxId: string, port: number): Promise<Duplex> {
    const sandbox = this.#sandboxes.get(sandboxId)
    if (!sandbox) throw new RuntimeError('NotFound', `sandbox "${sandboxId}" not found`)
    if (sandbox.state !== 'ready') throw new RuntimeError('FailedPrecondition', `sandbox "${sandboxId}" is not running`)
    const netns = namespacePaths(this.#context.paths.sandboxState(sandboxId), sandbox.config).network
    return portForward({ id: sandboxId, ips: sandbox.ips, netns }, port)
  }

  async listImages(): Promise<Image[]> {
    return this.#context.images.list()
  }

  async imageStatus(reference: string): Promise<Image | undefined> {
    return this.#context.images.status(reference)
  }

  async pullImage(reference: string, auth: RegistryAuth | undefined, options: Parameters<Runtime['pullImage']>[2] = {}): Promise<string> {
    const record = await pullImage(reference, { store: this.#context.images, registries: this.#registries, ...(auth ? { auth } : {}), ...options })
    return record.id
  }

  async removeImage(reference: string): Promise<void> {
    this.#context.images.remove(reference)
  }

  async imageFsInfo() {
    const { directory } = this.#context.images
    const { bytes, inodes } = this.#context.images.usage()
    const { blocks, bavail, bsize } = statfsSync(directory)
    return { mountpoint: directory, usedBytes: bytes, inodesUsed: inodes, capacityBytes: blocks * bsize, availableBytes: bavail * bsize }
  }

  stats(options?: { details?: boolean }): Promise<SandboxStats[]> {
    return this.#stats.of(this.#sandboxes.records(), options?.details)
  }

  async nodeStats(): Promise<NodeStats> {
    return this.#stats.node()
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    return this.#context.events.listen(signal)
  }

  async close(): Promise<void> {
    for (const look of this.#looks) look.cancel()
    this.#containers.close()
  }

  async shutDown(graceSeconds: number): Promise<void> {
    await this.close()
    await this.#containers.shutDown(graceSeconds)
  }
}

function containerView(record: ContainerRecord): Container {
  const { id, sandboxId, config, imageName, imageRef, createdAt } = record
  const { metadata, labels, annotations } = config
  return { id, sandboxId, metadata, image: imageName, imageRef, state: containerState(record), createdAt, labels, annotations }
}

function statusView(record: ContainerRecord): ContainerStatus {
  const { startedAt, finishedAt, exitCode, reason = '', message = '', logPath, user, config } = record
  return {
    ...containerView(record),
    startedAt,
    finishedAt,
    exitCode,
    reason,
    message,
    logPath,
    ...(startedAt === undefined ? {} : { user: { uid: user.uid, gid: user.gid, supplementalGroups: user.additionalGids } }),
    resources: config.resources,
    mounts: config.mounts,
  }
}
