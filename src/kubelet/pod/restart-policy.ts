/** Which containers are started again after their end: by rules of their own, else a policy of their own, else the pod's (KEP-5307). */
import type { V1Container, V1Pod } from '../../machinery/schema/generated/types.ts'

export function restartsAfter(pod: V1Pod, container: V1Container, exitCode: number): boolean {
  for (const { action, exitCodes } of container.restartPolicyRules ?? []) {
    if (action !== 'Restart' || !exitCodes) continue
    const isNamed = exitCodes.values?.includes(exitCode) ?? false
    if (exitCodes.operator === 'In' ? isNamed : !isNamed) return true
  }
  const policy = policyOf(pod, container)
  return policy !== 'Never' && (policy !== 'OnFailure' || exitCode !== 0)
}

/** Of one that is ended for the pod's sake: whatever it exits with, it counts as failed. */
export const restartsWhenEnded = (pod: V1Pod, container: V1Container): boolean => policyOf(pod, container) !== 'Never'

/** Whether anything of the pod can ever be started a second time. */
export const restartsAnything = (pod: V1Pod): boolean =>
  pod.spec.containers.some((container) => restartsWhenEnded(pod, container) || (container.restartPolicyRules ?? []).length > 0)

const policyOf = (pod: V1Pod, container: V1Container): string => container.restartPolicy ?? pod.spec.restartPolicy ?? 'Always'
