import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ageOf, shortDuration } from './age.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const year = 365 * day

const cases: [number, string][] = [
  [-3 * second, '<invalid>'],
  [-1 * second, '0s'],
  [0, '0s'],
  [119 * second, '119s'],
  [2 * minute, '2m'],
  [2 * minute + 5 * second, '2m5s'],
  [10 * minute + 30 * second, '10m'],
  [179 * minute, '179m'],
  [3 * hour, '3h'],
  [3 * hour + 7 * minute, '3h7m'],
  [8 * hour + 7 * minute, '8h'],
  [47 * hour, '47h'],
  [48 * hour, '2d'],
  [50 * hour, '2d2h'],
  [8 * day + hour, '8d'],
  [400 * day, '400d'],
  [2 * year, '2y'],
  [2 * year + 3 * day, '2y3d'],
  [9 * year + 3 * day, '9y'],
]

test('durations', () => {
  for (const [ms, text] of cases) assert.equal(shortDuration(ms), text)
})

test('ages', () => {
  assert.equal(ageOf(undefined, 0), '<unknown>')
  assert.equal(ageOf('2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1, 0, 5)), '5m')
})
