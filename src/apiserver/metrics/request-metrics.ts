/** Requests counted and timed, under upstream's names. */
import type { ApiRequest, ApiResponse, RequestInfo } from '../request.ts'
import { Counter, Histogram, type Metric, renderLabels } from './exposition.ts'

const buckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]

export class RequestMetrics {
  readonly #total = new Counter(
    'apiserver_request_total',
    'Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
  )
  readonly #duration = new Histogram(
    'apiserver_request_duration_seconds',
    'Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.',
    buckets,
  )
  readonly #labels = new Map<string, string>()
  readonly #others: Metric[] = []

  add(metric: Metric): void {
    this.#others.push(metric)
  }

  observe(info: RequestInfo, request: ApiRequest, response: ApiResponse, seconds: number): void {
    const verb = verbOf(info)
    const code = response.kind === 'hijacked' ? '101' : String(response.status)
    const dryRun = request.query.has('dryRun') ? 'All' : ''
    const key = `${verb}|${info.group}|${info.version}|${info.resource}|${info.subresource}|${scopeOf(info)}|${dryRun}`
    this.#total.add(this.#countLabels(`${key}|${code}`))
    // A watch lasts as long as its client likes: its time says nothing.
    if (verb !== 'WATCH') this.#duration.observe(key, () => labelsOf(key), seconds)
  }

  #countLabels(key: string): string {
    let labels = this.#labels.get(key)
    if (labels === undefined) {
      labels = renderLabels(labelsOf(key))
      this.#labels.set(key, labels)
    }
    return labels
  }

  render(): string {
    return [this.#total, this.#duration, ...this.#others].map((metric) => metric.render()).join('')
  }
}

const names = ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'dry_run', 'code']

function labelsOf(key: string): Record<string, string> {
  const values = key.split('|')
  return { component: 'apiserver', ...Object.fromEntries(values.map((value, i) => [names[i] ?? '', value])) }
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
