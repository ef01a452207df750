import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBody } from './decode.ts'

test('JSON, and names that stand twice', () => {
  const text = '{"spec":{"a":1,"list":[{"x":1,"x":2}],"a":2}}'
  assert.deepEqual(decodeBody(text, 'json'), { value: { spec: { a: 2, list: [{ x: 2 }] } }, duplicates: [] })
  assert.deepEqual(decodeBody(new TextEncoder().encode(text), 'json', { duplicates: true }).duplicates, [
    'duplicate field "spec.list[0].x"',
    'duplicate field "spec.a"',
  ])
})

test('errors in the words of the Go parser', () => {
  const cases: [string, string][] = [
    ['', 'unexpected end of JSON input'],
    ['{"a":', 'unexpected end of JSON input'],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
    ['[1 2]', "invalid character '2' after array element"],
    ['{"a":tru}', "invalid character '}' in literal true (expecting 'e')"],
    ['{} x', "invalid character 'x' after top-level value"],
  ]
  for (const [text, message] of cases) assert.throws(() => decodeBody(text, 'json'), { message })
})

test('YAML as upstream reads it', () => {
  const text = 'on: yes\ndate: 2026-01-02\ntime: 12:30:45\noctal: 010\n1: one\nanchor: &a {x: 1}\nmerged:\n  <<: *a\n  z: 2\nempty:\nport: "80"\n'
  assert.deepEqual(decodeBody(text, 'yaml').value, {
    true: true,
    date: '2026-01-02',
    time: '12:30:45',
    octal: 8,
    1: 'one',
    anchor: { x: 1 },
    merged: { x: 1, z: 2 },
    empty: null,
    port: '80',
  })
  assert.deepEqual(decodeBody('{"a": 1}', 'yaml').value, { a: 1 })
  assert.deepEqual(decodeBody('{a: 1}', 'yaml').value, { a: 1 })
  assert.match(decodeBody('a: 1\nb: 2\na: 3\n', 'yaml').duplicates.join(), /line 3: key "a" already set in map/)
  assert.throws(() => decodeBody('a: [1', 'yaml'), /error converting YAML to JSON/)
})
