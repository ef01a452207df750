import { type FieldError, forbiddenField, invalidValue, required } from '../machinery/field-error.ts'
import { isLabelValue } from '../machinery/labels.ts'
import type { V1LabelSelector, V1LabelSelectorRequirement } from '../machinery/schema/generated/types.ts'
import { validateLabels, validateQualifiedName } from './label-validation.ts'

export function validateLabelSelector(selector: V1LabelSelector | undefined, field: string): FieldError[] {
  if (!selector) return []
  const errors = validateLabels(selector.matchLabels, `${field}.matchLabels`)
  selector.matchExpressions?.forEach((requirement, index) => {
    errors.push(...validateRequirement(requirement, `${field}.matchExpressions[${index}]`))
  })
  return errors
}

function validateRequirement({ key, operator, values }: V1LabelSelectorRequirement, field: string): FieldError[] {
  const errors: FieldError[] = []
  const count = values?.length ?? 0
  if (operator === 'In' || operator === 'NotIn') {
    if (count === 0) errors.push(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (count > 0) errors.push(forbiddenField(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
  } else errors.push(invalidValue(`${field}.operator`, operator ?? '', 'not a valid selector operator'))
  errors.push(...validateQualifiedName(key ?? '', `${field}.key`))
  values?.forEach((value, index) => {
    for (const message of isLabelValue(value)) errors.push(invalidValue(`${field}.values[${index}]`, value, message))
  })
  return errors
}

export const isEmptySelector = (selector: V1LabelSelector | undefined): boolean =>
  !selector || (Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions?.length ?? 0) === 0)

/** Whether labels satisfy a selector; an absent selector matches nothing, an empty one everything. */
export function selectorMatches(selector: V1LabelSelector | undefined, labels: Record<string, string> | undefined): boolean {
  if (!selector) return false
  const own = labels ?? {}
  for (const key in selector.matchLabels) if (own[key] !== selector.matchLabels[key]) return false
  return (selector.matchExpressions ?? []).every(({ key, operator, values }) => {
    const value = own[key]
    if (operator === 'In') return value !== undefined && (values ?? []).includes(value)
    if (operator === 'NotIn') return value === undefined || !(values ?? []).includes(value)
    return operator === 'Exists' ? value !== undefined : value === undefined
  })
}
