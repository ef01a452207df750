/** What is told of the work on EndpointSlices, under upstream's names. */
import { doubled, type MetricRegistry } from '../machinery/metrics/registry.ts'

export interface SyncedService {
  /** Slices that were made, changed and deleted. */
  created: number
  updated: number
  deleted: number
  endpointsAdded: number
  endpointsRemoved: number
}

const subsystem = 'endpoint_slice_controller'

export class EndpointSliceMetrics {
  readonly #registry: MetricRegistry

  constructor(registry: MetricRegistry) {
    this.#registry = registry
  }

  synced({ created, updated, deleted, endpointsAdded, endpointsRemoved }: SyncedService): void {
    for (const [operation, count] of Object.entries({ create: created, update: updated, delete: deleted }))
      if (count > 0) this.#registry.counter(`${subsystem}_changes`, 'Changes of slices.', ['operation']).of(operation).add(count)
    const perSync = (name: string, help: string, count: number) =>
      this.#registry.histogram(`${subsystem}_${name}_per_sync`, help, [], doubled(2, 15)).of().observe(count)
    perSync('endpoints_added', 'Endpoints that one look at a Service added.', endpointsAdded)
    perSync('endpoints_removed', 'Endpoints that one look at a Service removed.', endpointsRemoved)
    this.#registry
      .histogram(`${subsystem}_endpointslices_changed_per_sync`, 'Slices that one look at a Service changed.', ['topology', 'traffic_distribution'])
      .of('Disabled', '')
      .observe(created + updated + deleted)
    this.#count('success')
  }

  failed(): void {
    this.#count('error')
  }

  #count(result: string): void {
    this.#registry.counter(`${subsystem}_syncs`, 'Looks at Services.', ['result']).of(result).add()
  }
}
