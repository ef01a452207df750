import { join } from 'node:path'
import type { Client, Span } from '../../client/client.ts'
import type { Logger } from '../../client/component.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { V1Pod, V1Volume } from '../../machinery/schema/generated/types.ts'
import { messageOf } from '../container/start-error.ts'
import type { Directories } from '../directories.ts'
import type { KubeletEvents } from '../events.ts'
import type { NodeFiles } from '../files/node-files.ts'
import type { PodMetrics } from '../pod/pod-metrics.ts'
import type { ReferencedObjects } from '../referenced-objects.ts'
import { kindOf } from './kinds.ts'
import { ServiceAccountTokens } from './service-account-tokens.ts'
import type { MountedVolume, VolumeContext } from './volume.ts'

export interface VolumeManagerOptions {
  client: Client
  clock: Clock
  log: Logger
  files: NodeFiles
  directories: Directories
  objects: ReferencedObjects
  events: KubeletEvents
  allocatable(): Record<string, string>
  hostIPs: string[]
  /** A file system in memory for what is secret; absent: on disk beside the rest. */
  memoryDirectory?: string
  metrics?: PodMetrics | undefined
}

/** Mounts what pods need before their containers start, keeps config-like content fresh, and cleans up after them. */
export class VolumeManager {
  readonly #options: VolumeManagerOptions
  readonly #tokens: ServiceAccountTokens
  readonly #mounted = new Map<string, Map<string, MountedVolume & { plugin: string }>>()

  constructor(options: VolumeManagerOptions) {
    this.#options = options
    this.#tokens = new ServiceAccountTokens(options.client, options.clock)
  }

  /** All volumes of the pod, by name; throws when one cannot be mounted (an event has told why). */
  async mountAll(pod: V1Pod, podIPs: string[], record: (span: Span) => void): Promise<ReadonlyMap<string, MountedVolume>> {
    const { clock, events, log } = this.#options
    const { uid } = pod.metadata
    const mounted = this.#mounted.get(uid) ?? new Map<string, MountedVolume & { plugin: string }>()
    this.#mounted.set(uid, mounted)
    const failures: string[] = []
    for (const volume of pod.spec.volumes ?? []) {
      const known = mounted.get(volume.name)
      if (known && !this.#mustRefresh(known)) continue
      const start = clock.now()
      try {
        mounted.set(volume.name, await this.#mount(pod, volume, podIPs))
        if (!known)
          record({
            name: 'mount volume',
            start,
            end: clock.now(),
            about: `${pod.metadata.namespace}/${pod.metadata.name}`,
            attributes: { volume: volume.name },
          })
      } catch (error) {
        const message = messageOf(error)
        events.pod(pod, 'Warning', 'FailedMount', `MountVolume.SetUp failed for volume ${JSON.stringify(volume.name)} : ${message}`)
        // What stands there is still good for who runs already; the change is tried again.
        if (known) log.debug('a volume is not refreshed', { pod: pod.metadata.name, volume: volume.name, error })
        else failures.push(`volume ${JSON.stringify(volume.name)}: ${message}`)
      }
    }
    if (failures.length > 0) throw new Error(`unmounted volumes: ${failures.join('; ')}`)
    return mounted
  }

  /** Where a volume of the pod is; undefined while it is not mounted, and where it has no place of its own. */
  pathOf(uid: string, name: string): string | undefined {
    return this.#mounted.get(uid)?.get(name)?.path || undefined
  }

  /** Of each volume that is mounted. */
  plugins(): string[] {
    return [...this.#mounted.values()].flatMap((volumes) => [...volumes.values()].map(({ plugin }) => plugin))
  }

  /** When the first of the pod's volumes grows old. */
  refreshAt(uid: string): number | undefined {
    const times = [...(this.#mounted.get(uid)?.values() ?? [])].flatMap(({ refreshAt }) => (refreshAt === undefined ? [] : [refreshAt]))
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /** Takes everything of the pod away; its claims' data stays where it is. Idempotent. */
  async unmountAll(uid: string): Promise<void> {
    const { files, directories, memoryDirectory } = this.#options
    for (const root of [directories.pod(uid), ...(memoryDirectory ? [join(memoryDirectory, uid)] : [])]) {
      for (const point of await files.mountsBelow(root)) await files.unmount(point)
      const left = await files.mountsBelow(root)
      if (left.length > 0) throw new Error(`still mounted: ${left.join(', ')}`)
      await files.remove(root)
    }
    this.#mounted.delete(uid)
    this.#tokens.forget(uid)
  }

  #mustRefresh({ follows, refreshAt }: MountedVolume): boolean {
    if (!this.#options.files.keeps) return false
    return follows === true || (refreshAt !== undefined && refreshAt <= this.#options.clock.now())
  }

  async #mount(pod: V1Pod, volume: V1Volume, podIPs: string[]): Promise<MountedVolume & { plugin: string }> {
    const { client, clock, files, objects, directories, allocatable, hostIPs, memoryDirectory, metrics } = this.#options
    const kind = kindOf(volume)
    if (!kind) throw new Error('no volume plugin matched')
    const { uid } = pod.metadata
    const context: VolumeContext = {
      pod,
      client,
      clock,
      files,
      objects,
      tokens: this.#tokens,
      directory: (plugin, secret = false) =>
        secret && memoryDirectory ? join(memoryDirectory, uid, 'volumes', plugin, volume.name) : directories.volume(uid, plugin, volume.name),
      allocatable: allocatable(),
      podIPs,
      hostIPs,
    }
    const start = clock.monotonic()
    let failed = true
    try {
      const mounted = await kind.mount(volume, context)
      failed = false
      return { ...mounted, plugin: kind.plugin }
    } finally {
      metrics?.volume(kind.plugin, 'volume_mount', start, failed)
    }
  }
}
