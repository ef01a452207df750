import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

let t: TestServer
const path = '/api/v1/namespaces/demo/configmaps'
const names = (items: { metadata: { name: string } }[]) => items.map(({ metadata }) => metadata.name)

before(async () => {
  t = await startTestServer()
  for (const namespace of ['demo', 'other']) await t.call('POST', '/api/v1/namespaces', { metadata: { name: namespace } })
  for (let i = 0; i < 7; i++) await t.call('POST', path, { metadata: { name: `c${i}`, labels: { even: String(i % 2 === 0) } } })
  await t.call('POST', '/api/v1/namespaces/other/configmaps', { metadata: { name: 'c1' } })
})
after(() => t.stop())

test('objects of one namespace or of all, in order', async () => {
  assert.deepEqual(names((await t.call('GET', path)).object.items), ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6'])
  assert.equal((await t.call('GET', '/api/v1/configmaps')).object.items.length, 8)
})

test('selected by labels and fields', async () => {
  assert.deepEqual(names((await t.call('GET', `${path}?labelSelector=even=false`)).object.items), ['c1', 'c3', 'c5'])
  assert.deepEqual(names((await t.call('GET', `${path}?fieldSelector=metadata.name=c2`)).object.items), ['c2'])
  assert.equal((await t.call('GET', '/api/v1/configmaps?fieldSelector=metadata.name=c1')).object.items.length, 2)
  assert.equal((await t.call('GET', '/api/v1/configmaps?fieldSelector=metadata.namespace=other')).object.items.length, 1)
  assert.equal((await t.call('GET', `${path}?fieldSelector=metadata.name!=c2`)).object.items.length, 6)
  assert.equal((await t.call('GET', `${path}?fieldSelector=spec.foo=c2`)).status, 400)
  assert.equal((await t.call('GET', `${path}?labelSelector=a==b==c`)).status, 400)
})

test('pages show one revision, whatever is written meanwhile', async () => {
  const first = await t.call('GET', `${path}?limit=3`)
  assert.deepEqual(names(first.object.items), ['c0', 'c1', 'c2'])
  assert.equal((first.object.metadata as { remainingItemCount?: number }).remainingItemCount, 4)
  await t.call('POST', path, { metadata: { name: 'c35' } })
  await t.call('DELETE', `${path}/c4`)
  const second = await t.call('GET', `${path}?limit=3&continue=${first.object.metadata.continue}`)
  assert.deepEqual(names(second.object.items), ['c3', 'c4', 'c5'])
  assert.equal(second.object.metadata.resourceVersion, first.object.metadata.resourceVersion)
  const third = await t.call('GET', `${path}?limit=3&continue=${second.object.metadata.continue}`)
  assert.deepEqual(names(third.object.items), ['c6'])
  assert.equal(third.object.metadata.continue, undefined)
})

test('pages of selected objects', async () => {
  const first = await t.call('GET', `${path}?limit=2&labelSelector=even=false`)
  assert.deepEqual(names(first.object.items), ['c1', 'c3'])
  assert.equal('remainingItemCount' in first.object.metadata, false)
  const second = await t.call('GET', `${path}?limit=2&labelSelector=even=false&continue=${first.object.metadata.continue}`)
  assert.deepEqual(names(second.object.items), ['c5'])
})

test('exactly at a revision, not older than one, and never from the future', async () => {
  const before = (await t.call('GET', path)).object
  await t.call('POST', path, { metadata: { name: 'later' } })
  const exact = await t.call('GET', `${path}?resourceVersion=${before.metadata.resourceVersion}&resourceVersionMatch=Exact`)
  assert.deepEqual(names(exact.object.items), names(before.items))
  const newer = await t.call('GET', `${path}?resourceVersion=${before.metadata.resourceVersion}&resourceVersionMatch=NotOlderThan`)
  assert.equal(newer.object.items.length, before.items.length + 1)
  const future = await t.call('GET', `${path}?resourceVersion=99999&resourceVersionMatch=Exact`)
  assert.equal(future.status, 504)
  assert.equal(future.object.details?.causes?.[0]?.reason, 'ResourceVersionTooLarge')
})

test('wrong options are refused', async () => {
  for (const query of ['resourceVersionMatch=Exact', 'resourceVersion=0&resourceVersionMatch=Exact', 'resourceVersion=1&resourceVersionMatch=Nearly'])
    assert.equal((await t.call('GET', `${path}?${query}`)).status, 422, query)
  assert.equal((await t.call('GET', `${path}?resourceVersion=abc`)).status, 400)
  assert.equal((await t.call('GET', `${path}?continue=abc`)).status, 400)
})

test('a page whose revision was compacted is gone; its token leads on', async () => {
  const first = await t.call('GET', `${path}?limit=2`)
  await t.call('POST', path, { metadata: { name: 'zz' } })
  await t.call('POST', path, { metadata: { name: 'zzz' } })
  await t.store.compact(await t.store.revision())
  const second = await t.call('GET', `${path}?limit=2&continue=${first.object.metadata.continue}`)
  assert.equal(second.status, 410)
  assert.equal(second.object.reason, 'Expired')
  const resumed = await t.call('GET', `${path}?continue=${second.object.metadata.continue}`)
  assert.equal(resumed.status, 200)
  assert.equal(names(resumed.object.items).at(-1), 'zzz')
  assert.equal((await t.call('GET', `${path}?resourceVersion=2&resourceVersionMatch=Exact`)).status, 410)
})

test('tables and metadata alone, where the client accepts them', async () => {
  const table = await t.call('GET', path, undefined, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' } })
  assert.equal(table.object.kind, 'Table')
  const [row] = table.object.rows as { cells: unknown[]; object: { kind: string } }[]
  assert.equal(row?.cells[0], 'c0')
  assert.equal(row?.object.kind, 'PartialObjectMetadata')
  const partial = await t.call('GET', path, undefined, { headers: { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' } })
  assert.equal(partial.object.kind, 'PartialObjectMetadataList')
  assert.equal((await t.call('GET', path, undefined, { headers: { accept: 'text/csv' } })).status, 406)
})

test('numbers that are none are refused', async () => {
  for (const query of ['limit=many', 'limit=1.5', 'watch=1&timeoutSeconds=soon']) {
    const { status, object } = await t.call('GET', `${path}?${query}`)
    assert.equal(status, 400, query)
    assert.match(String(object.message), /^strconv\.ParseInt: parsing ".+": invalid syntax$/)
  }
  assert.equal((await t.call('DELETE', `${path}/c0?gracePeriodSeconds=now`)).status, 400)
})
