import { Duplex, PassThrough } from 'node:stream'
import type { Clock } from '../../machinery/clock.ts'
import {
  type Container,
  type ContainerConfig,
  type ContainerResources,
  type ContainerStatus,
  type Image,
  type PodSandbox,
  type PodSandboxConfig,
  type RegistryAuth,
  type Runtime,
  RuntimeError,
  type RuntimeEvent,
  type SandboxStats,
  type SessionStreams,
} from '../runtime.ts'
import { EventStream } from './event-stream.ts'
import { type LifeOf, lifeFromAnnotations } from './life.ts'
import { SimulatedContainer } from './simulated-container.ts'
import { type PullOf, SimulatedImages } from './simulated-images.ts'
import { simulatedStats } from './simulated-stats.ts'

export interface SimulatedOptions {
  clock: Clock
  life?: LifeOf
  /** What pulls do. Without it every image is always there. */
  pull?: PullOf
  /** Address of the next sandbox; 10.N.N.N counted up when absent. */
  address?(sandbox: PodSandboxConfig): string
  /** The address that a sandbox had is free again. */
  released?(address: string): void
  /** Where containers write in place of a disk: logs and termination messages, by path. On disk when absent. */
  kept?: Map<string, string>
  /** Makes `runPodSandbox` fail. */
  sandboxError?(sandbox: PodSandboxConfig): string | undefined
}

export interface RestoredPod {
  config: PodSandboxConfig
  createdAt: number
  ips: string[]
  containers: RestoredContainer[]
}

export interface RestoredContainer {
  id: string
  /** Reference of its image. */
  image: string
  config: Omit<ContainerConfig, 'image'>
  startedAt: number | undefined
  /** Absent: it runs. */
  ended?: { finishedAt: number; exitCode: number; reason: string; message: string }
}

interface Sandbox {
  view: PodSandbox
  containers: Set<SimulatedContainer>
}

export const simulatedDiskBytes = 100 * 2 ** 30

/** A {@link Runtime} without containers: deterministic with a virtual clock, a few hundred bytes a pod. */
export class SimulatedRuntime implements Runtime {
  readonly #clock: Clock
  readonly #options: SimulatedOptions
  readonly #life: LifeOf
  readonly #images: SimulatedImages
  readonly #sandboxes = new Map<string, Sandbox>()
  readonly #containers = new Map<string, SimulatedContainer>()
  readonly #events = new EventStream<RuntimeEvent>()
  #next = 0
  #nextAddress = 0

  constructor(options: SimulatedOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#life = options.life ?? lifeFromAnnotations
    this.#images = new SimulatedImages(options.clock, options.pull)
  }

  async version() {
    return { runtimeName: 'simulated', runtimeVersion: '0.1.0', runtimeApiVersion: 'v1' }
  }

  async status() {
    const ready = { status: true, reason: '', message: '' }
    return {
      conditions: [
        { type: 'RuntimeReady' as const, ...ready },
        { type: 'NetworkReady' as const, ...ready },
      ],
    }
  }

