/** What probes have found, for `/metrics/probes`; of containers that run. */
import { MetricRegistry } from '../../machinery/metrics/registry.ts'
import type { ProbeResult, ProbeTarget } from './probe.ts'

const labels = ['probe_type', 'container', 'pod', 'namespace', 'pod_uid']
const types = { startup: 'Startup', readiness: 'Readiness', liveness: 'Liveness' } as const
const results = { success: 'successful', failure: 'failed', unknown: 'unknown' } as const

export class ProbeMetrics {
  readonly registry = new MetricRegistry()
  readonly #total = this.registry.counter('prober_probe_total', 'Results of probes, by container.', ['result', ...labels])
  readonly #took = this.registry.histogram('prober_probe_duration_seconds', 'Seconds that a probe took.', ['probe_type', 'container', 'pod', 'namespace'])

  observe(kind: keyof typeof types, target: ProbeTarget, { result }: ProbeResult, seconds: number): void {
    const [type, container, pod, namespace, uid] = valuesOf(kind, target)
    this.#total.of(results[result], type, container, pod, namespace, uid).add()
    this.#took.of(type, container, pod, namespace).observe(seconds)
  }

  forget(target: ProbeTarget): void {
    for (const kind of ['startup', 'readiness', 'liveness'] as const) {
      const [type, container, pod, namespace, uid] = valuesOf(kind, target)
      for (const result of Object.values(results)) this.#total.remove(result, type, container, pod, namespace, uid)
      this.#took.remove(type, container, pod, namespace)
    }
  }
}

const valuesOf = (kind: keyof typeof types, { container, pod: { metadata } }: ProbeTarget): [string, string, string, string, string] => [
  types[kind],
  container.name,
  metadata.name,
  metadata.namespace,
  metadata.uid,
]
