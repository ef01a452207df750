import assert from 'node:assert/strict'
import { test } from 'node:test'
import { negotiate } from './accept.ts'

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'

test('a Table for who asks for one first', () => {
  assert.equal(negotiate(`${table},application/json`).as, 'Table')
  assert.equal(negotiate(`application/json,${table}`).as, undefined)
})

test('what has no other form than its own: who accepts nothing else is told so', () => {
  assert.throws(() => negotiate(table, false), /^ApiError: only the following media types are accepted/)
  assert.equal(negotiate(`${table},application/json`, false).as, undefined)
})
