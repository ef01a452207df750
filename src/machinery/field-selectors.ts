/** Field selectors: `metadata.name=x,status.phase!=Running`. Backslash escapes `,`, `=` and itself. */
import { SelectorError } from './selectors.ts'

export interface FieldRequirement {
  field: string
  operator: '=' | '!='
  value: string
}

export interface FieldSelector {
  readonly requirements: readonly FieldRequirement[]
  /** A field that is not there counts as empty. */
  matches(fields: Readonly<Record<string, string>>): boolean
  /** The value that the field must have, when the selector says so: for lookups by name. */
  requires(field: string): string | undefined
  toString(): string
}

export function fieldSelector(requirements: readonly FieldRequirement[]): FieldSelector {
  return {
    requirements,
    matches: (fields) => requirements.every(({ field, operator, value }) => ((fields[field] ?? '') === value) === (operator === '=')),
    requires: (field) => requirements.find((one) => one.field === field && one.operator === '=')?.value,
    toString: () => requirements.map(({ field, operator, value }) => `${field}${operator}${value.replace(/[\\,=]/g, '\\$&')}`).join(','),
  }
}

/** Throws {@link SelectorError} with upstream's message. */
export function parseFieldSelector(source: string): FieldSelector {
  const requirements: FieldRequirement[] = []
  for (const term of split(source)) {
    if (term === '') continue
    const parts = /^((?:[^\\=!]|\\.|!(?!=))*)(!=|==|=)([\s\S]*)$/.exec(term)
    if (!parts) throw new SelectorError(`invalid selector: '${source}'; can't understand '${term}'`)
    const [, field = '', operator, value = ''] = parts
    requirements.push({ field, operator: operator === '!=' ? '!=' : '=', value: unescaped(value) })
  }
  return fieldSelector(requirements)
}

function split(source: string): string[] {
  const terms: string[] = []
  let term = ''
  for (let at = 0; at < source.length; at++) {
    const char = source.charAt(at)
    if (char === '\\' && at + 1 < source.length) term += char + source.charAt(++at)
    else if (char === ',') {
      terms.push(term)
      term = ''
    } else term += char
  }
  terms.push(term)
  return terms
}

function unescaped(value: string): string {
  let result = ''
  for (let at = 0; at < value.length; at++) {
    const char = value.charAt(at)
    if (char === '\\') {
      const next = value.charAt(++at)
      if (next === '' || !'\\,='.includes(next)) throw new SelectorError(`invalid field selector: invalid escape sequence: \\${next}`)
      result += next
    } else if (char === '=' || char === ',') throw new SelectorError(`invalid field selector: unescaped character in value: ${char}`)
    else result += char
  }
  return result
}
