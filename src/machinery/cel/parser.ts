/** Reads an expression of the Common Expression Language. Throws {@link CelSyntaxError}. */
import { type Token, tokens } from './lexer.ts'
import { type BinaryOperator, CelSyntaxError, type Expression } from './syntax.ts'

/** From the weakest to the strongest. */
const levels: readonly (readonly BinaryOperator[])[] = [['||'], ['&&'], ['==', '!=', '<', '<=', '>', '>=', 'in'], ['+', '-'], ['*', '/', '%']]
const constants: Readonly<Record<string, null | boolean>> = { true: true, false: false, null: null }
const deepest = 250

export function parseExpression(text: string): Expression {
  return new Parser(tokens(text)).whole()
}

class Parser {
  readonly #tokens: Token[]
  #at = 0
  #depth = 0

  constructor(all: Token[]) {
    this.#tokens = all
  }

  whole(): Expression {
    const expression = this.#conditional()
    const rest = this.#peek()
    if (rest.kind !== 'end') throw new CelSyntaxError(`extraneous input ${shown(rest)}`, rest.at)
    return expression
  }

  #conditional(): Expression {
    if (++this.#depth > deepest) throw new CelSyntaxError('expression recursion limit exceeded', this.#peek().at)
    const condition = this.#binary(0)
    let made = condition
    if (this.#take('?')) {
      const then = this.#binary(0)
      this.#expect(':')
      made = { kind: 'conditional', condition, then, otherwise: this.#conditional() }
    }
    this.#depth--
    return made
  }

  #binary(level: number): Expression {
    const operators = levels[level]
    if (!operators) return this.#unary()
    let left = this.#binary(level + 1)
    for (;;) {
      const operator = operators.find((one) => (one === 'in' ? this.#takeWord('in') : this.#take(one)))
      if (!operator) return left
      left = { kind: 'binary', operator, left, right: this.#binary(level + 1) }
    }
  }

  #unary(): Expression {
    for (const operator of ['!', '-'] as const) {
      if (!this.#take(operator)) continue
      const operand = this.#unary()
      if (operator === '-' && operand.kind === 'literal' && (typeof operand.value === 'bigint' || typeof operand.value === 'number'))
        return { kind: 'literal', value: -operand.value }
      return { kind: 'unary', operator, operand }
    }
    return this.#member()
  }

  #member(): Expression {
    let operand = this.#primary()
    for (;;) {
      const optional = this.#take('.?')
      if (optional || this.#take('.')) {
        const field = this.#identifier()
        operand =
          !optional && this.#take('(')
            ? { kind: 'call', target: operand, function: field, arguments: this.#list(')') }
            : { kind: 'select', operand, field, optional }
        continue
      }
      const optionalIndex = this.#take('[?')
      if (optionalIndex || this.#take('[')) {
        const index = this.#conditional()
        this.#expect(']')
        operand = { kind: 'index', operand, index, optional: optionalIndex }
        continue
      }
      return operand
    }
  }

  #primary(): Expression {
    const token = this.#peek()
    switch (token.kind) {
      case 'int':
      case 'double':
      case 'string':
      case 'bytes':
        this.#at++
        return { kind: 'literal', value: token.value }
      case 'identifier': {
        this.#at++
        if (token.text in constants) return { kind: 'literal', value: constants[token.text] ?? null }
        if (this.#take('(')) return { kind: 'call', target: undefined, function: token.text, arguments: this.#list(')') }
        return { kind: 'identifier', name: token.text }
      }
      default:
    }
    if (this.#take('(')) {
      const inner = this.#conditional()
      this.#expect(')')
      return inner
    }
    if (this.#take('[')) return { kind: 'list', items: this.#list(']') }
    if (this.#take('{')) return this.#map()
    throw new CelSyntaxError(`mismatched input ${shown(token)}`, token.at)
  }

  #map(): Expression {
    const entries: [Expression, Expression][] = []
    while (!this.#take('}')) {
      const key = this.#conditional()
      this.#expect(':')
      entries.push([key, this.#conditional()])
      if (!this.#take(',')) {
        this.#expect('}')
        break
      }
    }
    return { kind: 'map', entries }
  }

  #list(end: ')' | ']'): Expression[] {
    const items: Expression[] = []
    while (!this.#take(end)) {
      items.push(this.#conditional())
      if (!this.#take(',')) {
        this.#expect(end)
        break
      }
    }
    return items
  }

  #identifier(): string {
    const token = this.#peek()
    if (token.kind !== 'identifier') throw new CelSyntaxError(`mismatched input ${shown(token)} expecting IDENTIFIER`, token.at)
    this.#at++
    return token.text
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', at: 0 }
  }

  #take(operator: string): boolean {
    const token = this.#peek()
    if (token.kind !== 'operator' || token.text !== operator) return false
    this.#at++
    return true
  }

  #takeWord(text: string): boolean {
    const token = this.#peek()
    if (token.kind !== 'identifier' || token.text !== text) return false
    this.#at++
    return true
  }

  #expect(operator: string): void {
    if (!this.#take(operator)) throw new CelSyntaxError(`missing '${operator}' at ${shown(this.#peek())}`, this.#peek().at)
  }
}

function shown(token: Token): string {
  if (token.kind === 'end') return "'<EOF>'"
  return `'${'text' in token ? token.text : String(token.value)}'`
}
