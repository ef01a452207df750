/** What every pod worker of a kubelet shares. */
import type { Client, Span } from '../../client/client.ts'
import type { Logger } from '../../client/component.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { Cgroups } from '../cgroups/cgroups.ts'
import type { ContainerStarter } from '../container/container-starter.ts'
import type { Directories } from '../directories.ts'
import type { KubeletEvents } from '../events.ts'
import type { NodeFiles } from '../files/node-files.ts'
import type { ImageManager } from '../images/image-manager.ts'
import type { ProbeManager } from '../probes/probe-manager.ts'
import type { WatchedObjects } from '../referenced-objects.ts'
import type { RestartBackoff } from '../restart-backoff.ts'
import type { RuntimeCache } from '../runtime-cache.ts'
import type { VolumeManager } from '../volumes/volume-manager.ts'
import type { PendingResize } from './allocation.ts'
import type { PodMetrics } from './pod-metrics.ts'
import type { SandboxSources } from './sandbox-config.ts'
import type { StatusWriter } from './status-writer.ts'
import type { Termination } from './termination.ts'

export interface PodServices {
  client: Client
  clock: Clock
  log: Logger
  runtime: Runtime
  runtimeName: string
  cache: RuntimeCache
  statuses: StatusWriter
  probes: ProbeManager
  images: ImageManager
  volumes: VolumeManager
  objects: WatchedObjects
  starter: ContainerStarter
  termination: Termination
  cgroups: Cgroups
  files: NodeFiles
  directories: Directories
  events: KubeletEvents
  backoff: RestartBackoff
  sandbox: Omit<SandboxSources, 'cgroupParent'>
  hostIPs: string[]
  /** Absent where nobody will ask. */
  metrics?: PodMetrics
  /** A pod is looked at this often even when nothing happens. */
  resyncMs: number
  span(span: Span): void
  /** Whether the node takes the pod; a refusal says why. */
  admit(pod: V1Pod): { reason: string; message: string } | undefined
  /** Whether the node has what a pod that it runs asks for now; a refusal says why not. */
  refuseResize(pod: V1Pod): PendingResize | undefined
}
