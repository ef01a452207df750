import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { type Labels, sumIn, valueIn } from '../../machinery/metrics/testing/read-metrics.ts'
import { VirtualClock } from '../../machinery/virtual-clock.ts'
import { MemoryStore } from '../../store/memory-store.ts'
import type { ServerPartFactory } from '../contracts.ts'
import type { ApiRequest } from '../request.ts'
import { createApiServer } from '../server.ts'
import { allowEverything, startTestServer, type TestServer } from '../testing/test-server.ts'

const pods = { group: '', version: 'v1', resource: 'pods' }
const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })

/** Takes over connections, waits without end, and refuses what it is not asked for. */
const odd: ServerPartFactory = () => ({
  name: 'odd',
  handlers: [
    { name: 'exec', resources: ['pods/exec'], handle: async () => ({ kind: 'hijacked' }) },
    { name: 'slow', paths: ['/slow'], handle: () => new Promise(() => {}) },
  ],
  admission: [
    {
      name: 'NoSecrets',
      validate({ object }) {
        if (object?.kind === 'Secret') throw new Error('no secrets here')
      },
    },
  ],
})

describe('what an API server tells of itself', () => {
  const clock = new VirtualClock()
  let t: TestServer
  let text: (path?: string) => Promise<string>
  const value = async (name: string, labels?: Labels) => valueIn(await text(), name, labels)
  before(async () => {
    t = await startTestServer({ clock, parts: [odd] })
    text = async (path = '/metrics') => String((await t.call('GET', path)).object.text)
    await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'a' } })
  })
  after(() => t.stop())

  it('watches and connections are counted for as long as they last', async () => {
    const labels = { ...pods, verb: 'WATCH', scope: 'namespace', subresource: '', component: 'apiserver' }
    assert.equal(await value('apiserver_longrunning_requests', labels), 0)
    const abort = new AbortController()
    await t.watch('/api/v1/namespaces/a/pods?watch=true', { signal: abort.signal })
    await t.watch('/api/v1/namespaces/a/pods?watch=true', { signal: abort.signal })
    assert.equal(await value('apiserver_longrunning_requests', labels), 2)
    assert.equal(await value('apiserver_registered_watchers', { kind: 'Pod' }), 2)
    abort.abort()
    assert.equal(await value('apiserver_longrunning_requests', labels), 0)

    const socket = Object.assign(new EventEmitter(), { destroyed: false })
    const request: ApiRequest = {
      method: 'POST',
      path: '/api/v1/namespaces/a/pods/web/exec',
      query: new URLSearchParams(),
      headers: {},
      remoteAddress: '',
      signal: new AbortController().signal,
      upgrade: { socket } as unknown as NonNullable<ApiRequest['upgrade']>,
    }
    await t.server.handle(request)
    const exec = { ...pods, verb: 'CONNECT', subresource: 'exec', scope: 'resource' }
    assert.equal(await value('apiserver_longrunning_requests', exec), 1)
    assert.equal(await value('apiserver_request_total', { ...exec, code: '101' }), 1)
    socket.emit('close')
    assert.equal(await value('apiserver_longrunning_requests', exec), 0)
  })

  it('requests by the time that counts for the service level', async () => {
    const labels = { verb: 'POST', resource: 'configmaps', scope: 'resource' }
    await t.call('POST', '/api/v1/namespaces/a/configmaps', configMap('one'))
    assert.equal(await value('apiserver_request_sli_duration_seconds_count', labels), 1)
    await t.call('POST', '/api/v1/namespaces/a/configmaps', configMap('two'))
    assert.equal(await value('apiserver_request_sli_duration_seconds_count', labels), 2)
    const page = await text()
    const allowed = { result: 'allowed' }
    assert.equal(valueIn(page, 'authorization_duration_seconds_count', allowed), valueIn(page, 'authorization_attempts_total', allowed))
    assert.ok((await value('authentication_duration_seconds_count', { result: 'success' })) > 0)
  })

  it('steps of admission, and whether they refused', async () => {
    const step = (rejected: string) => value('apiserver_admission_step_admission_duration_seconds_count', { operation: 'CREATE', type: 'validate', rejected })
    const [passed, refused] = [await step('false'), await step('true')]
    await t.call('POST', '/api/v1/namespaces/a/configmaps', configMap('three'))
    await t.call('POST', '/api/v1/namespaces/a/secrets', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } })
    assert.deepEqual([await step('false'), await step('true')], [passed + 1, refused + 1])
  })

  it('deprecated APIs that somebody still asks for', async () => {
    const labels = { group: '', version: 'v1', resource: 'endpoints', removed_release: '' }
    assert.equal(await value('apiserver_requested_deprecated_apis', labels), 0)
    await t.call('GET', '/api/v1/namespaces/a/endpoints')
    assert.equal(await value('apiserver_requested_deprecated_apis', labels), 1)
  })

  it('requests that took too long', async () => {
    assert.equal(await value('apiserver_request_terminations_total', { code: '504' }), 0)
    const answer = t.call('GET', '/slow?timeout=5s')
    await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(5000)
    assert.equal((await answer).status, 504)
    assert.equal(await value('apiserver_request_terminations_total', { code: '504', verb: 'GET' }), 1)
  })

  it('what caches were told, hold and gave', async () => {
    const labels = { group: '', resource: 'configmaps' }
    const counts = async () => {
      const page = await text()
      return [
        'watch_cache_events_received_total',
        'watch_cache_events_dispatched_total',
        'cache_list_total',
        'cache_list_fetched_objects_total',
        'cache_list_returned_objects_total',
      ].map((name) => valueIn(page, `apiserver_${name}`, labels))
    }
    await t.call('GET', '/api/v1/namespaces/a/configmaps')
    const held = ((await t.call('GET', '/api/v1/namespaces/a/configmaps')).object.items as unknown[]).length
    const before = await counts()
    await t.call('POST', '/api/v1/namespaces/a/configmaps', configMap('four'))
    await t.call('GET', `/api/v1/namespaces/a/configmaps?fieldSelector=${encodeURIComponent('metadata.name!=four')}`)
    const [events = 0, dispatched = 0, lists = 0, fetched = 0, returned = 0] = before
    assert.deepEqual(await counts(), [events + 1, dispatched + 1, lists + 1, fetched + held + 1, returned + held])
    assert.equal(await value('apiserver_watch_cache_initializations_total', labels), 1)
    assert.equal(await value('watch_cache_capacity', labels), 2048)
    assert.equal(await value('apiserver_watch_cache_resource_version', labels), await t.store.revision())
  })

  it('lists out of the past come from the store', async () => {
    const before = await value('apiserver_storage_list_total', { resource: 'configmaps' })
    const { object } = await t.call('GET', '/api/v1/namespaces/a/configmaps?limit=1')
    await t.call('POST', '/api/v1/namespaces/a/configmaps', configMap('five'))
    const token = (object.metadata as { continue?: string }).continue ?? ''
    assert.equal((await t.call('GET', `/api/v1/namespaces/a/configmaps?limit=1&continue=${encodeURIComponent(token)}`)).status, 200)
    assert.equal(await value('apiserver_storage_list_total', { resource: 'configmaps' }), before + 1)
  })

  it('a watch that does not keep up is ended, and counted', async () => {
    const labels = { group: '', resource: 'configmaps' }
    assert.equal(await value('apiserver_terminated_watchers_total', labels), 0)
    await t.watch('/api/v1/namespaces/a/configmaps?watch=true')
    const { object } = await t.call('GET', '/api/v1/namespaces/a/configmaps/one')
    let { resourceVersion } = object.metadata
    for (let i = 0; i <= 4096; i++) {
      const put = await t.call('PUT', '/api/v1/namespaces/a/configmaps/one', {
        ...object,
        metadata: { ...object.metadata, resourceVersion },
        data: { i: String(i) },
      })
      resourceVersion = put.object.metadata.resourceVersion
    }
    assert.equal(await value('apiserver_terminated_watchers_total', labels), 1)
  })

  it('whether it is well, on a page of its own, without anybody having asked', async () => {
    const page = await text('/metrics/slis')
    assert.equal(valueIn(page, 'kubernetes_healthcheck', { name: 'etcd', type: 'livez' }), 1)
    assert.equal(valueIn(page, 'kubernetes_healthchecks_total', { name: 'etcd', type: 'readyz', status: 'success' }), 1)
    assert.equal(sumIn(await text(), 'kubernetes_healthcheck'), 0)
  })
})

it('who finds too many before them is counted', async () => {
  const server = createApiServer({
    store: new MemoryStore(),
    clock: new VirtualClock(),
    parts: [odd, allowEverything],
    limits: { reading: 1, mutating: 1, waiting: 0, patience: 1000 },
  })
  await server.start()
  const get = (path: string) =>
    server.handle({ method: 'GET', path, query: new URLSearchParams(), headers: {}, remoteAddress: '', signal: new AbortController().signal })
  void get('/slow')
  await new Promise((resolve) => setImmediate(resolve))
  const refused = await get('/api/v1/namespaces')
  assert.equal(refused.kind === 'object' && refused.status, 429)
  const labels = { code: '429', verb: 'LIST', resource: 'namespaces' }
  assert.equal(valueIn(server.access.metrics.text(), 'apiserver_request_terminations_total', labels), 1)
  await server.stop()
})
