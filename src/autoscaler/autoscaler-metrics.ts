/** What the autoscaler counts, under the names of cluster-autoscaler. */
import type { Clock } from '../machinery/clock.ts'
import type { GaugeSeries, MetricRegistry } from '../machinery/metrics/registry.ts'

export type AutoscalerFunction = 'main' | 'updateClusterState' | 'scaleUp' | 'findUnneeded' | 'scaleDown'
export type FailedScaleUpReason = 'cloudProviderError' | 'apiCallError' | 'timeout'
export type AutoscalerErrorType = 'cloudProviderError' | 'apiCallError' | 'internalError'
export type NodeState = 'ready' | 'unready' | 'notStarted' | 'longUnregistered' | 'unregistered'

const prefix = 'cluster_autoscaler'
const durationBounds = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 7.5, 10, 12.5, 15, 17.5, 20, 22.5, 25, 27.5, 30, 50, 75, 100, 1000]

export interface ClusterCounts {
  nodes: Record<NodeState, number>
  pools: { name: string; min: number; max: number; target: number; healthy: boolean; backoff: string | undefined }[]
  cores: number
  memoryBytes: number
}

export class AutoscalerMetrics {
  readonly #registry: MetricRegistry
  readonly #clock: Clock
  /** Reasons of unremovable nodes, and names of pools, that were told of and may have to be taken back. */
  readonly #reasons = new Set<string>()
  readonly #pools = new Map<string, string | undefined>()
  lastSuccessAt: number

  constructor(registry: MetricRegistry, clock: Clock) {
    this.#registry = registry
    this.#clock = clock
    this.lastSuccessAt = clock.monotonic()
    this.#counter('scaled_up_nodes_total', 'Nodes that were asked for.').of()
    for (const reason of ['empty', 'underutilized', 'unready']) this.#scaledDown().of(reason)
    for (const reason of ['cloudProviderError', 'apiCallError', 'timeout']) this.#failedScaleUps().of(reason)
    for (const result of ['succeeded', 'failed']) this.#evictions().of(result)
    for (const type of ['cloudProviderError', 'apiCallError', 'internalError']) this.#errors().of(type)
    this.#unregisteredRemoved().of()
    this.#gauge('nap_enabled', 'Whether groups of nodes are made here: they are not.').of().set(0)
  }

  /** Of decisions that none had to wait for. */
  limits({ maxNodes, maxCores, maxMemoryBytes }: { maxNodes: number; maxCores: number | undefined; maxMemoryBytes: number | undefined }): void {
    this.#gauge('max_nodes_count', 'How many nodes there may be; 0: no limit.').of().set(maxNodes)
    const told = (name: string, help: string, most: number | undefined) => {
      const family = this.#gauge(name, help, ['direction'])
      family.of('minimum').set(0)
      family.of('maximum').set(most ?? Number.POSITIVE_INFINITY)
    }
    told('cpu_limits_cores', 'Between which numbers of cores the cluster is kept.', maxCores)
    told('memory_limits_bytes', 'Between which amounts of memory the cluster is kept.', maxMemoryBytes)
  }

