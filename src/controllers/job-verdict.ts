/** Whether a Job is over, and why. */
import type { V1Job, V1SuccessPolicyRule } from '../machinery/schema/generated/types.ts'
import { parseIndexes } from './job-indexes.ts'
import type { Tally } from './job-tracking.ts'

export interface Verdict {
  type: 'Complete' | 'Failed'
  reason: string
  message: string
}

const failed = (reason: string, message: string): Verdict => ({ type: 'Failed', reason, message })
export const completionsReached: Verdict = { type: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }

export function judge({ spec, status }: V1Job, counts: Tally, now: number): Verdict | undefined {
  if (counts.failJob) return failed('PodFailurePolicy', counts.failJob)
  const limit = spec.backoffLimit ?? 6
  if (counts.failed > limit || counts.restarts >= Math.max(limit, 1)) return failed('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  const running = status?.startTime && !spec.suspend ? now - Date.parse(status.startTime) : 0
  if (spec.activeDeadlineSeconds !== undefined && running >= spec.activeDeadlineSeconds * 1000)
    return failed('DeadlineExceeded', 'Job was active longer than specified deadline')
  const matched = (spec.successPolicy?.rules ?? []).findIndex((rule) => isMet(rule, counts.completedIndexes))
  if (matched >= 0) return { type: 'Complete', reason: 'SuccessPolicy', message: `Matched rules at index ${matched}` }
  const failedIndexes = counts.failedIndexes.size
  if (spec.maxFailedIndexes !== undefined && failedIndexes > spec.maxFailedIndexes)
    return failed('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes')
  if (spec.completions === undefined) return undefined
  if (failedIndexes > 0 && failedIndexes + counts.succeeded >= spec.completions) return failed('FailedIndexes', 'Job has failed indexes')
  return counts.succeeded >= spec.completions ? completionsReached : undefined
}

function isMet({ succeededIndexes, succeededCount }: V1SuccessPolicyRule, completed: ReadonlySet<number>): boolean {
  if (succeededIndexes === undefined) return succeededCount !== undefined && completed.size >= succeededCount
  const listed = [...parseIndexes(succeededIndexes)]
  return listed.filter((index) => completed.has(index)).length >= (succeededCount ?? listed.length)
}
