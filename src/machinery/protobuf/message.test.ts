import assert from 'node:assert/strict'
import { test } from 'node:test'
import { message } from './message.ts'

const inner = message<{ id: string; size: number }>({ id: { number: 1, kind: 'string' }, size: { number: 2, kind: 'int' } })
const outer = message<{
  many: { id: string; size: number }[]
  one: { id: string; size: number } | undefined
  share: number
  on: boolean
  labels: Record<string, string>
}>({
  many: { number: 1, kind: inner, many: true },
  one: { number: 2, kind: inner },
  share: { number: 3, kind: 'double' },
  on: { number: 6, kind: 'bool' },
  labels: { number: 4, kind: 'strings' },
})

test('bytes are those that the format asks for', () => {
  assert.equal(Buffer.from(inner.encode({ id: 'ab', size: 300 })).toString('hex'), '0a02616210ac02')
  assert.equal(Buffer.from(inner.encode({ size: -2 })).toString('hex'), '10feffffffffffffffff01')
  assert.equal(Buffer.from(inner.encode({ id: '', size: 0 })).length, 0)
  assert.equal(Buffer.from(outer.encode({ share: 0.5, on: true })).toString('hex'), '19000000000000e03f3001')
  assert.equal(Buffer.from(outer.encode({ labels: { a: 'b' } })).toString('hex'), '22060a0161120162')
})

test('what was written is read again, and what is missing is empty', () => {
  const value = {
    many: [
      { id: 'a', size: 1 },
      { id: '', size: -7 },
    ],
    one: { id: 'x', size: 0 },
    share: 0.25,
    on: true,
    labels: { k: 'v', empty: '' },
  }
  assert.deepEqual(outer.decode(outer.encode(value)), value)
  assert.deepEqual(outer.decode(new Uint8Array()), { many: [], one: undefined, share: 0, on: false, labels: {} })
})
