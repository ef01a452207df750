/** /healthz, /livez and /readyz: all checks, or one by its name; `?verbose` tells each. */
import { noSuchPath } from '../../machinery/errors.ts'
import type { MetricRegistry } from '../../machinery/metrics/registry.ts'
import type { HealthCheck, RequestHandler } from '../contracts.ts'
import type { ApiResponse } from '../request.ts'

const endpoints = ['healthz', 'livez', 'readyz'] as const
type Endpoint = (typeof endpoints)[number]

interface Result {
  name: string
  error: unknown
}

/** `look` runs every check, for who wants to know how things are without asking for each. */
export function healthHandler(
  checks: () => readonly HealthCheck[],
  metrics: MetricRegistry,
  log: (message: string, fields: Record<string, unknown>) => void,
): RequestHandler & { look(): Promise<void> } {
  const last = metrics.gauge('kubernetes_healthcheck', 'The last result of each health check: 1 for healthy.', ['name', 'type'])
  const told = metrics.counter('kubernetes_healthchecks_total', 'Results of health checks.', ['name', 'status', 'type'])
  async function run(endpoint: Endpoint, selected: readonly HealthCheck[]): Promise<Result[]> {
    return Promise.all(
      selected.map(async (check) => {
        try {
          await check.check()
          return { name: check.name, error: undefined }
        } catch (error) {
          log(`${endpoint} check failed`, { check: check.name, error: error instanceof Error ? error.message : String(error) })
          return { name: check.name, error }
        }
      }),
    )
  }
  async function checked(endpoint: Endpoint, selected: readonly HealthCheck[]): Promise<Result[]> {
    const results = await run(endpoint, selected)
    for (const { name, error } of results) {
      last.of(name, endpoint).set(error === undefined ? 1 : 0)
      told.of(name, error === undefined ? 'success' : 'error', endpoint).add()
    }
    return results
  }
  const checksOf = (endpoint: Endpoint) => checks().filter((check) => !check.of || check.of.includes(endpoint))
  return {
    name: 'health',
    async look() {
      for (const endpoint of endpoints) await checked(endpoint, checksOf(endpoint))
    },
    paths: ['/healthz/*', '/livez/*', '/readyz/*'],
    async handle({ request }): Promise<ApiResponse> {
      const [, first = '', ...rest] = request.path.split('/')
      const endpoint = first as Endpoint
      const asked = rest.join('/')
      const excluded = new Set(request.query.getAll('exclude'))
      const all = checksOf(endpoint)
      const selected = asked ? all.filter((check) => check.name === asked) : all.filter((check) => !excluded.has(check.name))
      if (asked && selected.length === 0) throw noSuchPath()
      const results = await checked(endpoint, selected)
      const failed = results.some(({ error }) => error !== undefined)
      const lines = results.map(({ name, error }) => (error === undefined ? `[+]${name} ok\n` : `[-]${name} failed: reason withheld\n`))
      for (const name of excluded) lines.push(`[+]${name} excluded: ok\n`)
      if (failed) return text(500, `${lines.join('')}${endpoint} check failed\n`)
      return text(200, !asked && request.query.has('verbose') ? `${lines.join('')}${endpoint} check passed\n` : 'ok')
    },
  }
}

const text = (status: number, bytes: string): ApiResponse => ({
  kind: 'bytes',
  status,
  contentType: 'text/plain; charset=utf-8',
  bytes,
  headers: { 'x-content-type-options': 'nosniff' },
})
