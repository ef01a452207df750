/** What a kubelet tells of the pods that it runs, under upstream's names. */
import type { Clock } from '../../machinery/clock.ts'
import { doubled, type Family, type HistogramSeries, type MetricRegistry, type Series } from '../../machinery/metrics/registry.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'

export type RoundKind = 'create' | 'update' | 'sync' | 'terminating'
export type ContainerKind = 'container' | 'init_container' | 'ephemeral_container'

const startBounds = [0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600]
const statusBounds = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 45, 60]
const pullBounds = [1, 5, 10, 20, 30, 60, 180, 300, 600, 900, 1200, 1800, 2700, 3600]
/** Upstream's classes of images by size, in megabytes. */
const sizeClasses = [
  [10, '0-10MB'],
  [100, '10MB-100MB'],
  [500, '100MB-500MB'],
  [1024, '500MB-1GB'],
  [5 * 1024, '1GB-5GB'],
  [10 * 1024, '5GB-10GB'],
  [20 * 1024, '10GB-20GB'],
  [40 * 1024, '20GB-40GB'],
  [100 * 1024, '40GB-100GB'],
] as const

export class PodMetrics {
  readonly #clock: Clock
  readonly #rounds: Family<HistogramSeries>
  readonly #start: HistogramSeries
  readonly #sli: HistogramSeries
  readonly #containersOfPod: HistogramSeries
  readonly #sandboxes: Family<HistogramSeries>
  readonly #sandboxErrors: Family<Series>
  readonly #startedPods: Series
  readonly #podErrors: Series
  readonly #startedContainers: Family<Series>
  readonly #containerErrors: Family<Series>
  readonly #evictions: Family<Series>
  readonly #statuses: HistogramSeries
  readonly #relists: HistogramSeries
  readonly #relistIntervals: HistogramSeries
  readonly #pulls: Family<HistogramSeries>
  readonly #volumeOperations: Family<HistogramSeries>

  constructor(registry: MetricRegistry, clock: Clock) {
    this.#clock = clock
    this.#rounds = registry.histogram('kubelet_pod_worker_duration_seconds', 'Seconds of one look at a pod, by why it was looked at.', ['operation_type'])
    this.#start = registry.histogram('kubelet_pod_start_duration_seconds', 'Seconds from when a pod was first seen until it runs.', [], startBounds).of()
    this.#sli = registry
      .histogram(
        'kubelet_pod_start_sli_duration_seconds',
        'Seconds from the creation of a pod until it runs, without the time that images and init containers took.',
        [],
        startBounds,
      )
      .of()
    this.#containersOfPod = registry.histogram('kubelet_containers_per_pod_count', 'Containers of a pod.', [], doubled(1, 5)).of()
    this.#sandboxes = registry.histogram('kubelet_run_podsandbox_duration_seconds', 'Seconds that it took to make a sandbox.', ['runtime_handler'])
    this.#sandboxErrors = registry.counter('kubelet_run_podsandbox_errors_total', 'Sandboxes that could not be made.', ['runtime_handler'])
    this.#startedPods = registry.counter('kubelet_started_pods_total', 'Pods that were started: a sandbox was wanted for them.').of()
    this.#podErrors = registry.counter('kubelet_started_pods_errors_total', 'Pods that could not be started.').of()
    this.#startedContainers = registry.counter('kubelet_started_containers_total', 'Containers that were to be started.', ['container_type'])
    this.#containerErrors = registry.counter('kubelet_started_containers_errors_total', 'Containers that could not be started, by reason.', [
      'container_type',
      'code',
    ])
    this.#evictions = registry.counter('kubelet_evictions', 'Pods that were evicted, by what was short.', ['eviction_signal'])
    this.#statuses = registry
      .histogram('kubelet_pod_status_sync_duration_seconds', "Seconds from a change of a pod's status until the API has it.", [], statusBounds)
      .of()
    this.#relists = registry.histogram('kubelet_pleg_relist_duration_seconds', 'Seconds that listing what runs took.').of()
    this.#relistIntervals = registry.histogram('kubelet_pleg_relist_interval_seconds', 'Seconds between listings of what runs.').of()
    this.#pulls = registry.histogram(
      'kubelet_image_pull_duration_seconds',
      'Seconds that pulls took, by the size of the image.',
      ['image_size_in_bytes'],
      pullBounds,
    )
    this.#volumeOperations = registry.histogram(
      'storage_operation_duration_seconds',
      'Seconds that operations on volumes took.',
      ['volume_plugin', 'operation_name', 'status', 'migrated'],
      [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600],
    )
  }

  now(): number {
    return this.#clock.monotonic()
  }

  seen({ spec }: V1Pod): void {
    this.#containersOfPod.observe(spec.containers.length)
  }

  looked(kind: RoundKind, since: number): void {
    this.#rounds.of(kind).observe(this.#since(since))
  }

  /** `seenAt` and times of day in milliseconds; `excludedMs` is what images and init containers took. */
  runs(pod: V1Pod, seenAt: number, excludedMs: number): void {
    const now = this.#clock.now()
    this.#start.observe((now - seenAt) / 1000)
    // Whether a claim's volume is there in time is not the kubelet's doing.
    if (pod.spec.volumes?.some(({ persistentVolumeClaim, ephemeral }) => persistentVolumeClaim || ephemeral)) return
    this.#sli.observe(Math.max(0, now - Date.parse(pod.metadata.creationTimestamp ?? '') - excludedMs) / 1000)
  }

  sandbox(since: number, failed: boolean): void {
    this.#startedPods.add()
    this.#sandboxes.of('').observe(this.#since(since))
    if (!failed) return
    this.#podErrors.add()
    this.#sandboxErrors.of('').add()
  }

  container(kind: ContainerKind, failure?: string): void {
    this.#startedContainers.of(kind).add()
    if (failure) this.#containerErrors.of(kind, failure).add()
  }

  evicted(signal: string): void {
    this.#evictions.of(signal).add()
  }

  statusWritten(since: number): void {
    this.#statuses.observe(this.#since(since))
  }

  /** `before`: when it was listed the time before; 0 at the first. */
  relisted(since: number, before: number): void {
    this.#relists.observe(this.#since(since))
    if (before > 0) this.#relistIntervals.observe((since - before) / 1000)
  }

  pulled(bytes: number, milliseconds: number): void {
    const megabytes = bytes / 2 ** 20
    const sizeClass = sizeClasses.find(([most]) => megabytes < most)?.[1] ?? 'GT100GB'
    this.#pulls.of(sizeClass).observe(milliseconds / 1000)
  }

  /** `plugin` as its directory is named: `kubernetes.io~secret`. */
  volume(plugin: string, operation: 'volume_mount' | 'volume_unmount', since: number, failed: boolean): void {
    this.#volumeOperations.of(plugin.replace('~', '/'), operation, failed ? 'fail-unknown' : 'success', 'false').observe(this.#since(since))
  }

  #since(start: number): number {
    return (this.#clock.monotonic() - start) / 1000
  }
}
