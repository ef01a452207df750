/** What is told of nodes' health, and of pods that have to go because of it, under upstream's names. */
import type { MetricRegistry } from '../machinery/metrics/registry.ts'
import type { EvictionZones } from './eviction-zones.ts'

export class NodeMetrics {
  readonly #registry: MetricRegistry

  constructor(registry: MetricRegistry) {
    this.#registry = registry
  }

  follow(zones: EvictionZones): void {
    const gauge = (name: string, help: string, read: (size: { ready: number; notReady: number }) => number) =>
      this.#registry.read(`node_collector_${name}`, 'gauge', help, ['zone'], () => zones.sizes().map((size) => [[size.zone], read(size)]))
    gauge('zone_size', 'Nodes, by zone.', ({ ready, notReady }) => ready + notReady)
    gauge('zone_health', 'Percentage of nodes that are ready, by zone.', ({ ready, notReady }) => (100 * ready) / (ready + notReady))
    gauge('unhealthy_nodes_in_zone', 'Nodes that are not ready, by zone.', ({ notReady }) => notReady)
  }

  /** Pods are driven off a node of this zone from now on. */
  emptied(zone: string): void {
    this.#registry.counter('node_collector_evictions_total', 'Nodes that pods were driven off, by zone.', ['zone']).of(zone).add()
  }

  looked(milliseconds: number): void {
    this.#registry
      .histogram(
        'node_collector_update_node_health_duration_seconds',
        "Seconds of one look at a node's health.",
        [],
        [0.001, 0.004, 0.016, 0.064, 0.256, 1.024, 4.096, 16.384],
      )
      .of()
      .observe(milliseconds / 1000)
  }

  /** A pod had to go because of a taint, so long after it should have. */
  podDeleted(lateMs: number): void {
    this.#registry.counter('taint_eviction_controller_pod_deletions_total', 'Pods that were deleted because of a taint.').of().add()
    this.#registry
      .histogram(
        'taint_eviction_controller_pod_deletion_duration_seconds',
        'Seconds between when a taint was to drive a pod off and when it was deleted.',
        [],
        [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 30, 60, 120, 180, 240],
      )
      .of()
      .observe(lateMs / 1000)
  }

  /** A pod that nobody would end was deleted. */
  collected(namespace: string, reason: 'terminated' | 'unscheduled' | 'orphaned' | 'out-of-service', failed: boolean): void {
    const labels = ['namespace', 'reason']
    this.#registry
      .counter('pod_gc_collector_force_delete_pods_total', 'Pods that were deleted because nobody would end them.', labels)
      .of(namespace, reason)
      .add()
    if (failed)
      this.#registry
        .counter('pod_gc_collector_force_delete_pod_errors_total', 'Pods that nobody would end, and that could not be deleted.', labels)
        .of(namespace, reason)
        .add()
  }
}
