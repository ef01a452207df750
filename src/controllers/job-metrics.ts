/** What is told of Jobs and CronJobs, under upstream's names. */
import { doubled, type MetricRegistry } from '../machinery/metrics/registry.ts'
import type { V1Job, V1JobStatus } from '../machinery/schema/generated/types.ts'

const modeOf = ({ spec }: V1Job) => spec.completionMode ?? 'NonIndexed'

export class JobMetrics {
  readonly #registry: MetricRegistry

  /** Families are the registry's: asking for one again gives the same. */
  constructor(registry: MetricRegistry) {
    this.#registry = registry
  }

  synced(job: V1Job, action: 'reconciling' | 'pods_created' | 'pods_deleted', failed: boolean, milliseconds: number): void {
    const labels = ['completion_mode', 'result', 'action']
    const values = [modeOf(job), failed ? 'error' : 'success', action]
    this.#registry
      .counter('job_controller_job_syncs_total', 'Looks at Jobs.', labels)
      .of(...values)
      .add()
    this.#registry
      .histogram('job_controller_job_sync_duration_seconds', 'Seconds of one look at a Job.', labels, doubled(0.004, 15))
      .of(...values)
      .observe(milliseconds / 1000)
  }

  /** The status that is stored now, in place of the Job's own. */
  stored(job: V1Job, status: V1JobStatus): void {
    const before = job.status ?? {}
    for (const result of ['succeeded', 'failed'] as const) {
      const known = new Set(before.uncountedTerminatedPods?.[result])
      const fresh = (status.uncountedTerminatedPods?.[result] ?? []).filter((uid) => !known.has(uid)).length
      if (fresh > 0)
        this.#registry
          .counter('job_controller_job_pods_finished_total', 'Pods of Jobs that have ended and were counted.', ['completion_mode', 'result'])
          .of(modeOf(job), result)
          .add(fresh)
    }
    const met = ({ conditions }: V1JobStatus) => conditions?.find(({ type, status: holds }) => (type === 'Complete' || type === 'Failed') && holds === 'True')
    const over = met(status)
    if (over && !met(before))
      this.#registry
        .counter('job_controller_jobs_finished_total', 'Jobs that have ended, and why.', ['completion_mode', 'result', 'reason'])
        .of(modeOf(job), over.type === 'Complete' ? 'succeeded' : 'failed', over.reason ?? '')
        .add()
  }

  /** A CronJob's Job was made so long after it was due. */
  scheduled(lateMs: number): void {
    this.#registry
      .histogram('cronjob_controller_job_creation_skew_duration_seconds', 'Seconds between when a Job was due and when it was made.', [], doubled(1, 10))
      .of()
      .observe(lateMs / 1000)
  }

  /** A Job whose time was over was deleted so long after that. */
  expired(lateMs: number): void {
    this.#registry
      .histogram(
        'ttl_after_finished_controller_job_deletion_duration_seconds',
        'Seconds between when a finished Job was to go and when it was deleted.',
        [],
        doubled(0.1, 14),
      )
      .of()
      .observe(lateMs / 1000)
  }
}
