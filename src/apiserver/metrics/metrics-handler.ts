/** GET /metrics, or another page of the kind. `refresh` brings what can be known only by asking. */
import { expositionType } from '../../machinery/metrics/exposition.ts'
import type { MetricRegistry } from '../../machinery/metrics/registry.ts'
import type { RequestHandler } from '../contracts.ts'

export const metricsHandler = (path: string, registry: MetricRegistry, refresh: () => Promise<void>): RequestHandler => ({
  name: 'metrics',
  paths: [path],
  async handle() {
    await refresh()
    return { kind: 'bytes', status: 200, contentType: expositionType, bytes: registry.text() }
  },
})
