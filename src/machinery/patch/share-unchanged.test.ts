import assert from 'node:assert/strict'
import { it } from 'node:test'
import { equal } from './json-value.ts'
import { shareUnchanged } from './share-unchanged.ts'

const pod = () => ({
  metadata: { name: 'a', labels: { app: 'web' } as Record<string, string>, finalizers: ['x', 'y'] },
  spec: {
    containers: [
      { name: 'one', ports: [{ containerPort: 80 }] },
      { name: 'two', ports: [] as { containerPort: number }[] },
    ],
    nodeName: undefined as string | undefined,
  },
})

it('gives what was there when nothing differs, whatever the order of names', () => {
  const before = pod()
  const { metadata, spec } = pod()
  assert.equal(shareUnchanged(before, { spec, metadata } as typeof before), before)
})

it('shares what is as it was, and nothing else', () => {
  const before = pod()
  const after = pod()
  after.spec.nodeName = 'node-1'
  const [, two] = after.spec.containers
  two?.ports.push({ containerPort: 81 })
  const expected = structuredClone(after)
  const shared = shareUnchanged(before, after)
  assert.deepEqual(shared, expected)
  assert.deepEqual(before, pod())
  assert.equal(shared.metadata, before.metadata)
  assert.equal(shared.spec.containers[0], before.spec.containers[0])
  assert.notEqual(shared.spec.containers[1], before.spec.containers[1])
})

it('agrees with a comparison', () => {
  const values: unknown[] = [
    null,
    0,
    '',
    'x',
    [],
    {},
    [null],
    [{}],
    { a: null },
    { a: {} },
    { a: undefined },
    { b: undefined },
    { a: [1] },
    { a: [1, 2] },
    { a: 1, b: 2 },
    { b: 2, a: 1 },
  ]
  for (const before of values)
    for (const after of values) {
      const mine = structuredClone(after)
      const shared = shareUnchanged(before, mine)
      assert.deepEqual(shared, equal(before, after) ? before : after)
      assert.equal(shared === before, equal(before, after), JSON.stringify([before, after]))
    }
})
