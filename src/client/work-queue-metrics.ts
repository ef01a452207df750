/** What is told of a work queue, under the names that upstream's queues have. */
import type { Clock } from '../machinery/clock.ts'
import type { Family, GaugeSeries, HistogramSeries, MetricRegistry, Series } from '../machinery/metrics/registry.ts'

const bounds = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10]

export class QueueMetrics {
  readonly #clock: Clock
  readonly #name: string
  readonly #adds: Series
  readonly #retries: Series
  readonly #waited: HistogramSeries
  readonly #worked: HistogramSeries
  readonly #gauges: Family<GaugeSeries>[]
  readonly #addedAt = new Map<string, number>()
  readonly #begunAt = new Map<string, number>()

  constructor(registry: MetricRegistry, name: string, clock: Clock, depth: () => number) {
    this.#clock = clock
    this.#name = name
    const labels = ['name']
    this.#adds = registry.counter('workqueue_adds_total', 'Keys that were added to the queue.', labels).of(name)
    this.#retries = registry.counter('workqueue_retries_total', 'Keys that came back after a failure.', labels).of(name)
    this.#waited = registry.histogram('workqueue_queue_duration_seconds', 'Seconds that a key waited for a worker.', labels, bounds).of(name)
    this.#worked = registry.histogram('workqueue_work_duration_seconds', 'Seconds that a key was worked on.', labels, bounds).of(name)
    const gauge = (family: string, help: string, read: () => number) => {
      const made = registry.gauge(family, help, labels)
      made.of(name).follow(read)
      return made
    }
    this.#gauges = [
      gauge('workqueue_depth', 'Keys that wait for a worker.', depth),
      gauge('workqueue_unfinished_work_seconds', 'Seconds that all keys under work have been so, together.', () =>
        this.#ages().reduce((sum, age) => sum + age, 0),
      ),
      gauge('workqueue_longest_running_processor_seconds', 'Seconds that the oldest key under work has been so.', () => Math.max(0, ...this.#ages())),
    ]
  }

  added(key: string): void {
    this.#adds.add()
    this.#addedAt.set(key, this.#clock.monotonic())
  }

  begun(key: string): void {
    const now = this.#clock.monotonic()
    this.#waited.observe((now - (this.#addedAt.get(key) ?? now)) / 1000)
    this.#addedAt.delete(key)
    this.#begunAt.set(key, now)
  }

  done(key: string): void {
    const now = this.#clock.monotonic()
    this.#worked.observe((now - (this.#begunAt.get(key) ?? now)) / 1000)
    this.#begunAt.delete(key)
  }

  retried(): void {
    this.#retries.add()
  }

  /** A queue that is no more has no depth; what was counted stays. */
  close(): void {
    this.#addedAt.clear()
    for (const gauge of this.#gauges) gauge.remove(this.#name)
  }

  #ages(): number[] {
    const now = this.#clock.monotonic()
    return [...this.#begunAt.values()].map((at) => (now - at) / 1000)
  }
}
