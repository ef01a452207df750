/** Cuts an expression into tokens. */
import { CelSyntaxError } from './syntax.ts'

export type Token =
  | { kind: 'identifier'; text: string; at: number }
  | { kind: 'operator'; text: string; at: number }
  | { kind: 'int'; value: bigint; at: number }
  | { kind: 'double'; value: number; at: number }
  | { kind: 'string'; value: string; at: number }
  | { kind: 'bytes'; value: Uint8Array; at: number }
  | { kind: 'end'; at: number }

const operators = ['||', '&&', '==', '!=', '<=', '>=', '.?', '[?', '<', '>', '+', '-', '*', '/', '%', '!', '?', ':', '.', ',', '(', ')', '[', ']', '{', '}']
const space = /[\s]|\/\/[^\n]*/y
const number = /0x[0-9a-fA-F]+u?|\d*\.\d+([eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+u?/y
const word = /[A-Za-z_][A-Za-z0-9_]*/y
const quote = /([rR]?[bB]?|[bB]?[rR]?)("""|'''|"|')/y

export function tokens(text: string): Token[] {
  const found: Token[] = []
  let at = 0
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    return pattern.exec(text)
  }
  while (at < text.length) {
    const blank = match(space)
    if (blank) {
      at += blank[0].length
      continue
    }
    const opening = match(quote)
    if (opening) {
      const { token, end } = readText(text, at, opening)
      found.push(token)
      at = end
      continue
    }
    const digits = match(number)
    if (digits) {
      found.push(numberToken(digits[0], at))
      at += digits[0].length
      continue
    }
    const name = match(word)
    if (name) {
      found.push({ kind: 'identifier', text: name[0], at })
      at += name[0].length
      continue
    }
    const operator = operators.find((one) => text.startsWith(one, at))
    if (operator === undefined) throw new CelSyntaxError(`token recognition error at: '${text[at] ?? ''}'`, at)
    found.push({ kind: 'operator', text: operator, at })
    at += operator.length
  }
  found.push({ kind: 'end', at })
  return found
}

function numberToken(text: string, at: number): Token {
  if (/^(0x[0-9a-fA-F]+|\d+)u?$/.test(text)) return { kind: 'int', value: BigInt(text.replace(/u$/, '')), at }
  return { kind: 'double', value: Number(text), at }
}

function readText(text: string, start: number, [opening, prefix = '', mark = '']: RegExpExecArray): { token: Token; end: number } {
  const raw = /r/i.test(prefix)
  let at = start + opening.length
  let value = ''
  while (!text.startsWith(mark, at)) {
    const character = text[at]
    if (character === undefined || (mark.length === 1 && character === '\n')) throw new CelSyntaxError('a text does not end', start)
    if (character !== '\\' || raw) {
      value += character
      at++
      continue
    }
    const escaped = readEscape(text, at)
    value += escaped.value
    at += escaped.length
  }
  const token: Token = /b/i.test(prefix) ? { kind: 'bytes', value: new TextEncoder().encode(value), at: start } : { kind: 'string', value, at: start }
  return { token, end: at + mark.length }
}

const simple: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
  '?': '?',
}
const coded = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/y

function readEscape(text: string, at: number): { value: string; length: number } {
  const plain = simple[text[at + 1] ?? '']
  if (plain !== undefined) return { value: plain, length: 2 }
  coded.lastIndex = at
  const found = coded.exec(text)
  if (!found) throw new CelSyntaxError(`unknown escape \\${text[at + 1] ?? ''}`, at)
  const [whole, x, u, long, octal] = found
  const code = octal === undefined ? Number.parseInt(x ?? u ?? long ?? '', 16) : Number.parseInt(octal, 8)
  return { value: String.fromCodePoint(code), length: whole.length }
}