  cluster({ nodes, pools, cores, memoryBytes }: ClusterCounts): void {
    const states = this.#gauge('nodes_count', 'Nodes of the cluster by how they are.', ['state'])
    for (const [state, count] of Object.entries(nodes)) states.of(state).set(count)
    this.#gauge('cluster_cpu_current_cores', 'Cores of the cluster.').of().set(cores)
    this.#gauge('cluster_memory_current_bytes', 'Memory of the cluster.').of().set(memoryBytes)
    const groups = this.#gauge('node_groups_count', 'Pools that are looked after.', ['node_group_type'])
    groups.of('autoscaled').set(pools.length)
    groups.of('autoprovisioned').set(0)
    for (const name of this.#pools.keys()) if (!pools.some((pool) => pool.name === name)) this.#forgetPool(name)
    for (const { name, min, max, target, healthy, backoff } of pools) {
      this.#ofPool('min_count', 'The least nodes of a pool.').of(name).set(min)
      this.#ofPool('max_count', 'The most nodes of a pool.').of(name).set(max)
      this.#ofPool('target_count', 'Nodes that a pool is to have.').of(name).set(target)
      this.#ofPool('healthiness', 'Whether a pool can be worked with.')
        .of(name)
        .set(healthy ? 1 : 0)
      const before = this.#pools.get(name)
      if (before !== undefined && before !== backoff) this.#backoff().remove(name, before)
      if (backoff !== undefined) this.#backoff().of(name, backoff).set(1)
      this.#pools.set(name, backoff)
    }
  }

  safe(yes: boolean): void {
    this.#gauge('cluster_safe_to_autoscale', 'Whether the cluster is well enough for changes.')
      .of()
      .set(yes ? 1 : 0)
  }

  /** `untried`: the scheduler has not looked at them yet. */
  pendingPods(unschedulable: number, untried: number): void {
    const counts = this.#gauge('unschedulable_pods_count', 'Pods that have no place.', ['type'])
    counts.of('unschedulable').set(unschedulable)
    counts.of('scheduler_unprocessed').set(untried)
  }

  unneeded(count: number, kept: ReadonlyMap<string, string>, inCooldown: boolean): void {
    this.#gauge('unneeded_nodes_count', 'Nodes that nobody needs.').of().set(count)
    this.#gauge('scale_down_in_cooldown', 'Whether nodes that nobody needs have to wait.')
      .of()
      .set(inCooldown ? 1 : 0)
    const counts = new Map<string, number>([...this.#reasons].map((reason) => [reason, 0]))
    for (const reason of kept.values()) counts.set(reason, (counts.get(reason) ?? 0) + 1)
    for (const [reason, number] of counts) {
      this.#reasons.add(reason)
      this.#gauge('unremovable_nodes_count', 'Nodes that stay, by why.', ['reason']).of(reason).set(number)
    }
  }

  scaledUp(nodes: number): void {
    this.#counter('scaled_up_nodes_total', 'Nodes that were asked for.').of().add(nodes)
  }

  scaleUpFailed(reason: FailedScaleUpReason): void {
    this.#failedScaleUps().of(reason).add()
  }

  scaledDown(reason: 'empty' | 'underutilized' | 'unready'): void {
    this.#scaledDown().of(reason).add()
  }

  unregisteredRemoved(count: number): void {
    this.#unregisteredRemoved().of().add(count)
  }

  evicted(result: 'succeeded' | 'failed'): void {
    this.#evictions().of(result).add()
  }

  failed(type: AutoscalerErrorType): void {
    this.#errors().of(type).add()
  }

  /** Measures a part of a pass, and tells when it began. */
  async time<T>(name: AutoscalerFunction, run: () => T | Promise<T>): Promise<T> {
    const started = this.#clock.monotonic()
    this.#activity(name).set(Math.floor(this.#clock.now() / 1000))
    try {
      return await run()
    } finally {
      this.#registry
        .histogram(`${prefix}_function_duration_seconds`, 'Seconds that parts of a pass took.', ['function'], durationBounds)
        .of(name)
        .observe((this.#clock.monotonic() - started) / 1000)
    }
  }

  #activity(name: AutoscalerFunction): GaugeSeries {
    return this.#gauge('last_activity', 'When parts of a pass began last, in seconds since the epoch.', ['activity']).of(name)
  }

  #gauge(name: string, help: string, labels: readonly string[] = []) {
    return this.#registry.gauge(`${prefix}_${name}`, help, labels)
  }

  #counter(name: string, help: string, labels: readonly string[] = []) {
    return this.#registry.counter(`${prefix}_${name}`, help, labels)
  }

  #ofPool(name: string, help: string) {
    return this.#gauge(`node_group_${name}`, help, ['node_group'])
  }

  #backoff() {
    return this.#gauge('node_group_backoff_status', 'Pools that are left alone after a failure, by what failed.', ['node_group', 'reason'])
  }

  #scaledDown() {
    return this.#counter('scaled_down_nodes_total', 'Nodes that were taken out, by why.', ['reason'])
  }

  #failedScaleUps() {
    return this.#counter('failed_scale_ups_total', 'Times that nodes did not come, by why.', ['reason'])
  }

  #evictions() {
    return this.#counter('evicted_pods_total', 'Evictions, by whether they were accepted.', ['eviction_result'])
  }

  /** Its name is upstream's, and none that readers take for a counter's. */
  #unregisteredRemoved() {
    return this.#gauge('old_unregistered_nodes_removed_count', 'Nodes that were given up before they had registered.')
  }

  #errors() {
    return this.#counter('errors_total', 'Passes that failed, by what failed.', ['type'])
  }

  #forgetPool(name: string): void {
    const backoff = this.#pools.get(name)
    if (backoff !== undefined) this.#backoff().remove(name, backoff)
    for (const what of ['min_count', 'max_count', 'target_count', 'healthiness']) this.#ofPool(what, '').remove(name)
    this.#pools.delete(name)
  }
}
