import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServerPartFactory } from '../contracts.ts'
import { startTestServer } from '../testing/test-server.ts'

const failing: ServerPartFactory = () => ({
  name: 'failing',
  healthChecks: [
    {
      name: 'broken',
      of: ['readyz'],
      check() {
        throw new Error('secret reason')
      },
    },
  ],
})

test('health: all checks, one, verbose, and some left out', async () => {
  const t = await startTestServer({ parts: [failing] })
  const text = async (path: string) => {
    const { status, object } = await t.call('GET', path)
    return `${status} ${String(object.text)}`
  }
  assert.equal(await text('/livez'), '200 ok')
  assert.equal(await text('/healthz/ping'), '200 ok')
  assert.equal(await text('/readyz'), '500 [+]ping ok\n[+]etcd ok\n[-]broken failed: reason withheld\n[+]poststarthook/parts ok\nreadyz check failed\n')
  assert.match(await text('/readyz?exclude=broken&verbose'), /^200 \[\+\]ping ok\n.*\n\[\+\]broken excluded: ok\nreadyz check passed\n$/s)
  assert.equal((await t.call('GET', '/livez/broken')).status, 404)
  await t.stop()
})

test('requests are counted and timed under the names that dashboards know', async () => {
  const t = await startTestServer()
  await t.call('GET', '/api/v1/namespaces/none')
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'x' } })
  const { object } = await t.call('GET', '/metrics')
  const text = String(object.text)
  assert.match(
    text,
    /^apiserver_request_total\{component="apiserver",verb="GET",group="",version="v1",resource="namespaces",subresource="",scope="resource",dry_run="",code="404"\} 1$/m,
  )
  assert.match(text, /^apiserver_request_duration_seconds_count\{component="apiserver",verb="POST",.*\} 1$/m)
  assert.match(text, /^apiserver_storage_objects\{resource="namespaces"\} 1$/m)
  await t.stop()
})
