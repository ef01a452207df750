/**
 * Keeps the node usable when it runs short of memory, disk or processes: tells it as conditions of the node, frees
 * what nobody uses, and ends pods, one at a time, until enough is free again (upstream: the eviction manager). Pods
 * that outgrow their own limits on local storage end too, whether or not the node is short.
 */
import type { Logger } from '../../client/component.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { messageOf } from '../container/start-error.ts'
import type { KubeletEvents } from '../events.ts'
import type { PodMetrics } from '../pod/pod-metrics.ts'
import { isCritical } from './critical.ts'
import type { DirectoryUsage } from './directory-usage.ts'
import { hasStorageLimits, outgrownLimit } from './local-storage.ts'
import { evictionAnnotations, evictionMessage } from './messages.ts'
import { type PodUsage, podUsage } from './pod-usage.ts'
import { Pressure } from './pressure.ts'
import { rank } from './ranking.ts'
import type { SignalSource } from './signal-source.ts'
import { conditionOfSignal, type PressureCondition, resourceOfSignal, type Threshold } from './thresholds.ts'

export interface Eviction {
  message: string
  graceSeconds: number
  /** For the node's sake, not by the pod's own fault: whoever counts failures may let it pass. */
  disruption: boolean
}

export interface EvictablePod {
  readonly pod: V1Pod
  /** Nothing of it runs any more. */
  readonly done: boolean
  evict(eviction: Eviction): void
}

export interface EvictionManagerOptions {
  runtime: Runtime
  clock: Clock
  log: Logger
  events: KubeletEvents
  source: SignalSource
  directories: DirectoryUsage
  thresholds: readonly Threshold[]
  transitionMs: number
  /** Most that a pod gets when a soft threshold ends it. */
  maxGraceSeconds: number
  everyMs: number
  /** Those that run here and were not evicted yet. */
  pods(): readonly EvictablePod[]
  /** Frees disk that no pod uses. */
  reclaimDisk(): Promise<void>
  metrics?: PodMetrics | undefined
  /** The node's conditions have changed. */
  onChange(): void
}

const immediateSeconds = 1
const cleanupMs = 30_000

export class EvictionManager {
  readonly #options: EvictionManagerOptions
  readonly #pressure: Pressure
  #hasLooked = false

  constructor(options: EvictionManagerOptions) {
    this.#options = options
    this.#pressure = new Pressure(options.thresholds, options.transitionMs)
  }

  get conditions(): readonly PressureCondition[] {
    return this.#pressure.conditions
  }

  /** False: nothing is known yet, and what the node told before may still hold. */
  get hasLooked(): boolean {
    return this.#hasLooked
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, everyMs } = this.#options
    while (!signal.aborted) {
      const evicted = await this.synchronize().catch((error: unknown) => {
        log.warn('whether the node is short of something is not known', { error: messageOf(error) })
        return undefined
      })
      if (evicted) await this.#cleanedUp(evicted, signal)
      // It rejects when the kubelet stops, and nothing else.
      else await clock.sleep(everyMs, signal).catch(() => {})
    }
  }

  /** One look and at most one pod that ends for the node's sake. Returns one that was evicted. */
  async synchronize(): Promise<EvictablePod | undefined> {
    const { clock, source, events, pods, onChange, reclaimDisk } = this.#options
    const observations = await source.observe()
    const before = this.conditions.join()
    const acting = this.#pressure.look(observations, clock.now())
    if (!this.#hasLooked || this.conditions.join() !== before) onChange()
    this.#hasLooked = true
    const active = pods()
    this.#options.directories.retain(active.map(({ pod }) => pod))
    const outgrown = await this.#evictOutgrown(active)
    if (outgrown) return outgrown
    const [threshold] = acting
    if (!threshold) return undefined
    events.node('Warning', 'EvictionThresholdMet', `Attempting to reclaim ${resourceOfSignal(threshold.signal)}`)
    if (conditionOfSignal(threshold.signal) === 'DiskPressure') {
      await reclaimDisk()
      if (this.#pressure.isRelieved(await source.observe())) return undefined
    }
    const usages = await this.#usages(active)
    const ranked = rank(
      active.map((one) => ({ one, pod: one.pod, usage: usages.get(one.pod.metadata.uid) })),
      threshold.signal,
    )
    const victim = ranked.find(({ pod }) => !isCritical(pod))
    if (!victim) return undefined
    const { one, pod, usage } = victim
    const graceSeconds =
      threshold.graceMs === undefined ? immediateSeconds : Math.min(this.#options.maxGraceSeconds, pod.spec.terminationGracePeriodSeconds ?? 30)
    const message = evictionMessage(pod, usage, threshold, observations)
    this.#evict(one, { message, graceSeconds, disruption: true }, threshold.signal, evictionAnnotations(pod, usage, threshold))
    return one
  }

  async #evictOutgrown(active: readonly EvictablePod[]): Promise<EvictablePod | undefined> {
    const limited = active.filter(({ pod }) => hasStorageLimits(pod) && !isCritical(pod))
    if (limited.length === 0) return undefined
    const usages = await this.#usages(limited)
    let last: EvictablePod | undefined
    for (const one of limited) {
      const usage = usages.get(one.pod.metadata.uid)
      const outgrown = usage && outgrownLimit(one.pod, usage)
      if (!outgrown) continue
      this.#evict(one, { message: outgrown.message, graceSeconds: immediateSeconds, disruption: false }, outgrown.signal)
      last = one
    }
    return last
  }

  #evict(one: EvictablePod, eviction: Eviction, signal: string, annotations?: Record<string, string>): void {
    const { events, log, metrics } = this.#options
    metrics?.evicted(signal)
    log.info('a pod is evicted', { pod: `${one.pod.metadata.namespace}/${one.pod.metadata.name}`, why: eviction.message.trim() })
    events.pod(one.pod, 'Warning', 'Evicted', eviction.message, annotations)
    one.evict(eviction)
  }

  async #usages(pods: readonly EvictablePod[]): Promise<Map<string, PodUsage | undefined>> {
    const { runtime, directories } = this.#options
    const stats = new Map((await runtime.stats()).map((one) => [one.metadata.uid, one]))
    const usages = new Map<string, PodUsage | undefined>()
    for (const { pod } of pods) usages.set(pod.metadata.uid, podUsage(stats.get(pod.metadata.uid), await directories.of(pod)))
    return usages
  }

  /** What the pod used is free only when it has gone; until then nobody else has to go. */
  async #cleanedUp(evicted: EvictablePod, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const until = clock.monotonic() + cleanupMs
    while (!evicted.done && clock.monotonic() < until && !signal.aborted) await clock.sleep(1000, signal).catch(() => {})
  }
}
