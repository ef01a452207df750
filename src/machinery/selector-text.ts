/** Reads the text of a label selector: `a=b,c!=d,e in (f,g),h,!i,j>1`. The words of errors are upstream's. */
import type { Operator, Requirement } from './selectors.ts'
import { SelectorError } from './selectors.ts'

type Token = { kind: 'identifier' | 'in' | 'notin' | '=' | '==' | '!=' | '!' | '(' | ')' | ',' | '>' | '<' | 'end' | 'error'; text: string }

const special = /[=!(),><]/
const symbols = ['==', '!=', '=', '!', '(', ')', ',', '>', '<'] as const

function tokens(source: string): Token[] {
  const result: Token[] = []
  let at = 0
  while (at < source.length) {
    const char = source.charAt(at)
    if (/[ \t\r\n]/.test(char)) {
      at++
      continue
    }
    if (special.test(char)) {
      const symbol = symbols.find((one) => source.startsWith(one, at))
      if (symbol === undefined) break
      result.push({ kind: symbol, text: symbol })
      at += symbol.length
      continue
    }
    const text = /^[^=!(),><\s]+/.exec(source.slice(at))?.[0] ?? char
    result.push({ kind: text === 'in' || text === 'notin' ? text : 'identifier', text })
    at += text.length
  }
  return result
}

class Reader {
  readonly #tokens: Token[]
  #at = 0

  constructor(source: string) {
    this.#tokens = tokens(source)
  }

  /** Where a name or value may stand, `in` and `notin` are names too. */
  look(asName = true): Token {
    const token = this.#tokens[this.#at] ?? { kind: 'end', text: '' }
    return asName && (token.kind === 'in' || token.kind === 'notin') ? { kind: 'identifier', text: token.text } : token
  }

  take(asName = true): Token {
    const token = this.look(asName)
    this.#at++
    return token
  }
}

export function parseRequirements(source: string): Requirement[] {
  const reader = new Reader(source)
  const requirements: Requirement[] = []
  for (;;) {
    const token = reader.look()
    if (token.kind === 'end') return requirements
    if (token.kind !== 'identifier' && token.kind !== '!') throw new SelectorError(`found '${token.text}', expected: !, identifier, or 'end of string'`)
    try {
      requirements.push(requirement(reader))
    } catch (error) {
      if (error instanceof SelectorError) throw new SelectorError(`unable to parse requirement: ${error.message}`)
      throw error
    }
    const next = reader.take()
    if (next.kind === 'end') return requirements
    if (next.kind !== ',') throw new SelectorError(`found '${next.text}', expected: ',' or 'end of string'`)
    const after = reader.look()
    if (after.kind !== 'identifier' && after.kind !== '!') throw new SelectorError(`found '${after.text}', expected: identifier after ','`)
  }
}

function requirement(reader: Reader): Requirement {
  let token = reader.take()
  const absent = token.kind === '!'
  if (absent) token = reader.take()
  if (token.kind !== 'identifier') throw new SelectorError(`found '${token.text}', expected: identifier`)
  const key = token.text
  if (absent) return { key, operator: '!', values: [] }
  const next = reader.look()
  if (next.kind === 'end' || next.kind === ',') return { key, operator: 'exists', values: [] }
  const operator = operatorOf(reader.take(false))
  const values = operator === 'in' || operator === 'notin' ? list(reader) : [exactValue(reader)]
  return { key, operator, values }
}

function operatorOf(token: Token): Operator {
  switch (token.kind) {
    case 'in':
    case 'notin':
    case '=':
    case '==':
    case '!=':
      return token.kind
    case '>':
      return 'gt'
    case '<':
      return 'lt'
    default:
      throw new SelectorError(`found '${token.text}', expected: in, notin, =, ==, !=, gt, lt`)
  }
}

function exactValue(reader: Reader): string {
  const next = reader.look()
  if (next.kind === 'end' || next.kind === ',') return ''
  const token = reader.take()
  if (token.kind !== 'identifier') throw new SelectorError(`found '${token.text}', expected: identifier`)
  return token.text
}

/** `(a,b)`; nothing between commas is the empty value. */
function list(reader: Reader): string[] {
  const open = reader.take()
  if (open.kind !== '(') throw new SelectorError(`found '${open.text}' expected: '('`)
  const values = new Set<string>()
  let wantsValue = true
  for (;;) {
    const token = reader.take()
    if (token.kind === 'identifier' && wantsValue) {
      values.add(token.text)
      wantsValue = false
    } else if (token.kind === ',') {
      if (wantsValue) values.add('')
      wantsValue = true
    } else if (token.kind === ')') {
      if (wantsValue) values.add('')
      return [...values].sort()
    } else if (wantsValue && values.size === 0) throw new SelectorError(`found '${token.text}', expected: ',', ')' or identifier`)
    else throw new SelectorError(`found '${token.text}', expected: ${wantsValue ? "',', or identifier" : "',' or ')'"}`)
  }
}
