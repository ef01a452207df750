import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

let t: TestServer
const path = '/api/v1/namespaces/demo/configmaps'
const merge = { contentType: 'application/merge-patch+json' }

before(async () => {
  t = await startTestServer()
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'demo' } })
})
after(() => t.stop())

const create = async (name: string, metadata: object = {}) => (await t.call('POST', path, { metadata: { name, ...metadata } })).object

test('an object that nothing holds goes at once', async () => {
  const { metadata } = await create('plain')
  const { status, object } = await t.call('DELETE', `${path}/plain`)
  assert.equal(status, 200)
  assert.deepEqual(object.details, { name: 'plain', kind: 'configmaps', uid: metadata.uid })
  assert.equal((await t.call('GET', `${path}/plain`)).status, 404)
})

test('finalizers hold an object until the last is gone', async () => {
  await create('held', { finalizers: ['example.com/a'] })
  const marked = await t.call('DELETE', `${path}/held`)
  assert.ok(marked.object.metadata.deletionTimestamp)
  assert.equal((await t.call('GET', `${path}/held`)).status, 200)
  const more = await t.call('PATCH', `${path}/held`, { metadata: { finalizers: ['example.com/a', 'example.com/b'] } }, merge)
  assert.equal(more.status, 422)
  assert.match(more.object.message ?? '', /no new finalizers can be added if the object is being deleted/)
  const last = await t.call('PATCH', `${path}/held`, { metadata: { finalizers: null } }, merge)
  assert.equal(last.status, 200)
  assert.equal((await t.call('GET', `${path}/held`)).status, 404)
})

test('the propagation policy is carried by finalizers', async () => {
  await create('foreground')
  const foreground = await t.call('DELETE', `${path}/foreground`, { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Foreground' })
  assert.deepEqual(foreground.object.metadata.finalizers, ['foregroundDeletion'])
  await create('orphan')
  const orphan = await t.call('DELETE', `${path}/orphan?propagationPolicy=Orphan`)
  assert.deepEqual(orphan.object.metadata.finalizers, ['orphan'])
  const changed = await t.call('DELETE', `${path}/orphan?propagationPolicy=Background`)
  assert.equal(changed.object.status, 'Success')
  assert.equal((await t.call('DELETE', `${path}/foreground?propagationPolicy=Sideways`)).status, 400)
})

test('preconditions protect against deleting another than was meant', async () => {
  const { metadata } = await create('precise')
  const wrong = await t.call('DELETE', `${path}/precise`, { preconditions: { uid: 'other' } })
  assert.equal(wrong.status, 409)
  assert.match(wrong.object.message ?? '', /Precondition failed: UID in precondition: other, UID in object meta: /)
  assert.equal((await t.call('DELETE', `${path}/precise`, { preconditions: { resourceVersion: '1' } })).status, 409)
  assert.equal((await t.call('DELETE', `${path}/precise`, { preconditions: { uid: metadata.uid } })).status, 200)
})

test('dry run deletes nothing', async () => {
  await create('kept')
  assert.equal((await t.call('DELETE', `${path}/kept?dryRun=All`)).status, 200)
  assert.equal((await t.call('GET', `${path}/kept`)).status, 200)
})

test('a pod on a node ends gracefully, and at once when told so', async () => {
  const pods = '/api/v1/namespaces/demo/pods'
  await t.call('POST', pods, { metadata: { name: 'p' }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] } })
  await t.call('PATCH', `${pods}/p/status`, { status: { phase: 'Running' } }, merge)
  const marked = await t.call('DELETE', `${pods}/p`)
  assert.equal(marked.object.metadata.deletionGracePeriodSeconds, 30)
  const shorter = await t.call('DELETE', `${pods}/p?gracePeriodSeconds=10`)
  assert.equal(shorter.object.metadata.deletionGracePeriodSeconds, 10)
  assert.equal(Date.parse(marked.object.metadata.deletionTimestamp ?? '') - Date.parse(shorter.object.metadata.deletionTimestamp ?? ''), 20_000)
  const longer = await t.call('DELETE', `${pods}/p?gracePeriodSeconds=60`)
  assert.equal(longer.object.metadata.resourceVersion, shorter.object.metadata.resourceVersion)
  assert.equal((await t.call('DELETE', `${pods}/p?gracePeriodSeconds=0`)).status, 200)
  assert.equal((await t.call('GET', `${pods}/p`)).status, 404)
})

test('a namespace waits for its own finalizers, worked off through finalize', async () => {
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'ending' } })
  const marked = await t.call('DELETE', '/api/v1/namespaces/ending')
  assert.deepEqual(marked.object.status, { phase: 'Terminating' })
  const again = await t.call('DELETE', '/api/v1/namespaces/ending')
  assert.equal(again.status, 200)
  const current = await t.call('GET', '/api/v1/namespaces/ending')
  assert.equal(current.status, 200)
  const finalized = await t.call('PUT', '/api/v1/namespaces/ending/finalize', { ...current.object, spec: {} })
  assert.equal(finalized.status, 200)
  assert.equal((await t.call('GET', '/api/v1/namespaces/ending')).status, 404)
})

test('a collection is deleted by its selectors', async () => {
  await create('c1', { labels: { group: 'a' } })
  await create('c2', { labels: { group: 'a' } })
  await create('c3', { labels: { group: 'b' } })
  const { object } = await t.call('DELETE', `${path}?labelSelector=group=a`)
  assert.deepEqual(object.items.map(({ metadata }) => metadata.name).sort(), ['c1', 'c2'])
  assert.equal((await t.call('GET', `${path}/c3`)).status, 200)
})
