/**
 * JSONPath as the API uses it, for columns and scale paths of custom resources: `.spec.containers[*].name`,
 * `.status.conditions[?(@.type=="Ready")].status`, `['a','b']`, `[0:2]`, `..name`; braces around are allowed.
 */
import { isObject } from './patch/json-value.ts'

/** All values that the path finds in a value; missing fields find nothing. */
export type JsonPath = (value: unknown) => unknown[]

type Step = (values: unknown[]) => unknown[]

export class JsonPathError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'JsonPathError'
  }
}

export function parseJsonPath(source: string): JsonPath {
  const text = source.startsWith('{') && source.endsWith('}') ? source.slice(1, -1) : source
  const steps = new Parser(text).steps()
  return (value) => steps.reduce((values, step) => step(values), [value])
}

/** How values stand in a cell: texts as they are, everything else as JSON, several separated by blanks. */
export function printJsonPath(values: readonly unknown[]): string {
  return values.map((value) => (typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value))).join(' ')
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text.trim()
  }

  steps(): Step[] {
    const steps: Step[] = []
    while (this.#at < this.#text.length) {
      if (this.#take('$') || this.#take('@')) continue
      if (this.#take('..')) {
        steps.push(descend)
        if (!'[*'.includes(this.#peek()) || this.#peek() === '') steps.push(field(this.#name()))
        else if (this.#take('*')) steps.push(all)
      } else if (this.#take('.')) {
        if (this.#take('*')) steps.push(all)
        else if (this.#peek() !== '[' && this.#peek() !== '') steps.push(field(this.#name()))
      } else if (this.#take('[')) steps.push(this.#bracket())
      else if (steps.length === 0) steps.push(field(this.#name()))
      else throw this.#wrong(`unrecognized character in action: ${JSON.stringify(this.#peek())}`)
    }
    return steps
  }

  #bracket(): Step {
    const end = closing(this.#text, this.#at)
    if (end < 0) throw this.#wrong('unterminated array')
    const inside = this.#text.slice(this.#at, end).trim()
    this.#at = end + 1
    if (inside === '*') return all
    const filter = /^\?\((.*)\)$/s.exec(inside)
    if (filter) return filtered(filter[1] ?? '')
    const parts = split(inside)
    const steps = parts.map((part) => {
      const quoted = /^(['"])(.*)\1$/s.exec(part)
      if (quoted) return field((quoted[2] ?? '').replace(/\\(.)/g, '$1'))
      const slice = /^(-?\d*)(?::(-?\d*))?(?::(-?\d*))?$/.exec(part)
      if (!slice || part === '') throw this.#wrong(`invalid array index ${part}`)
      return sliced(slice[1], slice[2], slice[3], part.includes(':'))
    })
    return (values) => values.flatMap((value) => steps.flatMap((step) => step([value])))
  }

  #name(): string {
    let name = ''
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#peek()
      if (char === '\\') name += this.#text.charAt(++this.#at)
      else if (/[.[\]|,\s{}()=!<>&@$]/.test(char)) break
      else name += char
    }
    if (name === '') throw this.#wrong('a field name is missing')
    return name
  }

  #peek(): string {
    return this.#text.charAt(this.#at)
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #wrong(message: string): JsonPathError {
    return new JsonPathError(`${message} (in ${this.#text})`)
  }
}

const field =
  (name: string): Step =>
  (values) =>
    values.flatMap((value) => (isObject(value) && Object.hasOwn(value, name) ? [value[name]] : []))

const all: Step = (values) => values.flatMap((value) => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []))

/** Every value on any level. */
const descend: Step = (values) => values.flatMap((value) => [value, ...descend(all([value]))])

function sliced(from: string | undefined, to: string | undefined, step: string | undefined, isRange: boolean): Step {
  const by = step ? Number(step) : 1
  return (values) =>
    values.flatMap((value) => {
      if (!Array.isArray(value)) return []
      const place = (text: string | undefined, absent: number) =>
        text === undefined || text === '' ? absent : Number(text) < 0 ? Number(text) + value.length : Number(text)
      const start = place(from, 0)
      if (!isRange) return start >= 0 && start < value.length ? [value[start]] : []
      return value.slice(Math.max(start, 0), Math.max(place(to, value.length), 0)).filter((_, index) => by > 0 && index % by === 0)
    })
}

function filtered(condition: string): Step {
  const match = /^(.*?)\s*(==|!=|<=|>=|<|>)\s*(.*)$/s.exec(condition)
  const left = operand((match?.[1] ?? condition).trim())
  const right = match ? operand((match[3] ?? '').trim()) : undefined
  return (values) =>
    values
      .flatMap((value) => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []))
      .filter((item) => {
        const [found] = left(item)
        if (right === undefined || match === null) return found !== undefined
        const [wanted] = right(item)
        return found !== undefined && wanted !== undefined && compared(found, match[2] ?? '', wanted)
      })
}

function operand(text: string): JsonPath {
  const quoted = /^(['"])(.*)\1$/s.exec(text)
  if (quoted) return () => [quoted[2]]
  if (/^-?\d+(\.\d+)?$/.test(text)) return () => [Number(text)]
  if (text === 'true' || text === 'false') return () => [text === 'true']
  return parseJsonPath(text)
}

function compared(left: unknown, operator: string, right: unknown): boolean {
  const comparable = typeof left === typeof right && (typeof left === 'number' || typeof left === 'string')
  switch (operator) {
    case '==':
      return left === right
    case '!=':
      return left !== right
    case '<':
      return comparable && left < (right as typeof left)
    case '>':
      return comparable && left > (right as typeof left)
    case '<=':
      return comparable && left <= (right as typeof left)
    default:
      return comparable && left >= (right as typeof left)
  }
}

/** Where the bracket that is open at `from` closes, quotes and inner brackets respected. */
function closing(text: string, from: number): number {
  let depth = 1
  let quote = ''
  for (let at = from; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === '\\') at++
    else if (quote) quote = char === quote ? '' : quote
    else if (char === '"' || char === "'") quote = char
    else if (char === '[') depth++
    else if (char === ']' && --depth === 0) return at
  }
  return -1
}

/** At commas outside of quotes. */
function split(text: string): string[] {
  return (text.match(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,]+/g) ?? ['']).map((part) => part.trim()).filter((part) => part !== '')
}
