/** What a scheduler tells of its work, under upstream's names. */
import type { Clock } from '../machinery/clock.ts'
import { doubled, type Family, type HistogramSeries, type MetricRegistry, type Series } from '../machinery/metrics/registry.ts'
import type { QueuedPod, QueueName, SchedulingQueue } from './scheduling-queue.ts'

export type AttemptResult = 'scheduled' | 'unschedulable' | 'error'

export interface SchedulerState {
  queue: SchedulingQueue
  sizes(): { nodes: number; pods: number; assumed_pods: number }
  /** Bindings that are under way. */
  binding(): number
}

export class SchedulerMetrics {
  readonly #clock: Clock
  readonly #profile: string
  readonly #attempts: Family<Series>
  readonly #took: Family<HistogramSeries>
  readonly #algorithm: HistogramSeries
  readonly #sli: Family<HistogramSeries>
  readonly #tries: HistogramSeries
  readonly #incoming: Family<Series>
  readonly #preemptions: Series
  readonly #victims: HistogramSeries
  readonly #registry: MetricRegistry

  constructor(registry: MetricRegistry, clock: Clock, profile: string) {
    this.#registry = registry
    this.#clock = clock
    this.#profile = profile
    this.#attempts = registry.counter('scheduler_schedule_attempts_total', 'Attempts to schedule pods, by result.', ['result', 'profile'])
    this.#took = registry.histogram(
      'scheduler_scheduling_attempt_duration_seconds',
      'Seconds of an attempt, from the algorithm to the binding.',
      ['result', 'profile'],
      doubled(0.001, 15),
    )
    this.#algorithm = registry
      .histogram('scheduler_scheduling_algorithm_duration_seconds', 'Seconds that it took to choose a node.', [], doubled(0.001, 15))
      .of()
    this.#sli = registry.histogram(
      'scheduler_pod_scheduling_sli_duration_seconds',
      'Seconds from when a pod came into the queue until it was bound, by the attempts it took.',
      ['attempts'],
      doubled(0.01, 20),
    )
    this.#tries = registry.histogram('scheduler_pod_scheduling_attempts', 'Attempts until a pod was bound.', [], doubled(1, 5)).of()
    this.#incoming = registry.counter('scheduler_queue_incoming_pods_total', 'Pods that came into a queue, by event.', ['queue', 'event'])
    this.#preemptions = registry.counter('scheduler_preemption_attempts_total', 'Times that room was looked for by preemption.').of()
    this.#victims = registry.histogram('scheduler_preemption_victims', 'Pods that had to make way, for each preemption.', [], doubled(1, 7)).of()
  }

  /** Of the scheduler that leads now. */
  follow({ queue, sizes, binding }: SchedulerState): void {
    const registry = this.#registry
    registry.read('scheduler_pending_pods', 'gauge', 'Pods that wait for a node, by queue.', ['queue'], () =>
      Object.entries(queue.counts()).map(([name, count]) => [[name], count]),
    )
    registry.read('scheduler_unschedulable_pods', 'gauge', 'Pods that wait because of a plugin.', ['plugin', 'profile'], () =>
      [...queue.rejections()].map(([plugin, count]) => [[plugin, this.#profile], count]),
    )
    registry.read('scheduler_cache_size', 'gauge', 'What the cache holds.', ['type'], () => Object.entries(sizes()).map(([type, count]) => [[type], count]))
    registry.read('scheduler_goroutines', 'gauge', 'Work that goes on beside the cycles, by its kind.', ['operation'], () => [[['binding'], binding()]])
  }

  came(queue: QueueName, event: string): void {
    this.#incoming.of(queue, event).add()
  }

  chosen(milliseconds: number): void {
    this.#algorithm.observe(milliseconds / 1000)
  }

  attempted(result: AttemptResult, since: number): void {
    this.#attempts.of(result, this.#profile).add()
    this.#took.of(result, this.#profile).observe((this.#clock.monotonic() - since) / 1000)
  }

  bound({ since, attempts }: QueuedPod): void {
    this.#sli.of(attempts > 15 ? '16+' : String(attempts)).observe((this.#clock.now() - since) / 1000)
    this.#tries.observe(attempts)
  }

  preempted(victims: number): void {
    this.#victims.observe(victims)
  }

  preempting(): void {
    this.#preemptions.add()
  }
}
