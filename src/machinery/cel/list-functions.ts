import { arithmetic } from './arithmetic.ts'
import type { Functions } from './functions.ts'
import { CelError } from './syntax.ts'
import { type CelValue, compareValues, equalValues } from './values.ts'

const isIn = (list: CelValue[], value: CelValue) => list.some((item) => equalValues(item, value))

function extreme(list: CelValue | undefined, sign: 1 | -1): CelValue | undefined {
  if (!Array.isArray(list)) return undefined
  if (list.length === 0) throw new CelError(`${sign > 0 ? 'max' : 'min'} called on empty list`)
  return list.reduce((best, item) => (compareValues(item, best) * sign > 0 ? item : best))
}

const both = (test: (a: CelValue[], b: CelValue[]) => boolean) => (a?: CelValue, b?: CelValue) =>
  Array.isArray(a) && Array.isArray(b) ? test(a, b) : undefined

export const listFunctions: Functions = {
  '.isSorted': (list) => (Array.isArray(list) ? list.every((item, index) => index === 0 || compareValues(list[index - 1] ?? null, item) <= 0) : undefined),
  '.sum': (list) => (Array.isArray(list) ? list.reduce<CelValue>((sum, item, index) => (index === 0 ? item : arithmetic('+', sum, item)), 0n) : undefined),
  '.min': (list) => extreme(list, -1),
  '.max': (list) => extreme(list, 1),
  '.indexOf': (list, value = null) => (Array.isArray(list) ? BigInt(list.findIndex((item) => equalValues(item, value))) : undefined),
  '.lastIndexOf': (list, value = null) => (Array.isArray(list) ? BigInt(list.findLastIndex((item) => equalValues(item, value))) : undefined),
  '.distinct': (list) => (Array.isArray(list) ? list.filter((item, index) => list.findIndex((one) => equalValues(one, item)) === index) : undefined),
  '.slice': (list, from = 0n, to = 0n) => (Array.isArray(list) ? list.slice(Number(from), Number(to)) : undefined),
  '.sort': (list) => (Array.isArray(list) ? [...list].sort(compareValues) : undefined),
  '.reverse': (list) => (Array.isArray(list) ? [...list].reverse() : undefined),
  '.flatten': (list) => (Array.isArray(list) ? list.flatMap((item) => (Array.isArray(item) ? item : [item])) : undefined),
  'sets.contains': both((a, b) => b.every((item) => isIn(a, item))),
  'sets.equivalent': both((a, b) => a.every((item) => isIn(b, item)) && b.every((item) => isIn(a, item))),
  'sets.intersects': both((a, b) => a.some((item) => isIn(b, item))),
}
