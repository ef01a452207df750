import { type FieldError, forbiddenField, invalidValue, notSupported } from '../../machinery/field-error.ts'
import type { V1LabelSelector, V1PodTemplateSpec } from '../../machinery/schema/generated/types.ts'
import { validateLabels } from '../label-validation.ts'
import { validateAnnotations } from '../metadata-validation.ts'
import { isEmptySelector, selectorMatches } from '../selector-validation.ts'
import { validatePodSpec } from './pod-spec.ts'

export function validatePodTemplate(template: V1PodTemplateSpec, at: string): FieldError[] {
  const spec = template.spec ?? { containers: [] }
  const errors = validateLabels(template.metadata?.labels, `${at}.labels`)
  errors.push(...validateAnnotations(template.metadata?.annotations ?? {}, `${at}.annotations`), ...validatePodSpec(spec, `${at}.spec`))
  if (spec.ephemeralContainers?.length) errors.push(forbiddenField(`${at}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'))
  return errors
}

/** Templates of controllers that keep pods running: the selector finds them, and they are always restarted. */
export function validateServingTemplate(template: V1PodTemplateSpec, selector: V1LabelSelector | undefined, at: string): FieldError[] {
  const errors: FieldError[] = []
  const labels = template.metadata?.labels
  // A selector that is missing matches nothing, and is told of here too.
  if (!(selector && isEmptySelector(selector)) && !selectorMatches(selector, labels))
    errors.push(invalidValue(`${at}.metadata.labels`, labels ?? null, '`selector` does not match template `labels`'))
  errors.push(...validatePodTemplate(template, at))
  const policy = template.spec?.restartPolicy
  if (policy === 'Never' || policy === 'OnFailure') errors.push(notSupported(`${at}.spec.restartPolicy`, policy, ['Always']))
  if (template.spec?.activeDeadlineSeconds !== undefined)
    errors.push(forbiddenField(`${at}.spec.activeDeadlineSeconds`, 'activeDeadlineSeconds in ReplicaSet is not Supported'))
  return errors
}
