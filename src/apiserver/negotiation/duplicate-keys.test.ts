import assert from 'node:assert/strict'
import { test } from 'node:test'
import { duplicateKeys } from './duplicate-keys.ts'

const cases: [string, string, string | undefined][] = [
  ['none', 'a: 1\nb:\n  a: 1\nc:\n- a: 1\n- a: 2\n', undefined],
  [
    'the lines of the later ones',
    'a: 1\nb:\n  x: 1\n  "x": 2\na: 3\n',
    'yaml: unmarshal errors:\n  line 5: key "a" already set in map\n  line 4: key "x" already set in map',
  ],
  ['JSON is YAML', '{"a": 1,\n "a": 2}', 'yaml: unmarshal errors:\n  line 2: key "a" already set in map'],
  ['merged keys may be said again', 'base: &base {a: 1}\nb:\n  <<: *base\n  a: 2\n', undefined],
]
for (const [name, text, expected] of cases) test(name, () => assert.equal(duplicateKeys(text), expected))
