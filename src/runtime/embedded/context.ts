/** What all parts of the runtime share. */
import type { Clock } from '../../machinery/clock.ts'
import type { PodNetwork, RuntimeEvent } from '../runtime.ts'
import type { EventStream } from '../simulated/event-stream.ts'
import type { CgroupVersion } from './cgroups/hierarchy.ts'
import type { RunProgram } from './command.ts'
import type { Crun } from './crun.ts'
import type { ImageStore } from './images/image-store.ts'
import type { RuntimePaths } from './paths.ts'
import type { HostLimits } from './spec/host-limits.ts'

export interface RuntimeContext {
  paths: RuntimePaths
  clock: Clock
  log: (message: string, error?: unknown) => void
  /** Starts programs. */
  run: RunProgram
  crun: Crun
  /** Absolute, as conmon wants it. */
  crunPath: string
  images: ImageStore
  network: PodNetwork
  cgroups: CgroupVersion
  cgroupRoot: string
  /** The machine's, where it cannot be seen from here. */
  pidMax: number | undefined
  host: HostLimits
  events: EventStream<RuntimeEvent>
}

/** 64 hexadecimal digits. */
export const newId = (clock: Clock): string => (clock.uuid() + clock.uuid()).replaceAll('-', '')
