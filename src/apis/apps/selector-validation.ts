import { type FieldError, invalidValue, required } from '../../machinery/field-error.ts'
import type { V1LabelSelector } from '../../machinery/schema/generated/types.ts'
import { isEmptySelector, validateLabelSelector } from '../selector-validation.ts'

/** The selector by which a workload finds its pods: there must be one, and it must select. */
export function validateWorkloadSelector(selector: V1LabelSelector | undefined, kind: string, at = 'spec.selector'): FieldError[] {
  if (!selector) return [required(at)]
  const errors = validateLabelSelector(selector, at)
  if (isEmptySelector(selector)) errors.push(invalidValue(at, selector, `empty selector is invalid for ${kind}`))
  return errors
}
