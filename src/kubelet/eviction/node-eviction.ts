/** The eviction manager of a kubelet, as its options say. */
import { toWhole } from '../../machinery/quantity.ts'
import { messageOf } from '../container/start-error.ts'
import type { ImageCollector } from '../images/image-collector.ts'
import type { PodServices } from '../pod/pod-services.ts'
import type { PodWorkers } from '../pod/pod-workers.ts'
import { DirectoryUsage } from './directory-usage.ts'
import { EvictionManager } from './eviction-manager.ts'
import { nodeSignals, type SignalSource } from './signal-source.ts'
import { keptBack, readThresholds, type Threshold, type ThresholdSettings } from './thresholds.ts'

export interface EvictionOptions extends ThresholdSettings {
  maxPodGracePeriodSeconds?: number
  /** How long a condition stays after it was last seen. */
  pressureTransitionSeconds?: number
  everySeconds?: number
  /** The machine is this node's alone; see `signal-source.ts`. */
  wholeMachine?: boolean
  /** In place of what is measured. */
  source?: SignalSource
}

/**
 * Thresholds for a node that is a guest on somebody's machine, whose disk is mostly full of other things: a tenth of
 * it may be more than all that pods ever use.
 */
export const guestThresholds: ThresholdSettings = {
  hard: { 'memory.available': '100Mi', 'nodefs.available': '500Mi', 'imagefs.available': '500Mi', 'nodefs.inodesFree': '1%', 'imagefs.inodesFree': '1%' },
}

/** None where there are no files and nobody says what is left. */
export function thresholdsOf(options: EvictionOptions | undefined, hasFiles: boolean): Threshold[] {
  return hasFiles || options?.source ? readThresholds(options ?? {}) : []
}

/** Bytes that pods cannot have: below that they are evicted. */
export function leftForNode(thresholds: readonly Threshold[], capacity: Record<string, string>): Record<string, number> {
  const of = (name: string) => toWhole(capacity[name] ?? '0')
  return {
    memory: keptBack(thresholds, 'memory.available', of('memory')),
    'ephemeral-storage': keptBack(thresholds, 'nodefs.available', of('ephemeral-storage')),
  }
}

export interface NodeEvictionOptions {
  options: EvictionOptions | undefined
  thresholds: readonly Threshold[]
  services: PodServices
  workers: PodWorkers
  imageCollector: ImageCollector
  memoryCapacity(): number
  onChange(): void
}

export function createEvictionManager({
  options = {},
  thresholds,
  services,
  workers,
  imageCollector,
  memoryCapacity,
  onChange,
}: NodeEvictionOptions): EvictionManager {
  const { runtime, clock, log, events, files, directories, metrics } = services
  return new EvictionManager({
    runtime,
    clock,
    log,
    events,
    source: options.source ?? nodeSignals({ runtime, rootDirectory: directories.root, memoryCapacity, wholeMachine: options.wholeMachine ?? false }),
    directories: new DirectoryUsage({ files, directories, clock }),
    thresholds,
    transitionMs: (options.pressureTransitionSeconds ?? 300) * 1000,
    maxGraceSeconds: options.maxPodGracePeriodSeconds ?? 0,
    everyMs: (options.everySeconds ?? 10) * 1000,
    pods: () => workers.all().filter((worker) => worker.evictable),
    async reclaimDisk() {
      // What cannot be removed must not keep pods from being evicted.
      const unless = (what: string) => (error: unknown) => log.warn(`${what} cannot be removed`, { error: messageOf(error) })
      for (const worker of workers.all()) if (worker.done) await worker.removeContainers().catch(unless('containers of a pod that has ended'))
      await imageCollector.free().catch(unless('images'))
    },
    metrics,
    onChange,
  })
}
