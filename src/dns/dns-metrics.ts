/** What the cluster DNS tells of its work, under CoreDNS' names. */
import type { Clock } from '../machinery/clock.ts'
import { doubled, type Family, type GaugeSeries, type HistogramSeries, type MetricRegistry, type Series } from '../machinery/metrics/registry.ts'
import { rcodes, typeNumbers } from './record.ts'
import type { Way } from './responder.ts'

const rcodeNames: Record<number, string> = {
  [rcodes.noError]: 'NOERROR',
  [rcodes.formatError]: 'FORMERR',
  [rcodes.serverFailure]: 'SERVFAIL',
  [rcodes.nameError]: 'NXDOMAIN',
  [rcodes.notImplemented]: 'NOTIMP',
  [rcodes.refused]: 'REFUSED',
}
/** Types that are told by name; all else is `other`, so that nobody can make series without end. */
const typeNames = new Map<number, string>(Object.entries(typeNumbers).map(([name, number]) => [number, name]))
const sizeBounds = [0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16_000, 32_000, 48_000, 64_000]

function rcodeOf(answer: Buffer): string {
  const rcode = (answer[3] ?? 0) & 15
  return rcodeNames[rcode] ?? String(rcode)
}

export interface DnsMetricsOptions {
  registry: MetricRegistry
  clock: Clock
  /** Where it listens: `dns://10.89.0.1:53`. */
  server: string
  /** The cluster domain. */
  domain: string
}

interface Counted {
  requests: Series
  size: HistogramSeries
}

export class DnsMetrics {
  readonly #clock: Clock
  readonly #server: string
  readonly #zone: string
  readonly #requests: Family<Series>
  readonly #sizes: Family<HistogramSeries>
  readonly #responses: Family<Series>
  readonly #took: Family<HistogramSeries>
  readonly #answerSizes: Family<HistogramSeries>
  readonly #entries: GaugeSeries
  readonly #asked: Family<HistogramSeries>
  readonly hits: Series
  readonly misses: Series
  readonly rejected: Series
  readonly #counted = new Map<string, Counted>()

  constructor({ registry, clock, server, domain }: DnsMetricsOptions) {
    this.#clock = clock
    this.#server = server
    this.#zone = `${domain}.`
    this.#requests = registry.counter('coredns_dns_requests_total', 'Queries, by zone, way and type.', ['server', 'zone', 'view', 'proto', 'family', 'type'])
    this.#sizes = registry.histogram('coredns_dns_request_size_bytes', 'Bytes of queries.', ['server', 'zone', 'view', 'proto'], sizeBounds)
    this.#responses = registry.counter('coredns_dns_responses_total', 'Answers, by code.', ['server', 'zone', 'view', 'rcode', 'plugin'])
    this.#took = registry.histogram(
      'coredns_dns_request_duration_seconds',
      'Seconds until a query was answered.',
      ['server', 'zone', 'view'],
      doubled(0.00025, 16),
    )
    this.#answerSizes = registry.histogram('coredns_dns_response_size_bytes', 'Bytes of answers.', ['server', 'zone', 'view', 'proto'], sizeBounds)
    this.hits = registry.counter('coredns_cache_hits_total', 'Answers that stood ready.', ['server', 'type', 'zones', 'view']).of(server, 'success', '.', '')
    this.misses = registry.counter('coredns_cache_misses_total', 'Answers that had to be made.', ['server', 'zones', 'view']).of(server, '.', '')
    const cached = ['server', 'zones', 'view']
    registry.read('coredns_cache_requests_total', 'counter', 'Queries whose answer may have stood ready.', cached, () => [
      [[server, '.', ''], this.hits.value + this.misses.value],
    ])
    this.#entries = registry.gauge('coredns_cache_entries', 'Answers that stand ready.', ['server', 'type', 'zones', 'view']).of(server, 'success', '.', '')
    this.#asked = registry.histogram(
      'coredns_proxy_request_duration_seconds',
      'Seconds until a server outside answered.',
      ['proxy_name', 'to', 'rcode'],
      doubled(0.00025, 16),
    )
    this.rejected = registry.counter('coredns_forward_max_concurrent_rejects_total', 'Queries that were too many for the servers outside.').of()
    for (const plugin of ['cache', 'forward', 'health', 'kubernetes', 'prometheus', 'ready'])
      registry.gauge('coredns_plugin_enabled', 'What the server does; always 1.', ['server', 'zone', 'view', 'name']).of(server, '.', '', plugin).set(1)
    registry.counter('coredns_panics_total', 'Faults of the server itself.').of()
    registry.read('coredns_build_info', 'gauge', 'Always 1.', ['version', 'goversion', 'revision'], () => [[['skiff', '', ''], 1]])
  }

  /** How many answers stand ready. */
  follow(entries: () => number): void {
    this.#entries.follow(entries)
  }

  /** A server outside (`10.0.0.1:53`) was asked at `since`; without an answer nothing is told. */
  asked(to: string, answer: Buffer | undefined, since: number): void {
    if (answer) this.#asked.of('forward', to, rcodeOf(answer)).observe((this.#clock.monotonic() - since) / 1000)
  }

  now(): number {
    return this.#clock.monotonic()
  }

  /** `outside`: another server was asked. */
  answered(query: Buffer, answer: Buffer, way: Way, type: number | undefined, outside: boolean, since: number): void {
    const zone = outside ? '.' : this.#zone
    const server = this.#server
    const key = `${way} ${type ?? ''} ${zone}`
    let counted = this.#counted.get(key)
    if (!counted) {
      const typeName = typeNames.get(type ?? 0) ?? 'other'
      counted = { requests: this.#requests.of(server, zone, '', way, '1', typeName), size: this.#sizes.of(server, zone, '', way) }
      if (this.#counted.size < 1000) this.#counted.set(key, counted)
    }
    counted.requests.add()
    counted.size.observe(query.length)
    this.#responses.of(server, zone, '', rcodeOf(answer), outside ? 'forward' : 'kubernetes').add()
    this.#took.of(server, zone, '').observe((this.#clock.monotonic() - since) / 1000)
    this.#answerSizes.of(server, zone, '', way).observe(answer.length)
  }
}
