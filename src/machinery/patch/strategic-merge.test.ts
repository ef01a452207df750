import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readBuiltInSchema } from '../schema/built-in.ts'
import { Schema } from '../schema/schema.ts'
import { strategicMergePatch } from './strategic-merge.ts'

const schema = new Schema(readBuiltInSchema())
const pod = (spec: unknown, patch: unknown) => strategicMergePatch<{ spec: unknown }>(schema, 'V1Pod', { spec }, { spec: patch }).spec

test('lists with a merge key merge item by item', () => {
  const original = {
    containers: [
      { name: 'a', image: 'a:1', env: [{ name: 'X', value: '1' }] },
      { name: 'b', image: 'b:1' },
    ],
  }
  const before = structuredClone(original)
  assert.deepEqual(pod(original, { containers: [{ name: 'a', image: 'a:2', env: [{ name: 'Y', value: '2' }] }] }), {
    containers: [
      {
        name: 'a',
        image: 'a:2',
        env: [
          { name: 'Y', value: '2' },
          { name: 'X', value: '1' },
        ],
      },
      { name: 'b', image: 'b:1' },
    ],
  })
  assert.deepEqual(original, before)
})

test('an item goes by $patch: delete, a whole list by $patch: replace', () => {
  const containers = [{ name: 'a' }, { name: 'b' }]
  assert.deepEqual(pod({ containers }, { containers: [{ name: 'a', $patch: 'delete' }] }), { containers: [{ name: 'b' }] })
  assert.deepEqual(pod({ containers }, { containers: [{ name: 'c' }, { $patch: 'replace' }] }), { containers: [{ name: 'c' }] })
  assert.deepEqual(pod({ securityContext: { runAsUser: 1, fsGroup: 2 } }, { securityContext: { runAsUser: 3, $patch: 'replace' } }), {
    securityContext: { runAsUser: 3 },
  })
})

test('$setElementOrder orders what the patch names, others keep their place', () => {
  const containers = [{ name: 'a' }, { name: 'x' }, { name: 'b' }]
  const patch = { $setElementOrder: 1, '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }], containers: [{ name: 'a', image: 'new' }] }
  const { $setElementOrder: _, ...clean } = patch
  assert.deepEqual(pod({ containers }, clean), { containers: [{ name: 'x' }, { name: 'b' }, { name: 'a', image: 'new' }] })
  assert.deepEqual(pod({ containers }, { '$setElementOrder/containers': [{ name: 'b' }, { name: 'x' }, { name: 'a' }] }), {
    containers: [{ name: 'b' }, { name: 'x' }, { name: 'a' }],
  })
  assert.throws(() => pod({ containers }, { '$setElementOrder/containers': [{ name: 'b' }], containers: [{ name: 'a' }] }), /doesn't match \$setElementOrder/)
})

test('primitive lists merge and lose by directive', () => {
  const meta = (finalizers: string[], patch: unknown) =>
    strategicMergePatch<{ metadata: unknown }>(schema, 'V1Pod', { metadata: { finalizers } }, { metadata: patch }).metadata
  assert.deepEqual(meta(['a', 'b'], { finalizers: ['b', 'c'] }), { finalizers: ['a', 'b', 'c'] })
  assert.deepEqual(meta(['a', 'b'], { '$deleteFromPrimitiveList/finalizers': ['a'], '$setElementOrder/finalizers': ['b'] }), { finalizers: ['b'] })
})

test('$retainKeys clears the rest of a union', () => {
  const volumes = [{ name: 'v', emptyDir: {} }]
  assert.deepEqual(pod({ volumes }, { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] }), {
    volumes: [{ name: 'v', hostPath: { path: '/x' } }],
  })
  const deployment = strategicMergePatch(
    schema,
    'V1Deployment',
    { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
    { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
  )
  assert.deepEqual(deployment, { spec: { strategy: { type: 'Recreate' } } })
})

test('lists without a merge strategy, and scalars, are replaced; null removes', () => {
  assert.deepEqual(pod({ containers: [{ name: 'a', args: ['1', '2'] }], nodeName: 'n' }, { containers: [{ name: 'a', args: ['3'] }], nodeName: null }), {
    containers: [{ name: 'a', args: ['3'] }],
  })
})

test('what is wrong with a patch', () => {
  assert.throws(() => pod({ containers: [{ name: 'a' }] }, { containers: [{ image: 'x' }] }), /rejected our request/)
  assert.throws(() => strategicMergePatch(schema, 'V1Pod', {}, []), /json: cannot unmarshal array into Go value of type map\[string\]interface \{\}/)
  assert.throws(() => pod({ securityContext: {} }, { securityContext: { $patch: 'nonsense' } }), /unknown patch type/)
})
