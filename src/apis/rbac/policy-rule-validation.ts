import { type FieldError, invalidValue, required } from '../../machinery/field-error.ts'
import type { V1PolicyRule } from '../../machinery/schema/generated/types.ts'

export function validateRules(rules: readonly V1PolicyRule[] | undefined, namespaced: boolean): FieldError[] {
  return (rules ?? []).flatMap((rule, index) => validateRule(rule, namespaced, `rules[${index}]`))
}

function validateRule({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: V1PolicyRule, namespaced: boolean, at: string): FieldError[] {
  const errors: FieldError[] = []
  if (!verbs?.length) errors.push(required(`${at}.verbs`, 'verbs must contain at least one value'))
  if (nonResourceURLs?.length) {
    const here = `${at}.nonResourceURLs`
    if (namespaced) errors.push(invalidValue(here, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'))
    if (apiGroups?.length || resources?.length || resourceNames?.length)
      errors.push(invalidValue(here, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'))
    return errors
  }
  if (!apiGroups?.length) errors.push(required(`${at}.apiGroups`, 'resource rules must supply at least one api group'))
  if (!resources?.length) errors.push(required(`${at}.resources`, 'resource rules must supply at least one resource'))
  return errors
}
