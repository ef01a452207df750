/** Evaluates an expression. */

import { arithmetic } from './arithmetic.ts'
import { comprehension, isComprehension } from './comprehensions.ts'
import { callFunction } from './functions.ts'
import { CelError, type Expression } from './syntax.ts'
import { type CelValue, compareValues, equalValues, lookUp, Optional } from './values.ts'

/** Variables by name; each scope of a macro adds its own. */
export interface Scope {
  readonly variables: ReadonlyMap<string, CelValue>
  readonly outer?: Scope
  /** Counts steps, and throws when there are too many: a rule must not hold up the server. */
  readonly budget: { left: number }
}

export function evaluate(expression: Expression, scope: Scope): CelValue {
  if (--scope.budget.left < 0) throw new CelError('operation cancelled: actual cost limit exceeded')
  switch (expression.kind) {
    case 'literal':
      return expression.value
    case 'identifier':
      return variable(expression.name, scope)
    case 'select':
      return select(evaluate(expression.operand, scope), expression.field, expression.optional)
    case 'index':
      return index(evaluate(expression.operand, scope), evaluate(expression.index, scope), expression.optional)
    case 'list':
      return expression.items.map((item) => evaluate(item, scope))
    case 'map':
      return new Map(expression.entries.map(([key, value]) => [evaluate(key, scope), evaluate(value, scope)]))
    case 'conditional':
      return evaluate(truth(evaluate(expression.condition, scope)) ? expression.then : expression.otherwise, scope)
    case 'unary': {
      const operand = evaluate(expression.operand, scope)
      if (expression.operator === '!') return !truth(operand)
      if (typeof operand === 'bigint' || typeof operand === 'number') return -operand
      throw new CelError('no such overload')
    }
    case 'binary':
      return binary(expression, scope)
    case 'call':
      return call(expression, scope)
  }
}

export function truth(value: CelValue): boolean {
  if (typeof value !== 'boolean') throw new CelError('no such overload')
  return value
}

function variable(name: string, scope: Scope): CelValue {
  for (let at: Scope | undefined = scope; at; at = at.outer) {
    const value = at.variables.get(name)
    if (value !== undefined) return value
  }
  throw new CelError(`undeclared reference to '${name}' (in container '')`)
}

const escapes: Readonly<Record<string, string>> = { __dot__: '.', __dash__: '-', __slash__: '/', __underscores__: '__' }

/** Fields whose names are no identifiers are written with escapes, keywords between underscores. */
export function fieldName(name: string): string {
  const keyword = /^__([a-z]+)__$/.exec(name)
  if (keyword?.[1] && !(name in escapes)) return keyword[1]
  return name.includes('__') ? name.replace(/__(dot|dash|slash|underscores)__/g, (one) => escapes[one] ?? one) : name
}

export function select(operand: CelValue, field: string, optional = false): CelValue {
  if (operand instanceof Optional) {
    const inner = operand.value
    const found = inner instanceof Map ? inner.get(fieldName(field)) : undefined
    return new Optional(found)
  }
  if (!(operand instanceof Map)) throw new CelError('no such overload')
  const found = operand.get(fieldName(field))
  if (optional) return new Optional(found)
  if (found === undefined) throw new CelError(`no such key: ${fieldName(field)}`)
  return found
}

function index(operand: CelValue, key: CelValue, optional: boolean): CelValue {
  const chained = operand instanceof Optional
  const container = chained ? operand.value : operand
  const found = container === undefined ? undefined : entry(container, key)
  if (optional || chained) return new Optional(found)
  if (found !== undefined) return found
  throw new CelError(Array.isArray(container) ? `index out of bounds: ${String(key)}` : `no such key: ${String(key)}`)
}

function entry(container: CelValue, key: CelValue): CelValue | undefined {
  if (container instanceof Map) return lookUp(container, key)
  if (!Array.isArray(container)) throw new CelError('no such overload')
  if (typeof key !== 'bigint' && !(typeof key === 'number' && Number.isInteger(key))) throw new CelError('no such overload')
  return container[Number(key)]
}

function binary({ operator, left, right }: Expression & { kind: 'binary' }, scope: Scope): CelValue {
  if (operator === '&&' || operator === '||') return logical(operator === '||', left, right, scope)
  const [a, b] = [evaluate(left, scope), evaluate(right, scope)]
  switch (operator) {
    case '==':
      return equalValues(a, b)
    case '!=':
      return !equalValues(a, b)
    case '<':
      return compareValues(a, b) < 0
    case '<=':
      return compareValues(a, b) <= 0
    case '>':
      return compareValues(a, b) > 0
    case '>=':
      return compareValues(a, b) >= 0
    case 'in':
      if (Array.isArray(b)) return b.some((item) => equalValues(item, a))
      if (b instanceof Map) return lookUp(b, a) !== undefined
      throw new CelError('no such overload')
    default:
      return arithmetic(operator, a, b)
  }
}

/** One side alone may decide, whichever it is: an error of the other counts only when it does not. */
function logical(decisive: boolean, left: Expression, right: Expression, scope: Scope): boolean {
  let failure: unknown
  try {
    if (truth(evaluate(left, scope)) === decisive) return decisive
  } catch (error) {
    failure = error
  }
  if (truth(evaluate(right, scope)) === decisive) return decisive
  if (failure) throw failure
  return !decisive
}

function call(expression: Expression & { kind: 'call' }, scope: Scope): CelValue {
  if (isComprehension(expression)) return comprehension(expression, scope)
  const { target } = expression
  // Functions of a library: `sets.contains(…)`.
  if (target?.kind === 'identifier' && !isVariable(target.name, scope))
    return callFunction(
      `${target.name}.${expression.function}`,
      undefined,
      expression.arguments.map((one) => evaluate(one, scope)),
    )
  const receiver = target && evaluate(target, scope)
  return callFunction(
    expression.function,
    receiver,
    expression.arguments.map((one) => evaluate(one, scope)),
  )
}

function isVariable(name: string, scope: Scope): boolean {
  for (let at: Scope | undefined = scope; at; at = at.outer) if (at.variables.has(name)) return true
  return false
}
