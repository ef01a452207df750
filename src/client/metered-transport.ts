/** A transport whose requests are counted and timed, under the names that upstream's clients have. */
import type { Clock } from '../machinery/clock.ts'
import type { MetricRegistry } from '../machinery/metrics/registry.ts'
import type { Transport } from './transport.ts'

const bounds = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60]

export interface Metering {
  registry: MetricRegistry
  clock: Clock
  /** Where the requests go: the server's address. */
  host: string
}

export function meteredTransport(transport: Transport, { registry, clock, host }: Metering): Transport {
  const total = registry.counter('rest_client_requests_total', 'Requests to the API server, by code, method and host.', ['code', 'method', 'host'])
  const took = registry.histogram('rest_client_request_duration_seconds', 'Seconds until the API server answered.', ['verb', 'host'], bounds)
  return {
    async request(request) {
      const { method } = request
      const start = clock.monotonic()
      let code = '<error>'
      try {
        const response = await transport.request(request)
        code = String(response.status)
        return response
      } finally {
        total.of(code, method, host).add()
        took.of(method, host).observe((clock.monotonic() - start) / 1000)
      }
    },
    close: () => transport.close(),
  }
}
