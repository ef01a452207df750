import type { Functions } from './functions.ts'
import { CelError } from './syntax.ts'
import { durationText, parseDuration } from './time-functions.ts'
import { type CelValue, Duration, Optional, Timestamp, TypeValue, typeName } from './values.ts'

function toInt(value: CelValue): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return BigInt(Math.trunc(value))
  if (value instanceof Timestamp) return BigInt(Math.floor(value.ms / 1000))
  if (typeof value !== 'string') return undefined
  if (!/^[+-]?\d+$/.test(value)) throw new CelError(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`)
  return BigInt(value)
}

function toDouble(value: CelValue): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'string') return undefined
  const number = Number(value)
  if (value.trim() === '' || Number.isNaN(number)) throw new CelError(`strconv.ParseFloat: parsing ${JSON.stringify(value)}: invalid syntax`)
  return number
}

function toText(value: CelValue): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean' || typeof value === 'bigint' || typeof value === 'number') return String(value)
  if (value instanceof Uint8Array) return new TextDecoder().decode(value)
  if (value instanceof Timestamp) return new Date(value.ms).toISOString().replace('.000Z', 'Z')
  return value instanceof Duration ? durationText(value) : undefined
}

function size(value: CelValue): bigint | undefined {
  if (typeof value === 'string') return BigInt([...value].length)
  if (Array.isArray(value) || value instanceof Uint8Array) return BigInt(value.length)
  return value instanceof Map ? BigInt(value.size) : undefined
}

const isZero = (value: CelValue) => value === null || value === false || value === 0n || value === 0 || value === '' || size(value) === 0n

export const conversionFunctions: Functions = {
  size: (value = null) => size(value),
  '.size': (value = null) => size(value),
  int: (value = null) => toInt(value),
  uint: (value = null) => toInt(value),
  double: (value = null) => toDouble(value),
  string: (value = null) => toText(value),
  bool: (value = null) => (typeof value === 'boolean' ? value : typeof value === 'string' ? /^(1|t|T|true|TRUE|True)$/.test(value) : undefined),
  bytes: (value = null) => (typeof value === 'string' ? new TextEncoder().encode(value) : value instanceof Uint8Array ? value : undefined),
  dyn: (value = null) => value,
  type: (value = null) => new TypeValue(typeName(value)),
  timestamp(value = null) {
    if (value instanceof Timestamp) return value
    if (typeof value === 'bigint') return new Timestamp(Number(value) * 1000)
    if (typeof value !== 'string') return undefined
    const ms = Date.parse(value)
    if (Number.isNaN(ms)) throw new CelError(`parsing time ${JSON.stringify(value)}`)
    return new Timestamp(ms)
  },
  duration: (value = null) => (value instanceof Duration ? value : typeof value === 'string' ? parseDuration(value) : undefined),
  'optional.of': (value = null) => new Optional(value),
  'optional.none': () => new Optional(),
  'optional.ofNonZeroValue': (value = null) => (isZero(value) ? new Optional() : new Optional(value)),
  '.hasValue': (value = null) => (value instanceof Optional ? value.value !== undefined : undefined),
  '.value'(value = null) {
    if (!(value instanceof Optional)) return undefined
    if (value.value === undefined) throw new CelError('optional.none() dereference')
    return value.value
  },
  '.orValue': (value = null, otherwise = null) => (value instanceof Optional ? (value.value ?? otherwise) : undefined),
  '.or': (value = null, otherwise = null) => (value instanceof Optional ? (value.value === undefined ? otherwise : value) : undefined),
}
