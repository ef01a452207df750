import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

let t: TestServer
const v1 = '/apis/autoscaling/v1/namespaces/demo/horizontalpodautoscalers'
const v2 = '/apis/autoscaling/v2/namespaces/demo/horizontalpodautoscalers'

before(async () => {
  t = await startTestServer()
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'demo' } })
})
after(() => t.stop())

test('a kind of two versions is stored once and read, watched and changed as either', async () => {
  const watch = await t.watch(`${v1}?watch=1`)
  const scaleTargetRef = { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' }
  const made = await t.call('POST', v1, { metadata: { name: 'h' }, spec: { scaleTargetRef, maxReplicas: 3, targetCPUUtilizationPercentage: 70 } })
  assert.equal(made.status, 201)
  assert.equal(made.object.apiVersion, 'autoscaling/v1')
  const newer = await t.call('GET', `${v2}/h`)
  assert.equal(newer.object.apiVersion, 'autoscaling/v2')
  assert.equal((newer.object.spec as { metrics: unknown[] }).metrics.length, 1)
  const older = await t.call('GET', v1)
  assert.equal(older.object.kind, 'HorizontalPodAutoscalerList')
  assert.deepEqual(older.object.items[0]?.spec, { minReplicas: 1, ...(made.object.spec as object) })
  const { value } = await watch.next()
  assert.equal(value.object.apiVersion, 'autoscaling/v1')
  const patched = await t.call('PATCH', `${v1}/h`, { spec: { maxReplicas: 5 } }, { contentType: 'application/merge-patch+json' })
  assert.equal((patched.object.spec as { maxReplicas: number }).maxReplicas, 5)
  const stored = await t.store.get('/registry/horizontalpodautoscalers/demo/h')
  assert.equal(JSON.parse(Buffer.from(stored.kv?.value ?? []).toString()).apiVersion, 'autoscaling/v2')
  await watch.return?.()
})

test('what is stored is as upstream stores it: no revision, the kind first', async () => {
  await t.call('POST', '/api/v1/namespaces/demo/configmaps', { metadata: { name: 'c' }, data: { a: 'b' } })
  const { kv } = await t.store.get('/registry/configmaps/demo/c')
  const text = Buffer.from(kv?.value ?? []).toString()
  assert.ok(text.startsWith('{"kind":"ConfigMap","apiVersion":"v1","metadata":{'))
  assert.equal(text.includes('resourceVersion'), false)
})

test('what is read is shared and never changed by a write', async () => {
  const path = '/api/v1/namespaces/demo/configmaps/shared'
  const { object: made } = await t.call('POST', '/api/v1/namespaces/demo/configmaps', { metadata: { name: 'shared' }, data: { a: '1' } })
  const { object: read } = await t.call('GET', path)
  assert.equal(read, (await t.call('GET', path)).object)
  assert.equal(read, made)
  const before = JSON.stringify(read)
  await t.call('PATCH', path, { data: { b: '2' }, metadata: { labels: { c: 'd' } } }, { contentType: 'application/merge-patch+json' })
  await t.call('PUT', path, { ...read, metadata: { name: 'shared' }, data: {} })
  assert.equal(JSON.stringify(read), before)
})
