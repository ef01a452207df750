import { type FieldError, forbiddenField, invalidValue, required } from '../../machinery/field-error.ts'
import { isLabelValue } from '../../machinery/labels.ts'
import { isDnsLabel } from '../../machinery/names.ts'
import type { V1Affinity, V1NodeSelector, V1NodeSelectorRequirement, V1NodeSelectorTerm, V1PodAffinityTerm } from '../../machinery/schema/generated/types.ts'
import { validateQualifiedName } from '../label-validation.ts'
import { validateLabelSelector } from '../selector-validation.ts'

export function validateAffinity(affinity: V1Affinity | undefined, at: string): FieldError[] {
  if (!affinity) return []
  const errors: FieldError[] = []
  const mandatory = 'requiredDuringSchedulingIgnoredDuringExecution'
  const preferred = 'preferredDuringSchedulingIgnoredDuringExecution'
  if (affinity.nodeAffinity) {
    const here = `${at}.nodeAffinity`
    if (affinity.nodeAffinity[mandatory]) errors.push(...validateNodeSelector(affinity.nodeAffinity[mandatory], `${here}.${mandatory}`))
    affinity.nodeAffinity[preferred]?.forEach((term, index) => {
      errors.push(...validateWeight(term.weight, `${here}.${preferred}[${index}].weight`))
      errors.push(...validateNodeSelectorTerm(term.preference ?? {}, `${here}.${preferred}[${index}].preference`))
    })
  }
  for (const kind of ['podAffinity', 'podAntiAffinity'] as const) {
    affinity[kind]?.[mandatory]?.forEach((term, index) => {
      errors.push(...validatePodAffinityTerm(term, `${at}.${kind}.${mandatory}[${index}]`))
    })
    affinity[kind]?.[preferred]?.forEach((term, index) => {
      const here = `${at}.${kind}.${preferred}[${index}]`
      errors.push(...validateWeight(term.weight, `${here}.weight`))
      errors.push(...validatePodAffinityTerm(term.podAffinityTerm, `${here}.podAffinityTerm`))
    })
  }
  return errors
}

const validateWeight = (weight: number | undefined, at: string): FieldError[] =>
  weight !== undefined && weight >= 1 && weight <= 100 ? [] : [invalidValue(at, weight ?? 0, 'must be in the range 1-100')]

export function validateNodeSelector(selector: V1NodeSelector, at: string): FieldError[] {
  if (!selector.nodeSelectorTerms?.length) return [required(`${at}.nodeSelectorTerms`, 'must have at least one node selector term')]
  return selector.nodeSelectorTerms.flatMap((term, index) => validateNodeSelectorTerm(term, `${at}.nodeSelectorTerms[${index}]`))
}

function validateNodeSelectorTerm(term: V1NodeSelectorTerm, at: string): FieldError[] {
  const errors: FieldError[] = []
  term.matchExpressions?.forEach((requirement, index) => {
    errors.push(...validateRequirement(requirement, `${at}.matchExpressions[${index}]`))
  })
  term.matchFields?.forEach((requirement, index) => {
    const here = `${at}.matchFields[${index}]`
    if (requirement.operator !== 'In' && requirement.operator !== 'NotIn')
      errors.push(invalidValue(`${here}.operator`, requirement.operator ?? '', 'not a valid selector operator'))
    else if (requirement.values?.length !== 1)
      errors.push(required(`${here}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"))
    if (requirement.key !== 'metadata.name') errors.push(invalidValue(`${here}.key`, requirement.key ?? '', 'not a valid field selector key'))
  })
  return errors
}

function validateRequirement({ key, operator, values }: V1NodeSelectorRequirement, at: string): FieldError[] {
  const errors: FieldError[] = []
  const count = values?.length ?? 0
  if (operator === 'In' || operator === 'NotIn') {
    if (count === 0) errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (count > 0) errors.push(forbiddenField(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (count !== 1) errors.push(required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
  } else errors.push(invalidValue(`${at}.operator`, operator ?? '', 'not a valid selector operator'))
  errors.push(...validateQualifiedName(key ?? '', `${at}.key`))
  values?.forEach((value, index) => {
    if (operator !== 'Gt' && operator !== 'Lt') for (const message of isLabelValue(value)) errors.push(invalidValue(`${at}.values[${index}]`, value, message))
  })
  return errors
}

function validatePodAffinityTerm(term: V1PodAffinityTerm, at: string): FieldError[] {
  const errors = validateLabelSelector(term.labelSelector, `${at}.labelSelector`)
  errors.push(...validateLabelSelector(term.namespaceSelector, `${at}.namespaceSelector`))
  term.namespaces?.forEach((name) => {
    for (const message of isDnsLabel(name)) errors.push(invalidValue(`${at}.namespace`, name, message))
  })
  if (!term.topologyKey) errors.push(required(`${at}.topologyKey`, 'can not be empty'))
  errors.push(...validateQualifiedName(term.topologyKey ?? '', `${at}.topologyKey`))
  return errors
}
