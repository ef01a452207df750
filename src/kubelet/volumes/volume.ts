/**
 * The contract of a volume kind: one object in a file named after it, listed in `kinds.ts`. `mount` is
 * level-based: it makes what is missing, changes what is old, and leaves what is right.
 */
import type { Client } from '../../client/client.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { V1Pod, V1Volume } from '../../machinery/schema/generated/types.ts'
import type { NodeFiles } from '../files/node-files.ts'
import type { ReferencedObjects } from '../referenced-objects.ts'
import type { ServiceAccountTokens } from './service-account-tokens.ts'

export interface VolumeContext {
  pod: V1Pod
  client: Client
  clock: Clock
  files: NodeFiles
  objects: ReferencedObjects
  tokens: ServiceAccountTokens
  /** A directory of the pod's own for this volume; in memory where the content is secret. */
  directory(plugin: string, secret?: boolean): string
  allocatable: Record<string, string>
  podIPs: string[]
  hostIPs: string[]
}

export interface MountedVolume {
  /** What containers are to see; empty where the runtime makes it for each of them. */
  path: string
  readOnly?: boolean
  /** Milliseconds since the epoch at which it must be mounted again, because its content grows old. */
  refreshAt?: number
  /** Whether its content follows objects of the API: it is mounted again whenever they change. */
  follows?: boolean
}

export interface VolumeKind {
  /** `kubernetes.io~empty-dir`, as the directory is named. */
  readonly plugin: string
  supports(volume: V1Volume): boolean
  mount(volume: V1Volume, context: VolumeContext): Promise<MountedVolume>
}
