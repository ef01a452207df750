import { addQuantities, compareQuantities, parseQuantity, type Quantity, subtractQuantities, toNumber } from '../quantity.ts'
import type { Functions } from './functions.ts'
import { CelError } from './syntax.ts'
import { type CelValue, Opaque } from './values.ts'

const type = 'kubernetes.Quantity'
const wrap = (quantity: Quantity) => new Opaque(type, quantity, String(quantity.nanos))
const unwrap = (value: CelValue | undefined): Quantity | undefined => {
  if (typeof value === 'bigint') return parseQuantity(String(value))
  return value instanceof Opaque && value.type === type ? (value.value as Quantity) : undefined
}

function parsed(text: string): Quantity | undefined {
  try {
    return parseQuantity(text)
  } catch {
    return undefined
  }
}

const compared = (result: (order: -1 | 0 | 1) => CelValue) => (a?: CelValue, b?: CelValue) => {
  const [x, y] = [unwrap(a), unwrap(b)]
  return a instanceof Opaque && x && y ? result(compareQuantities(x, y)) : undefined
}
const combined = (make: (a: Quantity, b: Quantity) => Quantity) => (a?: CelValue, b?: CelValue) => {
  const [x, y] = [unwrap(a), unwrap(b)]
  return a instanceof Opaque && x && y ? wrap(make(x, y)) : undefined
}
const whole = 1_000_000_000n

export const quantityFunctions: Functions = {
  quantity(value) {
    if (typeof value !== 'string') return undefined
    const found = parsed(value)
    if (!found) throw new CelError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    return wrap(found)
  },
  isQuantity: (value) => (typeof value === 'string' ? parsed(value) !== undefined : undefined),
  '.compareTo': compared((order) => BigInt(order)),
  '.isGreaterThan': compared((order) => order > 0),
  '.isLessThan': compared((order) => order < 0),
  '.add': combined(addQuantities),
  '.sub': combined(subtractQuantities),
  '.sign'(value) {
    const found = value instanceof Opaque ? unwrap(value) : undefined
    return found && (found.nanos > 0n ? 1n : found.nanos < 0n ? -1n : 0n)
  },
  '.isInteger'(value) {
    const found = value instanceof Opaque ? unwrap(value) : undefined
    return found && found.nanos % whole === 0n
  },
  '.asInteger'(value) {
    const found = value instanceof Opaque ? unwrap(value) : undefined
    if (!found) return undefined
    if (found.nanos % whole !== 0n) throw new CelError('cannot convert value to integer')
    return found.nanos / whole
  },
  '.asApproximateFloat'(value) {
    const found = value instanceof Opaque ? unwrap(value) : undefined
    return found && toNumber(found)
  },
}
