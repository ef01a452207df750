import type { Functions } from './functions.ts'
import { CelError } from './syntax.ts'
import type { CelValue } from './values.ts'

const text = (value: CelValue | undefined): value is string => typeof value === 'string'

function pattern(source: string, flags = ''): RegExp {
  const leading = /^\(\?([ims]+)\)/.exec(source)
  try {
    return new RegExp(source.slice(leading?.[0].length ?? 0).replace(/\(\?P</g, '(?<'), `${leading?.[1] ?? ''}${flags}`)
  } catch {
    throw new CelError(`error parsing regexp: ${source}`)
  }
}

function slice(value: string, from: CelValue | undefined, to: CelValue | undefined): string | undefined {
  const characters = [...value]
  const [start, end] = [Number(from ?? 0n), Number(to ?? BigInt(characters.length))]
  if (start < 0 || end > characters.length) throw new CelError(`index out of range: ${start < 0 ? start : end}`)
  if (start > end) throw new CelError(`invalid substring range. start: ${start}, end: ${end}`)
  return characters.slice(start, end).join('')
}

function format(template: string, values: CelValue[]): string {
  let next = 0
  return template.replace(/%(%|s|d|x|X|o|b|e|\.?\d*f)/g, (whole, verb: string) => {
    if (verb === '%') return '%'
    const value = values[next++]
    if (value === undefined) throw new CelError(`index ${next - 1} out of range`)
    if (verb.endsWith('f')) return Number(value).toFixed(verb.length > 1 ? Number(verb.replace(/[.f]/g, '')) : 6)
    if (verb === 'x' || verb === 'X') {
      const hex = typeof value === 'bigint' ? value.toString(16) : Buffer.from(String(value)).toString('hex')
      return verb === 'X' ? hex.toUpperCase() : hex
    }
    if (verb === 'b' && typeof value === 'bigint') return value.toString(2)
    if (verb === 'o' && typeof value === 'bigint') return value.toString(8)
    return whole === '%e' ? Number(value).toExponential(6) : shown(value)
  })
}

function shown(value: CelValue): string {
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`
  if (value instanceof Map) return `{${[...value].map(([key, one]) => `${shown(key)}: ${shown(one)}`).join(', ')}}`
  return String(value)
}

const isAbout = (test: (a: string, b: string) => boolean) => (a?: CelValue, b?: CelValue) => (text(a) && text(b) ? test(a, b) : undefined)
const place = (find: (value: string, part: string, from: number | undefined) => number) => (value?: CelValue, part?: CelValue, from?: CelValue) =>
  text(value) && text(part) ? BigInt(find(value, part, from === undefined ? undefined : Number(from))) : undefined
const change = (make: (value: string) => string) => (value?: CelValue) => (text(value) ? make(value) : undefined)

export const stringFunctions: Functions = {
  '.contains': isAbout((a, b) => a.includes(b)),
  '.startsWith': isAbout((a, b) => a.startsWith(b)),
  '.endsWith': isAbout((a, b) => a.endsWith(b)),
  '.matches': isAbout((a, b) => pattern(b).test(a)),
  matches: isAbout((a, b) => pattern(b).test(a)),
  '.find': (value, source) => (text(value) && text(source) ? (pattern(source).exec(value)?.[0] ?? '') : undefined),
  '.findAll'(value, source, limit) {
    if (!text(value) || !text(source)) return undefined
    const all = [...value.matchAll(pattern(source, 'g'))].map(([found]) => found)
    return limit === undefined || Number(limit) < 0 ? all : all.slice(0, Number(limit))
  },
  '.charAt': (value, at) => (text(value) ? slice(value, at, BigInt(Math.min([...value].length, Number(at) + 1))) : undefined),
  '.indexOf': place((value, part, from) => value.indexOf(part, from)),
  '.lastIndexOf': place((value, part, from) => value.lastIndexOf(part, from)),
  '.lowerAscii': change((value) => value.replace(/[A-Z]/g, (one) => one.toLowerCase())),
  '.upperAscii': change((value) => value.replace(/[a-z]/g, (one) => one.toUpperCase())),
  '.trim': change((value) => value.trim()),
  '.reverse': change((value) => [...value].reverse().join('')),
  '.replace'(value, before, after, limit) {
    if (!text(value) || !text(before) || !text(after)) return undefined
    let left = limit === undefined || Number(limit) < 0 ? Number.POSITIVE_INFINITY : Number(limit)
    return value.split(before).reduce((made, part) => made + (left-- > 0 ? after : before) + part)
  },
  '.split'(value, separator, limit) {
    if (!text(value) || !text(separator)) return undefined
    const pieces = separator === '' ? [...value] : value.split(separator)
    const most = limit === undefined ? -1 : Number(limit)
    if (most < 0 || pieces.length <= most) return pieces
    return most === 0 ? [] : [...pieces.slice(0, most - 1), pieces.slice(most - 1).join(separator)]
  },
  '.substring': (value, from, to) => (text(value) ? slice(value, from, to) : undefined),
  '.join': (value, separator = '') => (Array.isArray(value) && value.every(text) && text(separator) ? value.join(separator) : undefined),
  '.format': (value, values) => (text(value) && Array.isArray(values) ? format(value, values) : undefined),
}
