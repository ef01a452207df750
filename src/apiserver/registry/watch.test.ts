import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { VirtualClock } from '../../machinery/virtual-clock.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

let t: TestServer
let clock: VirtualClock
const path = '/api/v1/namespaces/demo/configmaps'
const merge = { contentType: 'application/merge-patch+json' }

before(async () => {
  clock = new VirtualClock()
  t = await startTestServer({ clock })
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'demo' } })
})
after(() => t.stop())

const create = async (name: string, labels: Record<string, string> = {}) => (await t.call('POST', path, { metadata: { name, labels } })).object
type Watch = Awaited<ReturnType<TestServer['watch']>>
async function next(watch: Watch): Promise<string> {
  const { value, done } = await watch.next()
  if (done) return 'end'
  return `${value.type} ${value.object.metadata?.name ?? ''}`.trim()
}

test('tells every change after a revision, in order', async () => {
  const { metadata } = await create('w1')
  await create('w2')
  const watch = await t.watch(`${path}?watch=true&resourceVersion=${metadata.resourceVersion}`)
  assert.equal(await next(watch), 'ADDED w2')
  await t.call('PATCH', `${path}/w1`, { data: { a: 'b' } }, merge)
  assert.equal(await next(watch), 'MODIFIED w1')
  await t.call('DELETE', `${path}/w1`)
  const { value } = await watch.next()
  assert.equal(value.type, 'DELETED')
  assert.ok(Number(value.object.metadata.resourceVersion) > Number(metadata.resourceVersion))
  await watch.return?.()
})

test('an object that stops to match is deleted for who watches', async () => {
  const { metadata } = await create('moving', { on: 'yes' })
  const watch = await t.watch(`${path}?watch=true&labelSelector=on=yes&resourceVersion=${metadata.resourceVersion}`)
  const label = (on: string) => t.call('PATCH', `${path}/moving`, { metadata: { labels: { on } } }, merge)
  await label('no')
  assert.equal(await next(watch), 'DELETED moving')
  await label('still no')
  await label('yes')
  assert.equal(await next(watch), 'ADDED moving')
  await watch.return?.()
})

test('initial events end with a bookmark that says so', async () => {
  await create('initial')
  const watch = await t.watch(`${path}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`)
  for (;;) {
    const { value } = await watch.next()
    if (value.type === 'ADDED') continue
    assert.equal(value.type, 'BOOKMARK')
    assert.equal(value.object.metadata.annotations?.['k8s.io/initial-events-end'], 'true')
    break
  }
  await watch.return?.()
  const refused = await t.call('GET', `${path}?watch=1&sendInitialEvents=true`)
  assert.equal(refused.status, 422)
})

test('bookmarks come each minute to who asked for them, and a watch ends by its time', async () => {
  const watch = await t.watch(`${path}?watch=1&allowWatchBookmarks=true&timeoutSeconds=90&resourceVersion=${await t.store.revision()}`)
  await clock.advance(60_000)
  assert.equal(await next(watch), 'BOOKMARK')
  await clock.advance(28_000)
  assert.equal(await next(watch), 'BOOKMARK')
  await clock.advance(2_000)
  assert.equal(await next(watch), 'end')
})

test('pods of one node, by the index', async () => {
  const pods = '/api/v1/namespaces/demo/pods'
  const watch = await t.watch(`/api/v1/pods?watch=1&fieldSelector=spec.nodeName=n1&resourceVersion=${await t.store.revision()}`)
  const pod = (name: string, nodeName?: string) => ({
    metadata: { name },
    spec: { ...(nodeName ? { nodeName } : {}), containers: [{ name: 'c', image: 'i' }] },
  })
  await t.call('POST', pods, pod('elsewhere', 'n2'))
  await t.call('POST', pods, pod('bound'))
  const bound = await t.call('POST', `${pods}/bound/binding`, { metadata: { name: 'bound' }, target: { kind: 'Node', name: 'n1' } })
  assert.equal(bound.status, 201)
  const { value } = await watch.next()
  assert.deepEqual([value.type, value.object.metadata.name], ['ADDED', 'bound'])
  assert.equal((value.object.status as unknown as { conditions: { type: string }[] }).conditions.at(-1)?.type, 'PodScheduled')
  const again = await t.call('POST', `${pods}/bound/binding`, { metadata: { name: 'bound' }, target: { kind: 'Node', name: 'n3' } })
  assert.equal(again.status, 409)
  await watch.return?.()
})

test('a watch from before the window is served by the store, and from before its compaction is told so', async () => {
  const old = await t.store.revision()
  await create('before restart')
  await create('before-restart')
  const restarted = await startTestServer({ clock, store: t.store })
  const watch = await restarted.watch(`${path}?watch=1&resourceVersion=${old}`)
  assert.equal(await next(watch), 'ADDED before-restart')
  await create('after-restart')
  assert.equal(await next(watch), 'ADDED after-restart')
  await watch.return?.()
  await t.store.compact(await t.store.revision())
  const late = await restarted.watch(`${path}?watch=1&resourceVersion=${old}`)
  const { value } = await late.next()
  assert.equal(value.type, 'ERROR')
  assert.deepEqual([value.object.code, value.object.reason], [410, 'Expired'])
  assert.equal((await late.next()).done, true)
  await restarted.server.stop()
})

test('who goes away is not written to any more', async () => {
  const gone = new AbortController()
  const watch = await t.watch(`${path}?watch=1&resourceVersion=${await t.store.revision()}`, { signal: gone.signal })
  gone.abort()
  assert.equal((await watch.next()).done, true)
})
