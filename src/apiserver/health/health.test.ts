import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStrictly } from '../../machinery/metrics/testing/strict-parser.ts'
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
  const { object } = await t.call('GET', '/metrics/slis')
  const checks = parseStrictly(String(object.text)).get('kubernetes_healthcheck')?.samples ?? []
  assert.deepEqual(
    checks.filter(({ labels }) => labels.type === 'readyz').map(({ labels, value }) => [labels.name, value]),
    [
      ['ping', 1],
      ['etcd', 1],
      ['broken', 0],
      ['poststarthook/parts', 1],
    ],
  )
  await t.stop()
})

test('requests are counted and timed under the names that dashboards know', async () => {
  const t = await startTestServer()
  await t.call('GET', '/api/v1/namespaces/none')
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'x' } })
  const { object } = await t.call('GET', '/metrics')
  const families = parseStrictly(String(object.text))
  const value = (name: string, wanted: Record<string, string>) =>
    families
      .get(name.replace(/_count$/, ''))
      ?.samples.find((one) => one.name === name && Object.entries(wanted).every(([label, text]) => one.labels[label] === text))?.value
  const about = { group: '', version: 'v1', resource: 'namespaces', subresource: '', scope: 'resource', dry_run: '', component: 'apiserver' }
  assert.equal(value('apiserver_request_total', { ...about, verb: 'GET', code: '404' }), 1)
  assert.equal(value('apiserver_request_duration_seconds_count', { ...about, verb: 'POST' }), 1)
  assert.equal(value('apiserver_storage_objects', { resource: 'namespaces' }), 1)
  assert.equal(value('apiserver_resource_objects', { group: '', resource: 'namespaces' }), 1)
  assert.equal(value('etcd_requests_total', { operation: 'create', type: 'namespaces' }), 1)
  assert.equal(value('apiserver_current_inflight_requests', { request_kind: 'mutating' }), 0)
  assert.equal(value('authorization_attempts_total', { result: 'allowed' }), 3)
  assert.ok((value('apiserver_storage_size_bytes', {}) ?? 0) > 0)
  await t.stop()
})
