/** What the autoscaler tells of its looks, under upstream's names. */
import { doubled, type MetricRegistry } from '../../machinery/metrics/registry.ts'

type Action = 'scale_up' | 'scale_down' | 'none'
type Fault = 'spec' | 'internal' | 'none'

export const actionOf = (current: number, desired: number): Action => (desired > current ? 'scale_up' : desired < current ? 'scale_down' : 'none')

const subsystem = 'horizontal_pod_autoscaler_controller'

export class AutoscalerMetrics {
  readonly #registry: MetricRegistry

  /** Families are the registry's: asking for one again gives the same. */
  constructor(registry: MetricRegistry) {
    this.#registry = registry
  }

  reconciled(action: Action, error: Fault, milliseconds: number): void {
    const labels = ['action', 'error']
    this.#registry.counter(`${subsystem}_reconciliations_total`, 'Looks at autoscalers, by what they did and what was wrong.', labels).of(action, error).add()
    this.#registry
      .histogram(`${subsystem}_reconciliation_duration_seconds`, 'Seconds of one look at an autoscaler.', labels, doubled(0.001, 15))
      .of(action, error)
      .observe(milliseconds / 1000)
  }

  computed(type: string, action: Action, error: Fault, milliseconds: number): void {
    const labels = ['action', 'error', 'metric_type']
    this.#registry.counter(`${subsystem}_metric_computation_total`, 'Computations of one metric of an autoscaler.', labels).of(action, error, type).add()
    this.#registry
      .histogram(`${subsystem}_metric_computation_duration_seconds`, 'Seconds that one metric of an autoscaler took.', labels, doubled(0.001, 15))
      .of(action, error, type)
      .observe(milliseconds / 1000)
  }

  desired(namespace: string, name: string, replicas: number | undefined): void {
    const family = this.#registry.gauge(`${subsystem}_desired_replicas`, 'How many replicas an autoscaler wants.', ['namespace', 'hpa_name'])
    if (replicas === undefined) family.remove(namespace, name)
    else family.of(namespace, name).set(replicas)
  }

  count(autoscalers: () => number): void {
    this.#registry.gauge(`${subsystem}_num_horizontal_pod_autoscalers`, 'Autoscalers that are looked after.').of().follow(autoscalers)
  }
}
