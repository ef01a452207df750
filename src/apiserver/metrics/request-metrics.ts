/** Requests counted and timed, under upstream's names. */
import { doubled, type Family, type GaugeSeries, type HistogramSeries, type MetricRegistry, type Series } from '../../machinery/metrics/registry.ts'
import type { ApiRequest, ApiResponse, RequestInfo, UserInfo } from '../request.ts'
import { scopeOf, verbOf } from './request-labels.ts'

const bounds = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]
const about = ['verb', 'dry_run', 'group', 'version', 'resource', 'subresource', 'scope', 'component']
const aboutWithoutDryRun = about.filter((label) => label !== 'dry_run')
const admissionBounds = [0.005, 0.025, 0.1, 0.5, 1, 2.5]
const expiryBounds = [0, 1800, 3600, 7200, 21_600, 43_200, 86_400, 172_800, 345_600, 604_800, 2_592_000, 7_776_000, 15_552_000, 31_104_000]

interface Counted {
  total: Series
  duration: HistogramSeries | undefined
  /** The same, of which upstream's service level is told: without the time of webhooks. */
  sli: HistogramSeries | undefined
  /** Of answers to those who read. */
  sizes: HistogramSeries | undefined
}

/** Counted and timed at each request: the few results there are keep their series. */
class ByResult {
  readonly #total: Family<Series>
  readonly #took: Family<HistogramSeries>
  readonly #known = new Map<string, { total: Series; took: HistogramSeries }>()

  constructor(total: Family<Series>, took: Family<HistogramSeries>) {
    this.#total = total
    this.#took = took
  }

  observe(result: string, seconds: number): void {
    let known = this.#known.get(result)
    if (!known) {
      known = { total: this.#total.of(result), took: this.#took.of(result) }
      this.#known.set(result, known)
    }
    known.total.add()
    known.took.observe(seconds)
  }
}

export class RequestMetrics {
  readonly #total: Family<Series>
  readonly #duration: Family<HistogramSeries>
  readonly #users: Family<Series>
  readonly #admitted: Family<HistogramSeries>
  readonly #admissionSteps: Family<HistogramSeries>
  readonly #sli: Family<HistogramSeries>
  readonly #sizes: Family<HistogramSeries>
  readonly #authentication: ByResult
  readonly #authorization: ByResult
  readonly #expiry: HistogramSeries
  readonly #terminated: Family<Series>
  readonly #deprecated: Family<GaugeSeries>
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
    this.#users = registry.counter('authenticated_user_requests', 'Requests by who made them.', ['username'])
    this.#admitted = registry.histogram(
      'apiserver_admission_controller_admission_duration_seconds',
      'Seconds that one admission plugin took.',
      ['name', 'operation', 'rejected', 'type'],
      admissionBounds,
    )
    this.#admissionSteps = registry.histogram(
      'apiserver_admission_step_admission_duration_seconds',
      'Seconds that all admission plugins of one step took together.',
      ['operation', 'rejected', 'type'],
      admissionBounds,
    )
    this.#sli = registry.histogram(
      'apiserver_request_sli_duration_seconds',
      'Seconds from a request to its answer, without what others were waited for; watches are not among them.',
      aboutWithoutDryRun,
      bounds.slice(2),
    )
    this.#sizes = registry.histogram('apiserver_response_sizes', 'Bytes of answers to those who read.', aboutWithoutDryRun, powersOfTen(3, 9))
    const times = (what: string, help: string) => registry.histogram(`${what}_duration_seconds`, help, ['result'], doubled(0.001, 15))
    this.#authentication = new ByResult(
      registry.counter('authentication_attempts', 'Times that it was found out who calls, by result.', ['result']),
      times('authentication', 'Seconds that it took to find out who calls.'),
    )
    this.#authorization = new ByResult(
      registry.counter('authorization_attempts_total', 'Times that it was decided whether a request is allowed, by result.', ['result']),
      times('authorization', 'Seconds that it took to decide whether a request is allowed.'),
    )
    this.#expiry = registry
      .histogram('apiserver_client_certificate_expiration_seconds', 'Seconds that certificates of callers were still good for.', [], expiryBounds)
      .of()
    this.#terminated = registry.counter('apiserver_request_terminations_total', 'Requests that the server ended to protect itself.', [
      ...aboutWithoutDryRun,
      'code',
    ])
    this.#deprecated = registry.gauge('apiserver_requested_deprecated_apis', 'Deprecated APIs that were asked for; always 1.', [
      'group',
      'version',
      'resource',
      'subresource',
      'removed_release',
    ])
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
      const others = [verb, info.group, info.version, info.resource, info.subresource, scope, 'apiserver']
      // A watch lasts as long as its client likes: its time says nothing.
      const timed = verb !== 'WATCH'
      counted = {
        total: this.#total.of(...values, code),
        duration: timed ? this.#duration.of(...values) : undefined,
        sli: timed ? this.#sli.of(...others) : undefined,
        sizes: verb === 'GET' || verb === 'LIST' ? this.#sizes.of(...others) : undefined,
      }
      this.#counted.set(key, counted)
    }
    counted.total.add()
    counted.duration?.observe(seconds)
    counted.sli?.observe(seconds)
    request.answerSizes = counted.sizes
  }

  terminated(info: RequestInfo, code: number): void {
    this.#terminated.of(verbOf(info), info.group, info.version, info.resource, info.subresource, scopeOf(info), 'apiserver', String(code)).add()
  }

  deprecated({ group, version, resource, subresource }: RequestInfo): void {
    this.#deprecated.of(group, version, resource, subresource, '').set(1)
  }

  /** `certificateLeft`: seconds that the caller's certificate is still good for. */
  authenticated(user: UserInfo | undefined, seconds: number, certificateLeft?: number): void {
    const result = user ? 'success' : 'failure'
    this.#authentication.observe(result, seconds)
    if (certificateLeft !== undefined) this.#expiry.observe(certificateLeft)
    if (user) this.#users.of(user.name.startsWith('system:') ? 'system' : user.groups.includes('system:masters') ? 'admin' : 'other').add()
  }

  authorized(decision: 'allowed' | 'denied' | 'noOpinion', seconds: number): void {
    const result = decision === 'noOpinion' ? 'no-opinion' : decision
    this.#authorization.observe(result, seconds)
  }

  admissionStep(operation: string, type: 'admit' | 'validate', rejected: boolean, seconds: number): void {
    this.#admissionSteps.of(operation, String(rejected), type).observe(seconds)
  }

  admitted(plugin: string, operation: string, type: 'admit' | 'validate', rejected: boolean, seconds: number): void {
    this.#admitted.of(plugin, operation, String(rejected), type).observe(seconds)
  }
}

const powersOfTen = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index))
