import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigMap } from '../../apis/core/config-map.ts'
import type { Resource } from '../../apis/resource.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { KeyValue } from '../../store/store.ts'
import { itemBytes, ObjectCodec, wireBytes } from './object-codec.ts'

const draft = (): AnyObject => ({ metadata: { name: 'a', uid: 'u', creationTimestamp: 't', resourceVersion: '' }, data: { é: '"' } })
const kv = (value: Uint8Array, modRevision: number): KeyValue => ({ key: 'k', value, createRevision: 1, modRevision })
const resource = ConfigMap as unknown as Resource

test('an object is decoded once for each revision, from what was just encoded or from bytes', () => {
  const codec = new ObjectCodec(resource)
  const stored = codec.encode(draft(), 'k')
  const object = codec.decode(kv(stored, 7))
  assert.equal(codec.decode(kv(stored, 7)), object)
  assert.equal(object.metadata.resourceVersion, '7')
  const elsewhere = new ObjectCodec(resource).decode(kv(Uint8Array.from(stored), 7))
  assert.deepEqual(elsewhere, object)
  // A deletion shows the same value with its own revision.
  assert.equal(codec.decode(kv(stored, 9)).metadata.resourceVersion, '9')
  assert.equal(object.metadata.resourceVersion, '7')
})

test('bytes for the wire are made once, spliced or encoded, and mean the same', () => {
  const codec = new ObjectCodec(resource)
  const stored = codec.encode(draft(), 'k')
  const spliced = codec.decode(kv(stored, 7))
  const encoded = new ObjectCodec(resource).decode(kv(Uint8Array.from(stored), 7))
  for (const object of [spliced, encoded]) {
    const bytes = wireBytes(object)
    assert.equal(wireBytes(object), bytes)
    assert.deepEqual(JSON.parse(String(bytes)), object)
    const { kind: _kind, apiVersion: _version, ...item } = object
    assert.deepEqual(JSON.parse(`{${Buffer.from(itemBytes(object) ?? [])}`), item)
  }
  assert.equal(wireBytes({}), undefined)
})

test('the transformer stands between the object and the store', () => {
  const flip = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0xff)
  const codec = () => new ObjectCodec(resource, { toStorage: flip, fromStorage: (stored) => ({ plain: flip(stored), stale: false }) })
  const stored = codec().encode(draft(), 'k')
  assert.equal(Buffer.from(stored).includes('"'), false)
  assert.deepEqual((codec().decode(kv(stored, 3)) as unknown as { data: unknown }).data, { é: '"' })
})
