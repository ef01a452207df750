/** Requests to a kubelet's server, counted and timed under upstream's names. */
import type { Clock } from '../../machinery/clock.ts'
import type { Family, GaugeSeries, HistogramSeries, MetricRegistry, Series } from '../../machinery/metrics/registry.ts'

const labels = ['long_running', 'method', 'path', 'server_type']
/** Paths that are told by name; all else is `other`, so that nobody can make series without end. */
const paths = new Set(['', 'attach', 'containerLogs', 'exec', 'healthz', 'metrics', 'pods', 'portForward', 'run', 'stats'])

export class HttpMetrics {
  readonly #clock: Clock
  readonly #total: Family<Series>
  readonly #took: Family<HistogramSeries>
  readonly #inFlight: Family<GaugeSeries>

  constructor(registry: MetricRegistry, clock: Clock) {
    this.#clock = clock
    this.#total = registry.counter('kubelet_http_requests_total', 'Requests to the kubelet.', labels)
    this.#took = registry.histogram('kubelet_http_requests_duration_seconds', 'Seconds that requests to the kubelet took.', labels)
    this.#inFlight = registry.gauge('kubelet_http_inflight_requests', 'Requests that the kubelet is answering.', labels)
  }

  /** `connection` closes when the request has its answer: the response, or the socket of an upgrade. */
  began(method: string, path: string, longRunning: boolean, connection: { once(event: 'close', listener: () => void): unknown }): void {
    const values = [String(longRunning), method, paths.has(path) ? path : 'other', 'readwrite']
    const start = this.#clock.monotonic()
    this.#total.of(...values).add()
    this.#inFlight.of(...values).add()
    connection.once('close', () => {
      this.#inFlight.of(...values).add(-1)
      this.#took.of(...values).observe((this.#clock.monotonic() - start) / 1000)
    })
  }
}
