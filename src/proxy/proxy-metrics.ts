/** What the Service proxy tells of its work, under upstream's names. */
import { doubled, type GaugeSeries, type HistogramSeries, type MetricRegistry, type Series } from '../machinery/metrics/registry.ts'

const family = 'IPv4'
const steps = (from: number, to: number, by: number) => Array.from({ length: Math.round((to - from) / by) + 1 }, (_, index) => from + index * by)
const programmingBounds = [0.25, 0.5, ...steps(1, 59, 1), ...steps(60, 120, 5), ...steps(150, 300, 30)]

export class ProxyMetrics {
  readonly #took: Record<'sync' | 'full' | 'partial', HistogramSeries>
  readonly #changes: Record<'service' | 'endpoint', Series>
  readonly #programming: HistogramSeries
  readonly failures: Series
  readonly synced: GaugeSeries
  readonly queued: GaugeSeries
  readonly #answers: (page: 'healthz' | 'livez', code: number) => void

  constructor(registry: MetricRegistry, pending: (what: 'service' | 'endpoint') => number) {
    const took = (kind: string, help: string) =>
      registry.histogram(`kubeproxy_sync_${kind}proxy_rules_duration_seconds`, help, ['ip_family'], doubled(0.001, 15)).of(family)
    this.#took = {
      sync: took('', 'Seconds that loading the rules took.'),
      full: took('full_', 'Seconds that loading all rules took.'),
      partial: took('partial_', 'Seconds that loading changed rules took.'),
    }
    this.#programming = registry
      .histogram(
        'kubeproxy_network_programming_duration_seconds',
        'Seconds from when a Service or pod changed until the rules were so.',
        ['ip_family'],
        programmingBounds,
      )
      .of(family)
    const changes = (what: 'service' | 'endpoint', help: string) => {
      registry
        .gauge(`kubeproxy_sync_proxy_rules_${what}_changes_pending`, `${help} that wait for the next load.`)
        .of()
        .follow(() => pending(what))
      return registry.counter(`kubeproxy_sync_proxy_rules_${what}_changes_total`, `${help}.`).of()
    }
    this.#changes = { service: changes('service', 'Changes of Services'), endpoint: changes('endpoint', 'Changes of endpoints') }
    this.failures = registry
      .counter('kubeproxy_sync_proxy_rules_nftables_sync_failures_total', 'Times that rules could not be loaded.', ['ip_family'])
      .of(family)
    const time = (name: string, help: string) => registry.gauge(`kubeproxy_sync_proxy_rules_${name}_seconds`, help, ['ip_family']).of(family)
    this.synced = time('last_timestamp', 'When rules were last loaded, in seconds since the epoch.')
    this.queued = time('last_queued_timestamp', 'When a load of rules was last wanted, in seconds since the epoch.')
    const answers = { healthz: 'Answers of /healthz, by code.', livez: 'Answers of /livez, by code.' }
    const counters = Object.entries(answers).map(([page, help]) => [page, registry.counter(`kubeproxy_proxy_${page}_total`, help, ['code'])] as const)
    this.#answers = (page, code) =>
      counters
        .find(([name]) => name === page)?.[1]
        .of(String(code))
        .add()
  }

  changed(what: 'service' | 'endpoint'): void {
    this.#changes[what].add()
  }

  loaded(seconds: number, whole: boolean): void {
    this.#took.sync.observe(seconds)
    this.#took[whole ? 'full' : 'partial'].observe(seconds)
  }

  /** Milliseconds. */
  followed(cause: number): void {
    this.#programming.observe(cause / 1000)
  }

  answered(page: 'healthz' | 'livez', code: number): void {
    this.#answers(page, code)
  }
}
