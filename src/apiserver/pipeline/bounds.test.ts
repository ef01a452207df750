import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../../machinery/virtual-clock.ts'
import type { ServerPartFactory } from '../contracts.ts'
import { parseRequestInfo } from '../request-info.ts'
import { startTestServer } from '../testing/test-server.ts'
import { timeOf } from './deadline.ts'
import { InFlight } from './in-flight.ts'

const user = { name: 'jane', groups: ['system:authenticated'] }
const info = (method: string, path: string, query = '') => parseRequestInfo(method, path, new URLSearchParams(query))
const get = info('GET', '/api/v1/namespaces/a/pods/x')
const post = info('POST', '/api/v1/namespaces/a/pods')

test('reading and changing are counted apart; what lasts and superusers are not', async () => {
  const bounds = new InFlight(new VirtualClock(), { reading: 1, mutating: 1, waiting: 0, patience: 1000 })
  const leave = bounds.enter(user, get)
  assert.equal(typeof leave, 'function')
  assert.throws(() => bounds.enter(user, get), { reason: 'TooManyRequests', code: 429 })
  assert.equal(typeof bounds.enter(user, post), 'function')
  assert.equal(bounds.enter(user, info('GET', '/api/v1/pods', 'watch=true')), undefined)
  assert.equal(bounds.enter({ name: 'root', groups: ['system:masters'] }, get), undefined)
  if (typeof leave === 'function') leave()
  assert.equal(typeof bounds.enter(user, get), 'function')
})

test('what finds no place waits for one, and not for ever', async () => {
  const clock = new VirtualClock()
  const bounds = new InFlight(clock, { reading: 1, mutating: 1, waiting: 2, patience: 1000 })
  const first = bounds.enter(user, get)
  const second = bounds.enter(user, get)
  const third = bounds.enter(user, get)
  assert.ok(second instanceof Promise && third instanceof Promise)
  if (typeof first === 'function') first()
  assert.equal(typeof (await second), 'function')
  const refused = assert.rejects(third, { reason: 'TooManyRequests' })
  await clock.advance(1000)
  await refused
})

test('a request that takes too long is answered all the same', async () => {
  const clock = new VirtualClock()
  const slow: ServerPartFactory = () => ({
    name: 'slow',
    handlers: [{ name: 'slow', paths: ['/slow'], handle: () => new Promise(() => {}) }],
  })
  const t = await startTestServer({ clock, parts: [slow] })
  const answer = t.call('GET', '/slow?timeout=5s')
  await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(5000)
  const { status, object } = await answer
  assert.equal(status, 504)
  assert.equal(object.reason, 'Timeout')
  await t.stop()
  assert.equal(timeOf({ query: new URLSearchParams('timeout=1m30s') } as Parameters<typeof timeOf>[0]), 60_000)
})

test('an object that is too large for the store is refused', async () => {
  const t = await startTestServer()
  const { status, object } = await t.call('POST', '/apis/apps/v1/namespaces/default/controllerrevisions', {
    metadata: { name: 'large' },
    revision: 1,
    data: { text: 'x'.repeat(1.6 * 1024 * 1024) },
  })
  assert.equal(status, 500)
  assert.equal(object.message, 'etcdserver: request is too large')
  await t.stop()
})
