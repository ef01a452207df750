import { type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V1JobSpec } from '../../machinery/schema/generated/types.ts'
import { validateNonNegative } from '../int-or-percent.ts'
import { validatePodTemplate } from '../pod-spec-validation/pod-template.ts'

const counts = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const
const restartPolicies = ['Never', 'OnFailure']
const completionModes = ['Indexed', 'NonIndexed']
const replacementPolicies = ['Failed', 'TerminatingOrFailed']

/** Of a Job and of a CronJob's template of Jobs. */
export function validateJobSpec(spec: V1JobSpec, at: string): FieldError[] {
  const errors: FieldError[] = []
  for (const field of counts) errors.push(...validateNonNegative(spec[field], `${at}.${field}`))
  const mode = spec.completionMode
  if (mode !== undefined && !completionModes.includes(mode)) errors.push(notSupported(`${at}.completionMode`, mode, completionModes))
  if (mode === 'Indexed') {
    if (spec.completions === undefined) errors.push(required(`${at}.completions`, 'when completion mode is Indexed'))
    if ((spec.parallelism ?? 0) > 100000)
      errors.push(invalidValue(`${at}.parallelism`, spec.parallelism, 'must be less than or equal to 100000 when completion mode is Indexed'))
  } else if (spec.backoffLimitPerIndex !== undefined)
    errors.push(invalidValue(`${at}.backoffLimitPerIndex`, spec.backoffLimitPerIndex, 'requires indexed completion mode'))
  if (spec.podReplacementPolicy !== undefined && !replacementPolicies.includes(spec.podReplacementPolicy))
    errors.push(notSupported(`${at}.podReplacementPolicy`, spec.podReplacementPolicy, replacementPolicies))
  errors.push(...validatePodTemplate(spec.template, `${at}.template`))
  const policy = spec.template.spec?.restartPolicy
  const where = `${at}.template.spec.restartPolicy`
  if (!policy || policy === 'Always') errors.push(required(where, 'valid values: "OnFailure", "Never"'))
  else if (spec.podFailurePolicy && policy !== 'Never') errors.push(invalidValue(where, policy, 'only "Never" is supported when podFailurePolicy is specified'))
  else if (!restartPolicies.includes(policy)) errors.push(notSupported(where, policy, restartPolicies))
  return errors
}
