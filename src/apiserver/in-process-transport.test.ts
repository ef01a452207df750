import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigMap } from '../apis/core/config-map.ts'
import { Namespace } from '../apis/core/namespace.ts'
import { createClient } from '../client/api-client.ts'
import { isApiError } from '../machinery/errors.ts'
import { createInProcessTransport } from './in-process-transport.ts'
import { startTestServer } from './testing/test-server.ts'

test('a client in process goes the whole way, as its user, and shares what it reads', async () => {
  const t = await startTestServer()
  const transport = createInProcessTransport(t.server, { user: { name: 'system:component', groups: [] }, userAgent: 'component' })
  const client = createClient(transport, { userAgent: 'component' })
  await client.create(Namespace, { metadata: { name: 'demo' }, spec: {} })
  const draft = { metadata: { name: 'c', namespace: 'demo' }, data: { a: 'b' } }
  const made = await client.because({ component: 'component', seen: [2] }).create(ConfigMap, draft)
  assert.deepEqual(draft, { metadata: { name: 'c', namespace: 'demo' }, data: { a: 'b' } })
  assert.equal(made, await client.get(ConfigMap, { name: 'c', namespace: 'demo' }))
  assert.deepEqual([t.writes.at(-1)?.user.name, t.writes.at(-1)?.cause?.seen], ['system:component', [2]])

  const events: string[] = []
  const stop = new AbortController()
  const watching = (async () => {
    for await (const { type } of client.watch(ConfigMap, { namespace: 'demo', resourceVersion: made.metadata.resourceVersion, signal: stop.signal })) {
      events.push(type)
      if (events.length === 2) return
    }
  })()
  await client.patch(ConfigMap, { name: 'c', namespace: 'demo' }, 'merge', { data: { c: 'd' } })
  await client.delete(ConfigMap, { name: 'c', namespace: 'demo' })
  await watching
  assert.deepEqual(events, ['MODIFIED', 'DELETED'])
  await assert.rejects(client.get(ConfigMap, { name: 'c', namespace: 'demo' }), (error) => isApiError(error, 'NotFound'))
  transport.close()
  await t.stop()
})
