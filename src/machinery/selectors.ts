/** Label selectors: matched against the labels of an object, made from text or from the API's object. */
import { isLabelValue, isQualifiedName } from './labels.ts'
import type { V1LabelSelector } from './schema/generated/types.ts'
import { parseRequirements } from './selector-text.ts'

export type Operator = 'in' | 'notin' | '=' | '==' | '!=' | 'gt' | 'lt' | 'exists' | '!'

export interface Requirement {
  key: string
  operator: Operator
  values: readonly string[]
}

export type Labels = Readonly<Record<string, string>>

/** All requirements must hold; without any, everything matches. */
export interface LabelSelector {
  readonly requirements: readonly Requirement[]
  matches(labels: Labels | undefined): boolean
  /** As a query parameter; upstream's canonical form. */
  toString(): string
}

export class SelectorError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SelectorError'
  }
}

const noLabels: Labels = {}

export function labelSelector(requirements: readonly Requirement[]): LabelSelector {
  const sorted = [...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return {
    requirements: sorted,
    matches(labels = noLabels) {
      for (const requirement of sorted) if (!holds(requirement, labels)) return false
      return true
    },
    toString: () => sorted.map(text).join(','),
  }
}

/** Matches all. */
export const everything: LabelSelector = labelSelector([])

/** Of the text of a query parameter. Throws {@link SelectorError} with upstream's message. */
export function parseLabelSelector(source: string): LabelSelector {
  return source === '' ? everything : labelSelector(parseRequirements(source).map((one) => checked(one)))
}

/** Whether an API selector matches. As upstream: an absent one matches nothing, an empty one everything. */
export function matchesLabelSelector(selector: V1LabelSelector | undefined, labels: Labels | undefined): boolean {
  if (selector === undefined) return false
  const given = labels ?? noLabels
  for (const key in selector.matchLabels) if (!has(given, key) || given[key] !== selector.matchLabels[key]) return false
  for (const expression of selector.matchExpressions ?? []) {
    const operator = operators[expression.operator]
    if (operator === undefined || !holds({ key: expression.key, operator, values: expression.values ?? [] }, given)) return false
  }
  return true
}

const operators: Record<string, Operator> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' }

/** Of an API selector; absent: it matches nothing. Throws {@link SelectorError} for a wrong one. */
export function fromLabelSelector(selector: V1LabelSelector | undefined): LabelSelector {
  if (selector === undefined) return nothing
  const requirements: Requirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({ key, operator: '=', values: [value] }))
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const known = operators[operator]
    if (known === undefined) throw new SelectorError(`"${operator}" is not a valid label selector operator`)
    requirements.push({ key, operator: known, values })
  }
  return labelSelector(requirements.map((one) => checked(one)))
}

/** Matches none. */
export const nothing: LabelSelector = { requirements: [], matches: () => false, toString: () => '' }

/** As the text of a query parameter: `app=web,tier in (a,b)`. */
export const labelSelectorToString = (selector: V1LabelSelector | undefined): string => fromLabelSelector(selector).toString()

const has = (labels: Labels, key: string): boolean => Object.hasOwn(labels, key)

function holds({ key, operator, values }: Requirement, labels: Labels): boolean {
  const present = has(labels, key)
  const value = labels[key] ?? ''
  switch (operator) {
    case 'in':
    case '=':
    case '==':
      return present && values.includes(value)
    case 'notin':
    case '!=':
      return !present || !values.includes(value)
    case 'exists':
      return present
    case '!':
      return !present
    case 'gt':
    case 'lt': {
      if (!present || !/^[+-]?\d+$/.test(value)) return false
      const left = BigInt(value.replace('+', ''))
      const right = BigInt((values[0] ?? '0').replace('+', ''))
      return operator === 'gt' ? left > right : left < right
    }
  }
}

function text({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'exists':
      return key
    case '!':
      return `!${key}`
    case 'in':
    case 'notin':
      return `${key} ${operator} (${[...values].sort().join(',')})`
    case 'gt':
      return `${key}>${values[0]}`
    case 'lt':
      return `${key}<${values[0]}`
    default:
      return `${key}${operator}${values[0] ?? ''}`
  }
}

function checked(requirement: Requirement): Requirement {
  const { key, operator, values } = requirement
  const wrongKey = isQualifiedName(key)
  if (wrongKey.length) throw new SelectorError(`key: Invalid value: ${JSON.stringify(key)}: ${wrongKey.join('; ')}`)
  const wrong = (detail: string) => new SelectorError(`values: Invalid value: ${JSON.stringify(values)}: ${detail}`)
  if ((operator === 'in' || operator === 'notin') && values.length === 0) throw wrong("for 'in', 'notin' operators, values set can't be empty")
  if ((operator === 'exists' || operator === '!') && values.length) throw wrong('values set must be empty for exists and does not exist')
  if ((operator === '=' || operator === '==' || operator === '!=') && values.length !== 1) throw wrong('exact-match compatibility requires one single value')
  if (operator === 'gt' || operator === 'lt') {
    if (values.length !== 1) throw wrong("for 'Gt', 'Lt' operators, exactly one value is required")
    if (!/^[+-]?\d+$/.test(values[0] ?? ''))
      throw new SelectorError(`values[0]: Invalid value: ${JSON.stringify(values[0])}: for 'Gt', 'Lt' operators, the value must be an integer`)
  }
  values.forEach((value, index) => {
    const messages = isLabelValue(value)
    if (messages.length) throw new SelectorError(`values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${messages.join('; ')}`)
  })
  return requirement
}
