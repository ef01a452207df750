import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../errors.ts'
import { jsonPatch } from './json-patch.ts'
import { mergePatch } from './merge-patch.ts'

const code = (wanted: number) => (error: unknown) => error instanceof ApiError && error.code === wanted

test('merge patch: the cases of RFC 7386', () => {
  const cases: [unknown, unknown, unknown][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ a: 'b' }, ['c'], ['c']],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ]
  for (const [original, patch, wanted] of cases) assert.deepEqual(mergePatch(original, patch), wanted)
})

test('json patch: operations', () => {
  const original = { a: { b: [1, 2, 3] }, 'x/y': 1, 'm~n': 2 }
  const before = structuredClone(original)
  const apply = (...operations: unknown[]) => jsonPatch<Record<string, unknown>>(original, operations)
  assert.deepEqual(apply({ op: 'add', path: '/a/b/1', value: 9 }).a, { b: [1, 9, 2, 3] })
  assert.deepEqual(apply({ op: 'add', path: '/a/b/-', value: 9 }).a, { b: [1, 2, 3, 9] })
  assert.deepEqual(apply({ op: 'remove', path: '/a/b/0' }).a, { b: [2, 3] })
  assert.deepEqual(apply({ op: 'replace', path: '/x~1y', value: 5 })['x/y'], 5)
  assert.deepEqual(apply({ op: 'move', from: '/m~0n', path: '/a/c' }), { a: { b: [1, 2, 3], c: 2 }, 'x/y': 1 })
  assert.deepEqual(apply({ op: 'copy', from: '/a/b', path: '/c' }).c, [1, 2, 3])
  assert.deepEqual(apply({ op: 'test', path: '/a/b', value: [1, 2, 3] }), original)
  assert.deepEqual(apply({ op: 'replace', path: '', value: { z: 1 } }), { z: 1 })
  assert.deepEqual(original, before)
})

test('json patch: what does not apply is 422, what is malformed 400', () => {
  assert.throws(() => jsonPatch({ a: 1 }, [{ op: 'test', path: '/a', value: 2 }]), code(422))
  assert.throws(() => jsonPatch({ a: 1 }, [{ op: 'remove', path: '/b' }]), code(422))
  assert.throws(() => jsonPatch({ a: 1 }, [{ op: 'add', path: '/b/c', value: 1 }]), code(422))
  assert.throws(() => jsonPatch({ a: [1] }, [{ op: 'add', path: '/a/5', value: 1 }]), code(422))
  assert.throws(() => jsonPatch({ a: 1 }, { op: 'add' }), code(400))
  assert.throws(() => jsonPatch({}, new Array(10001).fill({ op: 'add', path: '/a', value: 1 })), code(413))
})
