/** Deletes Jobs that have finished, after the time that they say. */

import { defineController } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { Job } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { V1Job } from '../machinery/schema/generated/types.ts'
import { JobMetrics } from './job-metrics.ts'

export const timeToLiveController: AnyController = defineController<V1Job>({
  name: 'ttl-after-finished-controller',
  reconciles: Job,
  async reconcile(job, { client, clock, metrics }) {
    const seconds = job?.spec.ttlSecondsAfterFinished
    if (!job || seconds === undefined || job.metadata.deletionTimestamp) return
    const ended = (job.status?.conditions ?? []).find(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True')
    if (!ended) return
    const left = Date.parse(ended.lastTransitionTime ?? '') + seconds * 1000 - clock.now()
    if (left > 0) return { again: left }
    const { uid, resourceVersion } = job.metadata
    try {
      await client.delete(Job, job.metadata, { propagationPolicy: 'Foreground', preconditions: { uid, resourceVersion } })
      new JobMetrics(metrics).expired(-left)
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error
    }
    return
  },
})
