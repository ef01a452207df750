/** GET /metrics. */
import type { RequestHandler } from '../contracts.ts'
import type { RequestMetrics } from './request-metrics.ts'

export const metricsHandler = (metrics: RequestMetrics): RequestHandler => ({
  name: 'metrics',
  paths: ['/metrics'],
  async handle() {
    return { kind: 'bytes', status: 200, contentType: 'text/plain; version=0.0.4; charset=utf-8', bytes: metrics.render() }
  },
})
