/**
 * Resource quantities, exact: `100m`, `1.5Gi`, `2e3`. The amount is a big integer of nanos, which is as
 * fine as upstream keeps (finer is rounded up, away from zero).
 */

export type QuantityFormat = 'decimal' | 'binary' | 'exponent'

export interface Quantity {
  /** The amount times 10^9. */
  readonly nanos: bigint
  readonly format: QuantityFormat
}

export class QuantityError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'QuantityError'
  }
}

const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(m|n|u|k|M|G|T|P|E|[KMGTPE]i|[eE][+-]?\d+)?$/
const wrongFormat = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const wrongSuffix = "unable to parse quantity's suffix"
const wrongNumber = 'unable to parse numeric part of quantity'

const decimalSuffixes: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binarySuffixes: Record<string, bigint> = { Ki: 1n << 10n, Mi: 1n << 20n, Gi: 1n << 30n, Ti: 1n << 40n, Pi: 1n << 50n, Ei: 1n << 60n }
const binaryOrder = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const decimalOrder = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E']
const nano = 1_000_000_000n
/** The largest amount that upstream keeps; beyond it is clamped. */
const maxAllowed = ((1n << 63n) - 1n) * nano

/** What was parsed before: the same few amounts stand in thousands of pods. Not state of a cluster: a memory of a pure function's results. */
const known = new Map<string | number, Quantity>()
const mostKnown = 1000

export function parseQuantity(text: string | number): Quantity {
  const before = known.get(text)
  if (before) return before
  const parsed = parse(String(text))
  if (known.size >= mostKnown) known.clear()
  known.set(text, parsed)
  return parsed
}

function parse(source: string): Quantity {
  const match = pattern.exec(source)
  if (!match || (match[2] === '' && (match[3] ?? '') === '')) throw new QuantityError(reasonOf(source))
  const [, sign, whole = '', fraction = '', suffix = ''] = match
  let digits = BigInt(whole + fraction)
  let format: QuantityFormat = 'decimal'
  /** The amount is digits × 10^power, and then times the binary suffix. */
  let power = -fraction.length
  const binary = binarySuffixes[suffix]
  if (binary !== undefined) {
    digits *= binary
    format = 'binary'
  } else if (suffix in decimalSuffixes) power += decimalSuffixes[suffix] ?? 0
  else {
    power += Number(suffix.slice(1))
    format = 'exponent'
  }
  let nanos = scaled(digits, power + 9)
  if (nanos > maxAllowed) nanos = maxAllowed
  return { nanos: sign === '-' ? -nanos : nanos, format }
}

function reasonOf(source: string): string {
  if (source === '') return wrongFormat
  const parts = /^([+-]?[0-9.]+)(.*)$/s.exec(source)
  if (!parts) return wrongFormat
  if (!/^[eEinumkKMGTP]*[-+]?[0-9]*$/.test(parts[2] ?? '')) return wrongFormat
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(parts[1] ?? '')) return wrongNumber
  return wrongSuffix
}

/** digits × 10^power, rounded up. */
function scaled(digits: bigint, power: number): bigint {
  if (power >= 0) return power > 60 && digits > 0n ? maxAllowed + 1n : digits * 10n ** BigInt(power)
  if (-power > 400) return digits > 0n ? 1n : 0n
  return ceilDivide(digits, 10n ** BigInt(-power))
}

const ceilDivide = (a: bigint, b: bigint): bigint => (a <= 0n ? a / b : (a + b - 1n) / b)

/** The one way to write an amount: the largest suffix that leaves a whole number. */
export function formatQuantity({ nanos, format }: Quantity): string {
  if (nanos === 0n) return '0'
  const sign = nanos < 0n ? '-' : ''
  const amount = nanos < 0n ? -nanos : nanos
  if (format === 'binary' && amount >= 1024n * nano && amount % nano === 0n) {
    let value = amount / nano
    let index = 0
    while (index < binaryOrder.length - 1 && value % 1024n === 0n) {
      value /= 1024n
      index++
    }
    return `${sign}${value}${binaryOrder[index]}`
  }
  let value = amount
  let index = 0
  while (index < decimalOrder.length - 1 && value % 1000n === 0n) {
    value /= 1000n
    index++
  }
  if (format === 'exponent') {
    const exponent = (index - 3) * 3
    return exponent === 0 ? `${sign}${value}` : `${sign}${value}e${exponent}`
  }
  return `${sign}${value}${decimalOrder[index]}`
}

const shortForm = /^([1-9]\d{0,5})([mkMGT]|[KMGT]i)?$/

/** The canonical form of a quantity as it was written. */
export function canonicalQuantity(text: string | number): string {
  // Most are written so already: then there is nothing to compute.
  const match = typeof text === 'string' ? shortForm.exec(text) : null
  if (match && Number(match[1]) % (match[2]?.endsWith('i') ? 1024 : 1000) !== 0) return match[0]
  return formatQuantity(parseQuantity(text))
}

export const quantity = (value: Quantity | string | number): Quantity => (typeof value === 'object' ? value : parseQuantity(value))

type Like = Quantity | string | number

export function compareQuantities(a: Like, b: Like): -1 | 0 | 1 {
  const left = quantity(a).nanos
  const right = quantity(b).nanos
  return left < right ? -1 : left > right ? 1 : 0
}

/** The sum keeps the first's format, unless the first is zero. */
export function addQuantities(a: Like, b: Like): Quantity {
  const left = quantity(a)
  const right = quantity(b)
  return { nanos: left.nanos + right.nanos, format: left.nanos === 0n ? right.format : left.format }
}

export function subtractQuantities(a: Like, b: Like): Quantity {
  const left = quantity(a)
  const right = quantity(b)
  return { nanos: left.nanos - right.nanos, format: left.nanos === 0n ? right.format : left.format }
}

const towardsInfinity = (amount: bigint, unit: bigint): bigint => (amount >= 0n ? (amount + unit - 1n) / unit : -((-amount + unit - 1n) / unit))

/** In thousandths, rounded up: CPU. */
export const toMilli = (value: Like): number => Number(towardsInfinity(quantity(value).nanos, 1_000_000n))

/** In whole units, rounded up: memory, counts. */
export const toWhole = (value: Like): number => Number(towardsInfinity(quantity(value).nanos, nano))

/** Approximately, with the fraction. */
export function toNumber(value: Like): number {
  const { nanos } = quantity(value)
  return Number(nanos / nano) + Number(nanos % nano) / 1e9
}

export const fromMilli = (milli: number): Quantity => ({ nanos: BigInt(Math.round(milli)) * 1_000_000n, format: 'decimal' })
export const fromWhole = (amount: number, format: QuantityFormat = 'decimal'): Quantity => ({ nanos: BigInt(Math.round(amount)) * nano, format })
export const isZeroQuantity = (value: Like): boolean => quantity(value).nanos === 0n
