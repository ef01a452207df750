import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SortedKeys } from './sorted-keys.ts'

test('keys are in order whenever somebody reads, however many came before', () => {
  const keys = new SortedKeys()
  const expected = new Set<string>()
  const name = (number: number) => `${number % 3 ? 'a' : 'b'}/${(number * 7919) % 1009}`
  keys.reset(['a/5', 'a/1'])
  for (const key of ['a/5', 'a/1']) expected.add(key)
  for (let number = 0; number < 400; number++) {
    if (!expected.has(name(number))) keys.add(name(number))
    expected.add(name(number))
    // Read after one, after a few, and after many.
    if (![0, 1, 9, 30, 250, 251, 399].includes(number)) continue
    assert.equal(keys.length, expected.size)
    assert.deepEqual([...keys.range('')], [...expected].sort())
    assert.deepEqual(keys.range('a/', 'a/5'), [...expected].filter((key) => key.startsWith('a/') && key >= 'a/5').sort())
  }
  keys.add('a/x')
  keys.remove('a/x')
  keys.remove('a/5')
  expected.delete('a/5')
  assert.deepEqual([...keys.range('')], [...expected].sort())
})
