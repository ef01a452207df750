import { CelError } from './syntax.ts'
import { type CelValue, Duration, Timestamp } from './values.ts'

const smallest = -(2n ** 63n)
const largest = 2n ** 63n - 1n

function bounded(value: bigint): bigint {
  if (value < smallest || value > largest) throw new CelError('integer overflow')
  return value
}

export function arithmetic(operator: '+' | '-' | '*' | '/' | '%', a: CelValue, b: CelValue): CelValue {
  if (typeof a === 'bigint' && typeof b === 'bigint') return ofIntegers(operator, a, b)
  if (typeof a === 'number' && typeof b === 'number') return ofDoubles(operator, a, b)
  if (operator === '+') {
    if (typeof a === 'string' && typeof b === 'string') return a + b
    if (Array.isArray(a) && Array.isArray(b)) return [...a, ...b]
    if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.concat([a, b])
    if (a instanceof Duration && b instanceof Duration) return new Duration(a.ms + b.ms)
    if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(a.ms + b.ms)
    if (a instanceof Duration && b instanceof Timestamp) return new Timestamp(a.ms + b.ms)
  } else if (operator === '-') {
    if (a instanceof Timestamp && b instanceof Timestamp) return new Duration(a.ms - b.ms)
    if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(a.ms - b.ms)
    if (a instanceof Duration && b instanceof Duration) return new Duration(a.ms - b.ms)
  }
  throw new CelError('no such overload')
}

function ofIntegers(operator: '+' | '-' | '*' | '/' | '%', a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return bounded(a + b)
    case '-':
      return bounded(a - b)
    case '*':
      return bounded(a * b)
    case '/':
      if (b === 0n) throw new CelError('division by zero')
      return bounded(a / b)
    case '%':
      if (b === 0n) throw new CelError('modulus by zero')
      return a % b
  }
}

function ofDoubles(operator: '+' | '-' | '*' | '/' | '%', a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / b
    case '%':
      throw new CelError('no such overload')
  }
}
