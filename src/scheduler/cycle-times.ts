/** Where the time of scheduling goes: by extension point in each cycle, and by plugin in one of ten, as upstream tells it. */
import type { Clock } from '../machinery/clock.ts'
import { doubled, type Family, type HistogramSeries, type MetricRegistry } from '../machinery/metrics/registry.ts'

export type ExtensionPoint = 'PreFilter' | 'Filter' | 'PostFilter' | 'PreScore' | 'Score' | 'Reserve' | 'PreBind' | 'Bind'
export type Status = 'Success' | 'Unschedulable' | 'UnschedulableAndUnresolvable' | 'Skip' | 'Error'

/** Timing each plugin on each node would take longer than many of them do. */
const sampledCycles = 10
const pluginBounds = Array.from({ length: 20 }, (_, index) => 1e-5 * 1.5 ** index)

export class CycleTimes {
  readonly #clock: Clock
  readonly #profile: string
  readonly #points: Family<HistogramSeries>
  readonly #plugins: Family<HistogramSeries>
  #cycles = 0

  constructor(registry: MetricRegistry, clock: Clock, profile: string) {
    this.#clock = clock
    this.#profile = profile
    this.#points = registry.histogram(
      'scheduler_framework_extension_point_duration_seconds',
      'Seconds that all plugins of an extension point took together.',
      ['extension_point', 'status', 'profile'],
      doubled(0.0001, 12),
    )
    this.#plugins = registry.histogram(
      'scheduler_plugin_execution_duration_seconds',
      'Seconds that one plugin took at an extension point; of one cycle in ten.',
      ['plugin', 'extension_point', 'status'],
      pluginBounds,
    )
  }

  now(): number {
    return this.#clock.monotonic()
  }

  /** Whether plugins are timed in the cycle that begins. */
  begin(): boolean {
    return this.#cycles++ % sampledCycles === 0
  }

  point(point: ExtensionPoint, status: Status, since: number): void {
    this.#points.of(point, status, this.#profile).observe((this.#clock.monotonic() - since) / 1000)
  }

  plugin(plugin: string, point: ExtensionPoint, status: Status, since: number): void {
    this.#plugins.of(plugin, point, status).observe((this.#clock.monotonic() - since) / 1000)
  }
}
