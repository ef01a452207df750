/** What a Job's `podFailurePolicy` makes of a pod that failed, and how often its index has. */
import type { V1Job, V1Pod, V1PodFailurePolicyRule } from '../machinery/schema/generated/types.ts'

export const indexFailuresAnnotation = 'batch.kubernetes.io/job-index-failure-count'
export const indexIgnoredAnnotation = 'batch.kubernetes.io/job-index-ignored-failure-count'

export type FailureAction = 'FailJob' | 'FailIndex' | 'Ignore' | 'Count'

export interface FailureVerdict {
  action: FailureAction
  /** Upstream's sentence; of a rule that matched. */
  message?: string
}

/** The first rule that matches decides; where none does the failure counts. */
export function failureVerdict({ spec }: V1Job, pod: V1Pod): FailureVerdict {
  // A pod that was deleted before it failed says nothing that a rule could be about.
  if (pod.status?.phase !== 'Failed') return { action: 'Count' }
  for (const [index, rule] of (spec.podFailurePolicy?.rules ?? []).entries()) {
    const why = matches(rule, pod)
    if (!why) continue
    const action = rule.action as FailureAction
    // Indexes fail only where each has a limit of its own.
    if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) return { action: 'Count' }
    return { action, message: `${why} matching ${action} rule at index ${index}` }
  }
  return { action: 'Count' }
}

function matches({ onExitCodes, onPodConditions }: V1PodFailurePolicyRule, { metadata, status }: V1Pod): string | undefined {
  const about = `${metadata.namespace}/${metadata.name}`
  if (onExitCodes) {
    for (const { name, state } of [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])]) {
      const code = state?.terminated?.exitCode
      if (!code || (onExitCodes.containerName && onExitCodes.containerName !== name)) continue
      if (onExitCodes.values.includes(code) === (onExitCodes.operator === 'In')) return `Container ${name} for pod ${about} failed with exit code ${code}`
    }
    return undefined
  }
  const has = (type: string, wanted: string) => status?.conditions?.some((condition) => condition.type === type && condition.status === wanted)
  const found = (onPodConditions ?? []).find(({ type, status: wanted = 'True' }) => has(type, wanted))
  return found && `Pod ${about} has condition ${found.type}`
}

/** Failures of its index before this pod, that counted or that did not. */
const before = ({ metadata }: V1Pod, annotation: string): number => Number(metadata.annotations?.[annotation] ?? 0)

/** Whether with this pod its index has failed for good. */
export function failsIndex({ spec }: V1Job, pod: V1Pod, { action }: FailureVerdict): boolean {
  if (spec.backoffLimitPerIndex === undefined || action === 'Ignore') return false
  return action === 'FailIndex' || before(pod, indexFailuresAnnotation) >= spec.backoffLimitPerIndex
}

/** The counts that the next pod of the index carries, from those that failed before it. */
export function failureAnnotations(job: V1Job, failed: readonly V1Pod[]): Record<string, string> {
  if (job.spec.backoffLimitPerIndex === undefined) return {}
  let [counted, ignored] = [0, 0]
  for (const pod of failed) {
    const isIgnored = failureVerdict(job, pod).action === 'Ignore'
    counted = Math.max(counted, before(pod, indexFailuresAnnotation) + (isIgnored ? 0 : 1))
    ignored = Math.max(ignored, before(pod, indexIgnoredAnnotation) + (isIgnored ? 1 : 0))
  }
  return { [indexFailuresAnnotation]: String(counted), ...(ignored > 0 ? { [indexIgnoredAnnotation]: String(ignored) } : {}) }
}
