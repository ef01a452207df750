/** What the Ingress controller tells of itself and of its nginx, under ingress-nginx' names. */
import type { Family, GaugeSeries, HistogramSeries, MetricRegistry, Series } from '../machinery/metrics/registry.ts'
import type { Model } from './model.ts'
import type { ToldRequest } from './request-log.ts'

const labels = ['controller_class', 'controller_namespace', 'controller_pod']
const ofRequests = [...labels, 'namespace', 'ingress', 'service', 'canary', 'host', 'path', 'method', 'status']
const lengthBounds = Array.from({ length: 10 }, (_, index) => 10 * (index + 1))
const sizeBounds = Array.from({ length: 7 }, (_, index) => 10 ** (index + 1))
/** All else is `other`, so that nobody can make series without end. */
const methods = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'])
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
  readonly #counted: Family<Series>
  readonly #histograms: Record<'took' | 'connect' | 'header' | 'response' | 'requestBytes' | 'responseBytes', Family<HistogramSeries>>
  /** Series of requests, by Ingress. */
  readonly #known = new Map<string, Map<string, string[]>>()

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
    this.#counted = registry.counter(name('requests'), 'Requests, by Ingress.', ofRequests)
    const seconds = (end: string, help: string) => registry.histogram(name(`${end}_duration_seconds`), help, ofRequests)
    this.#histograms = {
      took: seconds('request', 'Seconds from the first byte of a request to the last of its answer.'),
      connect: seconds('connect', 'Seconds until an endpoint took the connection.'),
      header: seconds('header', 'Seconds until an endpoint began to answer.'),
      response: seconds('response', 'Seconds until an endpoint had answered.'),
      requestBytes: registry.histogram(name('request_size'), 'Bytes of requests, with their heads.', ofRequests, lengthBounds),
      responseBytes: registry.histogram(name('response_size'), 'Bytes of answers, with their heads.', ofRequests, sizeBounds),
    }
  }

  told({ place, method, status, ...measured }: ToldRequest): void {
    const { namespace, ingress, service, host, path } = place
    const of = [...values, namespace, ingress, service, '', host, path, methods.has(method) ? method : 'other', status]
    const key = `${namespace}/${ingress}`
    const known = this.#known.get(key) ?? new Map<string, string[]>()
    this.#known.set(key, known.set(of.join('\0'), of))
    this.#counted.of(...of).add()
    for (const [name, family] of Object.entries(this.#histograms)) {
      const value = measured[name as keyof typeof measured]
      if (value !== undefined) family.of(...of).observe(value)
    }
  }

  /** Of Ingresses that are gone nothing is told any more. */
  retain({ sites }: Model): void {
    const present = new Set(sites.flatMap(({ locations }) => locations.map(({ ingress }) => ingress)))
    for (const [ingress, series] of this.#known) {
      if (present.has(ingress)) continue
      this.#known.delete(ingress)
      for (const of of series.values()) for (const family of [this.#counted, ...Object.values(this.#histograms)]) family.remove(...of)
    }
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
