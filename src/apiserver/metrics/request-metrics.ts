/** Requests counted and timed, under upstream's names. */
import type { Family, HistogramSeries, MetricRegistry, Series } from '../../machinery/metrics/registry.ts'
import type { ApiRequest, ApiResponse, RequestInfo, UserInfo } from '../request.ts'

const bounds = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]
const about = ['verb', 'dry_run', 'group', 'version', 'resource', 'subresource', 'scope', 'component']

interface Counted {
  total: Series
  duration: HistogramSeries | undefined
}

export class RequestMetrics {
  readonly #total: Family<Series>
  readonly #duration: Family<HistogramSeries>
  readonly #authentications: Family<Series>
  readonly #users: Family<Series>
  readonly #authorizations: Family<Series>
  readonly #admitted: Family<HistogramSeries>
  /** What a request adds to, by all that distinguishes it. */
  readonly #counted = new Map<string, Counted>()

  constructor(registry: MetricRegistry) {
    this.#total = registry.counter('apiserver_request_total', 'Requests by what they asked, of what, and the code of the answer.', [...about, 'code'])
    this.#duration = registry.histogram(
      'apiserver_request_duration_seconds',
      'Seconds from a request to its answer; watches are not among them.',
      about,
      bounds,
    )
    this.#authentications = registry.counter('authentication_attempts', 'Times that it was found out who calls, by result.', ['result'])
    this.#users = registry.counter('authenticated_user_requests', 'Requests by who made them.', ['username'])
    this.#authorizations = registry.counter('authorization_attempts_total', 'Times that it was decided whether a request is allowed, by result.', ['result'])
    this.#admitted = registry.histogram(
      'apiserver_admission_controller_admission_duration_seconds',
      'Seconds that one admission plugin took.',
      ['name', 'operation', 'rejected', 'type'],
      [0.005, 0.025, 0.1, 0.5, 1, 2.5],
    )
  }

  observe(info: RequestInfo, request: ApiRequest, response: ApiResponse, seconds: number): void {
    const code = response.kind === 'hijacked' ? '101' : String(response.status)
    const dryRun = request.query.has('dryRun') ? 'All' : ''
    const verb = verbOf(info)
    const scope = scopeOf(info)
    const key = `${verb}|${info.group}|${info.version}|${info.resource}|${info.subresource}|${scope}|${dryRun}|${code}`
    let counted = this.#counted.get(key)
    if (!counted) {
      const values = [verb, dryRun, info.group, info.version, info.resource, info.subresource, scope, 'apiserver']
      // A watch lasts as long as its client likes: its time says nothing.
      counted = { total: this.#total.of(...values, code), duration: verb === 'WATCH' ? undefined : this.#duration.of(...values) }
      this.#counted.set(key, counted)
    }
    counted.total.add()
    counted.duration?.observe(seconds)
  }

  authenticated(user: UserInfo | undefined): void {
    this.#authentications.of(user ? 'success' : 'failure').add()
    if (user) this.#users.of(user.name.startsWith('system:') ? 'system' : user.groups.includes('system:masters') ? 'admin' : 'other').add()
  }

  authorized(decision: 'allowed' | 'denied' | 'noOpinion'): void {
    this.#authorizations.of(decision === 'noOpinion' ? 'no-opinion' : decision).add()
  }

  admitted(plugin: string, operation: string, type: 'admit' | 'validate', rejected: boolean, seconds: number): void {
    this.#admitted.of(plugin, operation, String(rejected), type).observe(seconds)
  }
}

function verbOf({ verb, isResourceRequest }: RequestInfo): string {
  if (!isResourceRequest) return verb.toUpperCase()
  switch (verb) {
    case 'create':
      return 'POST'
    case 'update':
      return 'PUT'
    default:
      return verb.toUpperCase()
  }
}

function scopeOf({ isResourceRequest, name, namespace, verb }: RequestInfo): string {
  if (!isResourceRequest) return ''
  if (name || verb === 'create') return 'resource'
  return namespace ? 'namespace' : 'cluster'
}
