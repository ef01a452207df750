/** The Common Expression Language, as rules of custom resources and admission policies are written in. */
import { evaluate } from './evaluate.ts'
import { parseExpression } from './parser.ts'
import type { Expression } from './syntax.ts'
import type { CelValue } from './values.ts'

export interface Program {
  /** Throws CelError. */
  evaluate(variables: Readonly<Record<string, CelValue>>): CelValue
  /** Whether the expression speaks of this variable. */
  mentions(name: string): boolean
}

/** So many steps, and an evaluation is given up. */
const budget = 1_000_000

/** Throws CelSyntaxError. */
export function compile(text: string): Program {
  const expression = parseExpression(text)
  return {
    evaluate: (variables) => evaluate(expression, { variables: new Map(Object.entries(variables)), budget: { left: budget } }),
    mentions: (name) => mentions(expression, name),
  }
}

function mentions(expression: Expression, name: string): boolean {
  const within = (one: Expression) => mentions(one, name)
  switch (expression.kind) {
    case 'literal':
      return false
    case 'identifier':
      return expression.name === name
    case 'select':
      return within(expression.operand)
    case 'index':
      return within(expression.operand) || within(expression.index)
    case 'call':
      return (expression.target !== undefined && within(expression.target)) || expression.arguments.some(within)
    case 'list':
      return expression.items.some(within)
    case 'map':
      return expression.entries.some(([key, value]) => within(key) || within(value))
    case 'unary':
      return within(expression.operand)
    case 'binary':
      return within(expression.left) || within(expression.right)
    case 'conditional':
      return within(expression.condition) || within(expression.then) || within(expression.otherwise)
  }
}
