import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

let t: TestServer
const pods = '/api/v1/namespaces/demo/pods'

before(async () => {
  t = await startTestServer()
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'demo' } })
})
after(() => t.stop())

test('a pod is given to a node once, and is of the same generation after it', async () => {
  await t.call('POST', pods, { metadata: { name: 'web', generation: 7 }, spec: { containers: [{ name: 'c', image: 'i' }] } })
  const bind = (name: string) =>
    t.call('POST', `${pods}/web/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'web' }, target: { kind: 'Node', name } })
  assert.equal((await bind('n')).status, 201)
  const { object } = await t.call('GET', `${pods}/web`)
  assert.equal((object.spec as unknown as { nodeName: string }).nodeName, 'n')
  assert.equal(object.metadata.generation, 1)
  const { conditions } = object.status as unknown as { conditions: object[] }
  assert.partialDeepStrictEqual(conditions, [{ type: 'PodScheduled', status: 'True', observedGeneration: 1 }])
  const again = await bind('other')
  assert.equal(again.status, 409)
  assert.match(again.object.message as unknown as string, /pod web is already assigned to node "n"/)
})

test('where a pod would have gone is forgotten when it is given to a node', async () => {
  await t.call('POST', pods, { metadata: { name: 'urgent' }, spec: { containers: [{ name: 'c', image: 'i' }] } })
  const merge = { contentType: 'application/merge-patch+json' }
  const nominated = await t.call('PATCH', `${pods}/urgent/status`, { status: { nominatedNodeName: 'n' } }, merge)
  assert.equal((nominated.object.status as { nominatedNodeName?: string }).nominatedNodeName, 'n')
  await t.call('POST', `${pods}/urgent/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'urgent' }, target: { kind: 'Node', name: 'n' } })
  const { object } = await t.call('GET', `${pods}/urgent`)
  assert.equal('nominatedNodeName' in (object.status as unknown as object), false)
})
