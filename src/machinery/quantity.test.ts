import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  subtractQuantities,
  toMilli,
  toNumber,
  toWhole,
} from './quantity.ts'

test('canonical forms', () => {
  const cases: [string | number, string][] = [
    ['0', '0'],
    ['0Mi', '0'],
    ['1000m', '1'],
    ['0.5', '500m'],
    [0.1, '100m'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['1500', '1500'],
    ['1000', '1k'],
    ['1e3', '1e3'],
    ['12e6', '12e6'],
    ['1E', '1E'],
    ['100000000', '100M'],
    ['128974848', '128974848'],
    ['129e6', '129e6'],
    ['129M', '129M'],
    ['123Mi', '123Mi'],
    ['.5', '500m'],
    ['5.', '5'],
    ['+1', '1'],
    ['-1.5', '-1500m'],
    ['0.5Ki', '512'],
    ['1n', '1n'],
    ['0.1n', '1n'],
    ['9Ei', '9223372036854775807'],
    ['1000Ki', '1000Ki'],
    ['0.001Ki', '1024m'],
  ]
  for (const [text, wanted] of cases) assert.equal(canonicalQuantity(text), wanted, String(text))
})

test('the short way to a canonical form is the long way', () => {
  for (const amount of [1, 10, 999, 1000, 1001, 1023, 1024, 2048, 500000, 524288, 999999])
    for (const suffix of ['', 'm', 'k', 'M', 'G', 'T', 'Ki', 'Mi', 'Gi', 'Ti']) {
      const text = `${amount}${suffix}`
      assert.equal(canonicalQuantity(text), formatQuantity(parseQuantity(text)), text)
    }
})

test('what is no quantity', () => {
  for (const text of ['', 'abc', '1.2.3', '1 Gi', '1gi', 'Mi', '--1', '1KI']) assert.throws(() => parseQuantity(text), { name: 'QuantityError' }, text)
  assert.throws(() => parseQuantity('x'), { message: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'" })
  assert.throws(() => parseQuantity('1KK'), { message: "unable to parse quantity's suffix" })
})

test('arithmetic is exact', () => {
  assert.equal(formatQuantity(addQuantities('100m', '0.9')), '1')
  assert.equal(formatQuantity(subtractQuantities('1Gi', '1Mi')), '1023Mi')
  assert.equal(compareQuantities('1Gi', '1024Mi'), 0)
  assert.equal(compareQuantities('1', '1001m'), -1)
  assert.equal(toMilli('1.0001'), 1001)
  assert.equal(toWhole('1500m'), 2)
  assert.equal(toNumber('1500m'), 1.5)
})
