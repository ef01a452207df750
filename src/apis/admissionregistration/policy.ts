/** What admission policies and their bindings have in common. */
import { type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V1MatchResources, V1ParamKind, V1ParamRef } from '../../machinery/schema/generated/types.ts'
import { validateLabelSelector } from '../selector-validation.ts'
import { validateRule } from './webhook.ts'

export function matchDefaults(match: V1MatchResources | undefined): void {
  if (!match) return
  match.matchPolicy ??= 'Equivalent'
  match.namespaceSelector ??= {}
  match.objectSelector ??= {}
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= '*'
}

export function validateMatch(match: V1MatchResources | undefined, at: string): FieldError[] {
  if (!match) return []
  const errors = [
    ...validateLabelSelector(match.namespaceSelector, `${at}.namespaceSelector`),
    ...validateLabelSelector(match.objectSelector, `${at}.objectSelector`),
  ]
  for (const list of ['resourceRules', 'excludeResourceRules'] as const)
    match[list]?.forEach((rule, index) => {
      errors.push(...validateRule(rule, `${at}.${list}[${index}]`))
    })
  return errors
}

export function validatePolicy(
  { matchConstraints, failurePolicy }: { matchConstraints?: V1MatchResources; failurePolicy?: string },
  items: readonly object[] | undefined,
  list: string,
): FieldError[] {
  const errors = validateMatch(matchConstraints, 'spec.matchConstraints')
  if (!matchConstraints) errors.push(required('spec.matchConstraints'))
  else if (!matchConstraints.resourceRules?.length) errors.push(required('spec.matchConstraints.resourceRules'))
  if (failurePolicy !== undefined && failurePolicy !== 'Fail' && failurePolicy !== 'Ignore')
    errors.push(notSupported('spec.failurePolicy', failurePolicy, ['Fail', 'Ignore']))
  if (!items?.length) errors.push(required(`spec.${list}`, `${list} must contain at least one item`))
  return errors
}

export function validatePolicyBinding({
  policyName,
  paramRef,
  matchResources,
}: {
  policyName?: string
  paramRef?: V1ParamRef
  matchResources?: V1MatchResources
}): FieldError[] {
  const errors = validateMatch(matchResources, 'spec.matchResources')
  if (!policyName) errors.push(required('spec.policyName'))
  if (paramRef && (paramRef.name === undefined) === (paramRef.selector === undefined))
    errors.push(
      paramRef.name === undefined
        ? required('spec.paramRef', 'one of name or selector must be specified')
        : invalidValue('spec.paramRef.name', paramRef.name, 'name and selector are mutually exclusive'),
    )
  return errors
}

export const paramKindText = (kind: V1ParamKind | undefined): string => (kind ? `${kind.apiVersion ?? ''}/${kind.kind ?? ''}` : '<unset>')

export function paramRefText(reference: V1ParamRef | undefined): string {
  if (!reference) return '<unset>'
  const target = reference.name ?? '*'
  return reference.namespace ? `${reference.namespace}/${target}` : target
}
