import assert from 'node:assert/strict'
import { test } from 'node:test'
import { duplicateFields } from './duplicate-fields.ts'

const cases: [string, string[]][] = [
  ['{}', []],
  ['{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}', []],
  ['{"a":1,"a":2}', ['a']],
  ['{"spec":{"list":[1,{"x":{"y":1,"y":2}}]}}', ['spec.list[1].x.y']],
  ['{"a":"{\\"a\\":1,\\"a\\":2}","b":"\\\\"}', []],
  ['{"a\\u0062":1,"ab":2}', ['ab']],
  ['[{"a":[{}, {"b":"]","b":","}]}]', ['[0].a[1].b']],
]
for (const [text, expected] of cases) test(text, () => assert.deepEqual(duplicateFields(text), expected))
