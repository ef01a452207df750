/**
 * Values of the language: integers are bigint and doubles number, so that they are told apart; maps and objects are
 * Map; lists arrays. Times, durations, quantities and the like are small classes.
 */
import { CelError } from './syntax.ts'

export type CelValue = null | boolean | bigint | number | string | Uint8Array | CelValue[] | Map<CelValue, CelValue> | CelObject

/** What has a type of its own. */
export type CelObject = Timestamp | Duration | Optional | TypeValue | Opaque

export class Timestamp {
  readonly ms: number
  constructor(ms: number) {
    this.ms = ms
  }
}

export class Duration {
  readonly ms: number
  constructor(ms: number) {
    this.ms = ms
  }
}

export class Optional {
  readonly value: CelValue | undefined
  constructor(value?: CelValue) {
    this.value = value
  }
}

export class TypeValue {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** A value of a library (quantity, URL, address), known by its functions alone. */
export class Opaque {
  readonly type: string
  readonly value: unknown
  /** The same for equal values. */
  readonly identity: string
  constructor(type: string, value: unknown, identity: string) {
    this.type = type
    this.value = value
    this.identity = identity
  }
}

/** From JSON without a schema: whole numbers are integers. */
export function fromJson(value: unknown): CelValue {
  if (value === undefined || value === null) return null
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  if (typeof value === 'boolean' || typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(fromJson)
  return new Map(Object.entries(value).map(([name, one]) => [name, fromJson(one)]))
}

export function typeName(value: CelValue): string {
  if (value === null) return 'null_type'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'double'
  if (typeof value === 'string') return 'string'
  if (value instanceof Uint8Array) return 'bytes'
  if (Array.isArray(value)) return 'list'
  if (value instanceof Map) return 'map'
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp'
  if (value instanceof Duration) return 'google.protobuf.Duration'
  if (value instanceof Optional) return 'optional_type'
  return value instanceof TypeValue ? 'type' : value.type
}

const isNumber = (value: CelValue): value is bigint | number => typeof value === 'bigint' || typeof value === 'number'

export function equalValues(a: CelValue, b: CelValue): boolean {
  if (a === b) return true
  // biome-ignore lint/suspicious/noDoubleEquals: a whole double equals its integer
  if (isNumber(a) && isNumber(b)) return a == b
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => equalValues(item, b[index] ?? null))
  if (a instanceof Map) {
    if (!(b instanceof Map) || a.size !== b.size) return false
    for (const [key, value] of a) {
      const other = lookUp(b, key)
      if (other === undefined || !equalValues(value, other)) return false
    }
    return true
  }
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (a instanceof Timestamp) return b instanceof Timestamp && a.ms === b.ms
  if (a instanceof Duration) return b instanceof Duration && a.ms === b.ms
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name
  if (a instanceof Optional)
    return b instanceof Optional && (a.value === undefined || b.value === undefined ? a.value === b.value : equalValues(a.value, b.value))
  if (a instanceof Opaque) return b instanceof Opaque && a.type === b.type && a.identity === b.identity
  return false
}

/** Less than zero, zero, or more; throws when the two have no order. */
export function compareValues(a: CelValue, b: CelValue): number {
  if (isNumber(a) && isNumber(b)) return a < b ? -1 : a > b ? 1 : 0
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Timestamp && b instanceof Timestamp) return a.ms - b.ms
  if (a instanceof Duration && b instanceof Duration) return a.ms - b.ms
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  throw new CelError('no such overload')
}

/** The value under a key; undefined when there is none. */
export function lookUp(map: Map<CelValue, CelValue>, key: CelValue): CelValue | undefined {
  const found = map.get(key)
  if (found !== undefined || !isNumber(key)) return found
  for (const [other, value] of map) if (equalValues(other, key)) return value
  return undefined
}
