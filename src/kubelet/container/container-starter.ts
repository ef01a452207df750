/** Everything from a container in a pod's spec to a container that runs: image, environment, mounts, create, start, postStart. */
import { join } from 'node:path'
import type { Span } from '../../client/client.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { V1Container, V1EphemeralContainer, V1ImageVolumeSource, V1Pod, V1Secret } from '../../machinery/schema/generated/types.ts'
import type { ContainerConfig, Image, PodSandboxConfig, Runtime } from '../../runtime/runtime.ts'
import type { Directories } from '../directories.ts'
import type { KubeletEvents } from '../events.ts'
import type { NodeFiles } from '../files/node-files.ts'
import type { ImageManager } from '../images/image-manager.ts'
import { withDefaultTag } from '../images/image-reference.ts'
import { containerAnnotations, containerLabels } from '../pod/identity.ts'
import { latestOf, type PodRuntime } from '../pod/pod-runtime.ts'
import type { NetworkProbes } from '../probes/probe.ts'
import type { MountedVolume } from '../volumes/volume.ts'
import { containerMounts } from './container-mounts.ts'
import { type EnvironmentSources, environmentOf } from './environment.ts'
import { expand } from './expansion.ts'
import { runHook } from './lifecycle-hook.ts'
import { resourcesOf } from './resources.ts'
import { securityOf } from './security.ts'
import { messageOf, StartError } from './start-error.ts'

export interface ContainerStarterOptions {
  runtime: Runtime
  images: ImageManager
  clock: Clock
  events: KubeletEvents
  files: NodeFiles
  directories: Directories
  network: NetworkProbes
  clusterDomain: string
  nodeMemory: number
  environment: Omit<EnvironmentSources, 'podIPs' | 'files' | 'volumes'>
}

export interface StartRequest {
  pod: V1Pod
  container: V1Container
  sandboxId: string
  sandbox: PodSandboxConfig
  runtime: PodRuntime
  volumes: ReadonlyMap<string, MountedVolume>
  pullSecrets: readonly V1Secret[]
  podIPs: string[]
  /** How often it was started before, as `restartCount` says. */
  attempt: number
  signal: AbortSignal
  record(span: Span): void
}

export class ContainerStarter {
  readonly #options: ContainerStarterOptions

  constructor(options: ContainerStarterOptions) {
    this.#options = options
  }

  /** Throws a {@link StartError}; its event has been told. */
  async start(request: StartRequest): Promise<void> {
    const { images, events, clock } = this.#options
    const { pod, container, signal, record } = request
    const about = `${pod.metadata.namespace}/${pod.metadata.name}`
    let image: Image
    const volumeImages = new Map<string, string>()
    try {
      image = await images.ensure(pod, container, request.pullSecrets, signal, record)
      for (const { name, source } of imagesMountedBy(pod, container)) {
        const wanted = { ...container, image: source.reference ?? '', ...(source.pullPolicy ? { imagePullPolicy: source.pullPolicy } : {}) }
        volumeImages.set(name, (await images.ensure(pod, wanted, request.pullSecrets, signal, record)).id)
      }
    } catch (error) {
      // The message stands in the event before; this one says what becomes of the container.
      if (error instanceof StartError) events.container(pod, container, 'Warning', 'Failed', `Error: ${error.reason}`)
      throw error
    }
    const start = clock.now()
    const config = await this.#told(request, 'CreateContainerConfigError', () => this.#config(request, image, volumeImages))
    signal.throwIfAborted()
    const id = await this.#told(request, 'CreateContainerError', () => this.#options.runtime.createContainer(request.sandboxId, config, request.sandbox))
    events.container(pod, container, 'Normal', 'Created', 'Container created')
    await this.#told(request, 'RunContainerError', () => this.#options.runtime.startContainer(id))
    record({ name: 'start container', start, end: clock.now(), about, attributes: { container: container.name, attempt: request.attempt } })
    events.container(pod, container, 'Normal', 'Started', 'Container started')
    await this.#postStart(request, id)
  }

  async #told<T>({ pod, container }: StartRequest, reason: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      const failure = error instanceof StartError ? error : new StartError(reason, messageOf(error), { cause: error })
      this.#options.events.container(pod, container, 'Warning', 'Failed', `Error: ${failure.message}`)
      throw failure
    }
  }

  async #postStart({ pod, container, podIPs, signal }: StartRequest, containerId: string): Promise<void> {
    const hook = container.lifecycle?.postStart
    if (!hook) return
    const { runtime, network, clock, events } = this.#options
    try {
      await runHook(hook, { pod, container, containerId, podIP: podIPs[0] ?? '' }, { runtime, network, clock, timeoutMs: 0, signal })
    } catch (error) {
      events.container(pod, container, 'Warning', 'FailedPostStartHook', 'PostStartHook failed')
      events.container(pod, container, 'Normal', 'Killing', `FailedPostStartHook`)
      await runtime.stopContainer(containerId, pod.spec.terminationGracePeriodSeconds ?? 30)
      throw new StartError('PostStartHookError', `PostStartHookError: ${messageOf(error)}`, { cause: error })
    }
  }

  async #config(request: StartRequest, image: Image, images: ReadonlyMap<string, string>): Promise<ContainerConfig> {
    const { files, directories, clusterDomain, nodeMemory } = this.#options
    const { pod, container, podIPs, attempt, runtime } = request
    const environment = await environmentOf(pod, container, { ...this.#options.environment, podIPs, files, volumes: request.volumes })
    const target = (container as V1EphemeralContainer).targetContainerName
    const security = securityOf(pod, container, image, target ? latestOf(runtime, target)?.id : undefined)
    const mounts = await containerMounts(pod, container, { files, directories, volumes: request.volumes, images, environment, podIPs, clusterDomain, attempt })
    const logPath = join(container.name, `${attempt}.log`)
    await files.makeDirectory(join(request.sandbox.logDirectory, container.name), 0o755)
    const config: ContainerConfig = {
      metadata: { name: container.name, attempt },
      image: image.id,
      imageSpec: withDefaultTag(container.image ?? '') ?? container.image ?? '',
      envs: [...environment].map(([key, value]) => ({ key, value })),
      mounts,
      devices: [],
      labels: containerLabels(pod, container),
      annotations: containerAnnotations(pod, container, attempt),
      logPath,
      stdin: container.stdin ?? false,
      stdinOnce: container.stdinOnce ?? false,
      tty: container.tty ?? false,
      resources: resourcesOf(pod, container, nodeMemory),
      security,
    }
    if (container.command?.length) config.command = container.command.map((word) => expand(word, environment))
    if (container.args?.length) config.args = container.args.map((word) => expand(word, environment))
    if (container.workingDir) config.workingDir = container.workingDir
    if (container.lifecycle?.stopSignal) config.stopSignal = container.lifecycle.stopSignal
    return config
  }
}

/** The volumes that are images, of those that the container mounts. */
function imagesMountedBy(pod: V1Pod, { volumeMounts = [] }: V1Container): { name: string; source: V1ImageVolumeSource }[] {
  const mounted = new Set(volumeMounts.map(({ name }) => name))
  return (pod.spec.volumes ?? []).flatMap(({ name, image }) => (image && mounted.has(name) ? [{ name, source: image }] : []))
}
