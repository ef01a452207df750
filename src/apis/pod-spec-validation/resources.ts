import { type FieldError, invalidValue, required } from '../../machinery/field-error.ts'
import { isQualifiedName } from '../../machinery/labels.ts'
import { compareQuantities, isZeroQuantity, parseQuantity } from '../../machinery/quantity.ts'
import type { V1ResourceRequirements } from '../../machinery/schema/generated/types.ts'
import { nonNegative } from '../formats.ts'
import { quantityOrNothing, quantityProblem } from '../resource-list.ts'

const standard = new Set(['cpu', 'memory', 'ephemeral-storage'])

/** Of another domain than Kubernetes' own: counted, whole, and never more promised than there is. */
export const isExtendedResource = (name: string): boolean => name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.')

export function validateContainerResourceName(name: string, at: string): FieldError[] {
  const errors = isQualifiedName(name).map((message) => invalidValue(at, name, message))
  if (errors.length > 0) return errors
  if (!name.includes('/') && !standard.has(name) && !name.startsWith('hugepages-')) {
    errors.push(invalidValue(at, name, 'must be a standard resource type or fully qualified'))
    errors.push(invalidValue(at, name, 'must be a standard resource for containers'))
  }
  return errors
}

/** An amount: a quantity, not negative, whole where the resource is counted. */
export function validateAmount(name: string, amount: string, at: string): FieldError[] {
  const problem = quantityProblem(amount)
  if (problem) return [invalidValue(at, amount, problem)]
  const { nanos } = parseQuantity(amount)
  if (nanos < 0n) return [invalidValue(at, amount, nonNegative)]
  return isExtendedResource(name) && nanos % 1_000_000_000n !== 0n ? [invalidValue(at, amount, 'must be an integer')] : []
}

export function validateResources(resources: V1ResourceRequirements | undefined, at: string): FieldError[] {
  if (!resources) return []
  const errors: FieldError[] = []
  const { limits = {}, requests = {} } = resources
  for (const name in limits) {
    const here = `${at}.limits[${name}]`
    errors.push(...validateContainerResourceName(name, here), ...validateAmount(name, limits[name] ?? '', here))
  }
  for (const name in requests) {
    const here = `${at}.requests[${name}]`
    const wrong = [...validateContainerResourceName(name, here), ...validateAmount(name, requests[name] ?? '', here)]
    errors.push(...wrong)
    if (wrong.length === 0) errors.push(...validateRequestAgainstLimit(name, requests[name] ?? '', limits[name], at))
  }
  for (const name in limits) {
    if (!(name in requests) && isExtendedResource(name) && !isZeroQuantity(quantityOrNothing(limits[name]) ?? '0'))
      errors.push(...validateRequestAgainstLimit(name, '0', limits[name], at))
  }
  return errors
}

function validateRequestAgainstLimit(name: string, request: string, limit: string | undefined, at: string): FieldError[] {
  const firm = isExtendedResource(name) || name.startsWith('hugepages-')
  if (limit === undefined) return firm ? [required(`${at}.limits`, 'Limit must be set for non overcommitable resources')] : []
  if (!quantityOrNothing(limit)) return []
  const order = compareQuantities(request, limit)
  if (firm && order !== 0) return [invalidValue(`${at}.requests`, request, `must be equal to ${name} limit of ${limit}`)]
  return order > 0 ? [invalidValue(`${at}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`)] : []
}
