import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJsonPath, printJsonPath } from './jsonpath.ts'

const object = {
  kind: 'List',
  spec: { replicas: 3, containers: [{ name: 'a', ports: [1, 2] }, { name: 'b' }, { name: 'c', ports: [3] }] },
  status: {
    conditions: [
      { type: 'Ready', status: 'True', n: 1 },
      { type: 'Sync', status: 'False', n: 2 },
    ],
  },
  metadata: { annotations: { 'a.b/c': 'x', plain: 'y' } },
}

test('paths', () => {
  const cases: [string, unknown[]][] = [
    ['.spec.replicas', [3]],
    ['{.spec.replicas}', [3]],
    ['spec.replicas', [3]],
    ['$.spec.replicas', [3]],
    ['.spec.gone.more', []],
    ['.spec.containers[*].name', ['a', 'b', 'c']],
    ['.spec.containers[0].name', ['a']],
    ['.spec.containers[-1].name', ['c']],
    ['.spec.containers[9].name', []],
    ['.spec.containers[0:2].name', ['a', 'b']],
    ['.spec.containers[::2].name', ['a', 'c']],
    ['.spec.containers[0,2].name', ['a', 'c']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    ["{.status.conditions[?(@.type == 'Sync')].status}", ['False']],
    ['.status.conditions[?(@.n>1)].type', ['Sync']],
    ['.spec.containers[?(@.ports)].name', ['a', 'c']],
    ['.spec.containers[?(@.ports[0]==3)].name', ['c']],
    ["['kind']", ['List']],
    ["['kind','gone']", ['List']],
    ["['spec']['replicas']", [3]],
    ['.metadata.annotations.a\\.b/c', ['x']],
    ["{.metadata.annotations['a.b/c']}", ['x']],
    ['..name', ['a', 'b', 'c']],
    ['.metadata.annotations.*', ['x', 'y']],
  ]
  for (const [path, wanted] of cases) assert.deepEqual(parseJsonPath(path)(object), wanted, path)
})

test('how it is printed, and what is no path', () => {
  assert.equal(printJsonPath(parseJsonPath('.spec.containers[0]')(object)), '{"name":"a","ports":[1,2]}')
  assert.equal(printJsonPath(['a', 1, true]), 'a 1 true')
  for (const path of ['.a[', '.a[x]', '.a b']) assert.throws(() => parseJsonPath(path), { name: 'JsonPathError' }, path)
})
