/** What the Ingress controller tells of itself and of its nginx, under ingress-nginx' names. */
import type { GaugeSeries, MetricRegistry, Series } from '../machinery/metrics/registry.ts'

const labels = ['controller_class', 'controller_namespace', 'controller_pod']
const values = ['k8s.io/ingress-nginx', 'kube-system', 'ingress-nginx']

export class IngressMetrics {
  readonly #reloads: Series
  readonly #errors: Series
  readonly #lastOk: GaugeSeries
  readonly #lastOkAt: GaugeSeries
  readonly #hash: GaugeSeries
  readonly #connections: (state: string, count: number) => void
  readonly #handled: (state: string, count: number) => void
  readonly #requests: Series

  constructor(registry: MetricRegistry) {
    const name = (end: string) => `nginx_ingress_controller_${end}`
    this.#reloads = registry.counter(name('success'), 'Times that nginx took a configuration.', labels).of(...values)
    this.#errors = registry.counter(name('errors'), 'Times that nginx could not be configured.', labels).of(...values)
    this.#lastOk = registry.gauge(name('config_last_reload_successful'), 'Whether the last configuration was taken.', labels).of(...values)
    this.#lastOkAt = registry.gauge(name('config_last_reload_successful_timestamp_seconds'), 'When a configuration was last taken.', labels).of(...values)
    this.#hash = registry.gauge(name('config_hash'), 'A number that is another with each configuration.', labels).of(...values)
    const connections = registry.gauge(name('nginx_process_connections'), 'Connections of nginx, by state.', [...labels, 'state'])
    this.#connections = (state, count) => connections.of(...values, state).set(count)
    const handled = registry.counter(name('nginx_process_connections_total'), 'Connections that nginx has had.', [...labels, 'state'])
    this.#handled = (state, count) => handled.of(...values, state).set(count)
    this.#requests = registry.counter(name('nginx_process_requests_total'), 'Requests that clients made.', labels).of(...values)
  }

  configured(generation: string, at: number): void {
    this.#reloads.add()
    this.#lastOk.set(1)
    this.#lastOkAt.set(at / 1000)
    this.#hash.set(Number.parseInt(generation.slice(0, 8), 16) || 0)
  }

  failed(): void {
    this.#errors.add()
    this.#lastOk.set(0)
  }

  /** The text of nginx' own status page. */
  readStatus(text: string): void {
    const numbers = [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits))
    const [active, accepted, handled, requests, reading, writing, waiting] = numbers
    if (numbers.length !== 7) return
    for (const [state, count] of Object.entries({ active, reading, writing, waiting })) this.#connections(state, count ?? 0)
    for (const [state, count] of Object.entries({ accepted, handled })) this.#handled(state, count ?? 0)
    this.#requests.set(requests ?? 0)
  }
}