  async runPodSandbox(config: PodSandboxConfig): Promise<string> {
    const error = this.#options.sandboxError?.(config)
    if (error) throw new RuntimeError('Unknown', error)
    const id = this.#newId()
    const view: PodSandbox = {
      id,
      metadata: config.metadata,
      state: 'ready',
      createdAt: this.#clock.now(),
      labels: config.labels,
      annotations: config.annotations,
      ips: config.network === 'node' ? [] : [this.#options.address?.(config) ?? this.#countedAddress()],
    }
    this.#sandboxes.set(id, { view, containers: new Set() })
    return id
  }

  async stopPodSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id)
    if (!sandbox) return
    await Promise.all([...sandbox.containers].map((container) => container.stop(0)))
    if (sandbox.view.state === 'notReady') return
    sandbox.view = { ...sandbox.view, state: 'notReady' }
    this.#events.emit({ type: 'sandboxStopped', sandboxId: id, at: this.#clock.now() })
  }

  async removePodSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id)
    if (!sandbox) return
    await this.stopPodSandbox(id)
    for (const container of sandbox.containers) {
      this.#containers.delete(container.status.id)
      container.forget()
    }
    this.#sandboxes.delete(id)
    for (const address of sandbox.view.ips) this.#options.released?.(address)
    this.#events.emit({ type: 'sandboxDeleted', sandboxId: id, at: this.#clock.now() })
  }

  async listPodSandboxes(): Promise<PodSandbox[]> {
    return [...this.#sandboxes.values()].map((sandbox) => sandbox.view)
  }

  async podSandboxStatus(id: string): Promise<PodSandbox | undefined> {
    return this.#sandboxes.get(id)?.view
  }

  async createContainer(sandboxId: string, config: ContainerConfig, sandboxConfig: PodSandboxConfig): Promise<string> {
    const sandbox = this.#sandboxes.get(sandboxId)
    if (!sandbox) throw new RuntimeError('NotFound', `sandbox ${sandboxId} not found`)
    if (sandbox.view.state !== 'ready') throw new RuntimeError('FailedPrecondition', `sandbox ${sandboxId} is not ready`)
    const image = this.#images.status(config.image)
    if (!image) throw new RuntimeError('NotFound', `image ${JSON.stringify(config.image)} not found`)
    for (const { status: other } of sandbox.containers) {
      if (other.metadata.name === config.metadata.name && other.metadata.attempt === config.metadata.attempt)
        throw new RuntimeError('AlreadyExists', `container ${config.metadata.name} attempt ${config.metadata.attempt} exists in sandbox ${sandboxId}`)
    }
    const id = this.#newId()
    this.#add(id, sandbox, config, sandboxConfig, image)
    this.#events.emit({ type: 'containerCreated', containerId: id, sandboxId, at: this.#clock.now() })
    return id
  }

  #add(id: string, sandbox: Sandbox, config: ContainerConfig, sandboxConfig: PodSandboxConfig, image: Image): SimulatedContainer {
    const sandboxId = sandbox.view.id
    const imageRef = image.repoDigests[0] ?? image.id
    const onChange = (type: 'containerStarted' | 'containerStopped') => this.#events.emit({ type, containerId: id, sandboxId, at: this.#clock.now() })
    const life = this.#life(config, sandboxConfig)
    const container = new SimulatedContainer(id, sandboxId, config, sandboxConfig, imageRef, life, this.#clock, onChange, this.#options.kept)
    sandbox.containers.add(container)
    this.#containers.set(id, container)
    return container
  }

  /** A pod as another runtime had it, with its containers' ids and times: nothing of it starts anew. */
  restore({ config, createdAt, ips, containers }: RestoredPod): void {
    const id = this.#newId()
    const { metadata, labels, annotations } = config
    const sandbox: Sandbox = { view: { id, metadata, state: 'ready', createdAt, labels, annotations, ips }, containers: new Set() }
    this.#sandboxes.set(id, sandbox)
    for (const { id: containerId, image: reference, config: given, ...state } of containers) {
      const image = this.#images.status(reference)
      if (image) this.#add(containerId, sandbox, { ...given, image: image.id }, config, image).resume(state)
    }
  }

  async startContainer(id: string): Promise<void> {
    await this.#container(id).start()
  }

  async stopContainer(id: string, timeoutSeconds: number): Promise<void> {
    await this.#containers.get(id)?.stop(timeoutSeconds * 1000)
  }

  async removeContainer(id: string): Promise<void> {
    const container = this.#containers.get(id)
    if (!container) return
    await container.stop(0)
    this.#containers.delete(id)
    container.forget()
    this.#sandboxes.get(container.status.sandboxId)?.containers.delete(container)
    this.#events.emit({ type: 'containerDeleted', containerId: id, sandboxId: container.status.sandboxId, at: this.#clock.now() })
  }

  async listContainers(filter?: { sandboxId?: string }): Promise<Container[]> {
    const from = filter?.sandboxId === undefined ? this.#containers.values() : (this.#sandboxes.get(filter.sandboxId)?.containers ?? [])
    return [...from].map((container) => ({ ...container.status }))
  }

  async containerStatus(id: string): Promise<ContainerStatus | undefined> {
    const container = this.#containers.get(id)
    return container && { ...container.status }
  }

  async updateContainerResources(id: string, resources: ContainerResources): Promise<void> {
    const { status } = this.#container(id)
    status.resources = { ...status.resources, ...resources }
  }

  async reopenContainerLog(id: string): Promise<void> {
    if (!this.#container(id).running) throw new RuntimeError('FailedPrecondition', `container ${id} is not running`)
  }

  async execSync(id: string, command: string[], timeoutMs: number) {
    const container = this.#running(id)
    const answer = container.life.command?.(command) ?? { exitCode: container.healthy ? 0 : 1 }
    const takes = answer.takesMs ?? 0
    await this.#clock.sleep(Math.min(takes, timeoutMs > 0 ? timeoutMs : takes))
    if (timeoutMs > 0 && takes > timeoutMs) throw new RuntimeError('DeadlineExceeded', `command ${JSON.stringify(command)} timed out`)
    return { exitCode: answer.exitCode, stdout: Buffer.from(answer.stdout ?? ''), stderr: Buffer.from(answer.stderr ?? '') }
  }

  async exec(id: string, command: string[], streams: SessionStreams): Promise<{ exitCode: number }> {
    const { life } = this.#running(id)
    if (!life.command) throw new RuntimeError('FailedPrecondition', 'the container is simulated: there is no process in it, and none can be run')
    const answer = life.command(command)
    if (answer.takesMs) await this.#clock.sleep(answer.takesMs, streams.signal)
    streams.stdout?.write(answer.stdout ?? '')
    streams.stderr?.write(answer.stderr ?? '')
    return { exitCode: answer.exitCode }
  }

  async attach(id: string, streams: SessionStreams): Promise<void> {
    const container = this.#running(id)
    while (container.running && !streams.signal.aborted) await this.#clock.sleep(100, streams.signal).catch(() => {})
  }

  /** Answers with what it is sent. */
  async portForward(sandboxId: string): Promise<Duplex> {
    if (this.#sandboxes.get(sandboxId)?.view.state !== 'ready') throw new RuntimeError('NotFound', `sandbox ${sandboxId} not found`)
    const echo = new PassThrough()
    return Duplex.from({ readable: echo, writable: echo })
  }

  /** Whether a probe of the container over the network would succeed; there is no network to try it by. */
  healthy(containerId: string): boolean {
    return this.#containers.get(containerId)?.healthy ?? false
  }

  async listImages(): Promise<Image[]> {
    return this.#images.list()
  }

  async imageStatus(reference: string): Promise<Image | undefined> {
    return this.#images.status(reference)
  }

  pullImage(reference: string, auth: RegistryAuth | undefined, options?: { signal?: AbortSignal }): Promise<string> {
    return this.#images.pull(reference, auth, options?.signal)
  }

  async removeImage(reference: string): Promise<void> {
    this.#images.remove(reference)
  }

  async imageFsInfo() {
    const usedBytes = this.#images.list().reduce((sum, image) => sum + image.size, 0)
    const capacityBytes = simulatedDiskBytes
    return { mountpoint: '/', usedBytes, inodesUsed: 0, capacityBytes, availableBytes: Math.max(0, capacityBytes - usedBytes) }
  }

  async stats(): Promise<SandboxStats[]> {
    return [...this.#sandboxes.values()].map((sandbox) => simulatedStats(sandbox.view, [...sandbox.containers], this.#clock.now()))
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    return this.#events.listen(signal)
  }

  async close(): Promise<void> {}

  #container(id: string): SimulatedContainer {
    const container = this.#containers.get(id)
    if (!container) throw new RuntimeError('NotFound', `container ${id} not found`)
    return container
  }

  #running(id: string): SimulatedContainer {
    const container = this.#container(id)
    if (!container.running) throw new RuntimeError('FailedPrecondition', `container ${id} is not running`)
    return container
  }

  #newId(): string {
    return (this.#next++).toString(16).padStart(8, '0') + this.#clock.uuid().replaceAll('-', '')
  }

  #countedAddress(): string {
    const n = ++this.#nextAddress
    return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
  }
}
