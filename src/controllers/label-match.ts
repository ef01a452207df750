/** Whether labels satisfy a label selector. */
import type { V1LabelSelector } from '../machinery/schema/generated/types.ts'

type Labels = Record<string, string> | undefined

/** An empty selector matches everything, an absent one nothing. */
export function labelsMatch(selector: V1LabelSelector | undefined, labels: Labels): boolean {
  if (!selector) return false
  return equalityMatches(selector.matchLabels ?? {}, labels) && (selector.matchExpressions ?? []).every((expression) => expressionMatches(expression, labels))
}

/** For the plain selectors of Services and ReplicationControllers. */
export function equalityMatches(selector: Record<string, string>, labels: Labels): boolean {
  return Object.entries(selector).every(([name, value]) => labels?.[name] === value)
}

function expressionMatches({ key, operator, values = [] }: { key: string; operator: string; values?: string[] }, labels: Labels): boolean {
  const value = labels?.[key]
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      return false
  }
}

export const isEmptySelector = (selector: V1LabelSelector | undefined): boolean =>
  !selector || (Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0)
