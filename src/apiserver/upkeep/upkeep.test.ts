import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../../machinery/virtual-clock.ts'
import { startTestServer } from '../testing/test-server.ts'

test('the past is forgotten, but for the last while', async () => {
  const clock = new VirtualClock()
  const t = await startTestServer({ clock })
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'demo' } })
  await clock.advance(5 * 60_000)
  const then = await t.store.revision()
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'later' } })
  assert.equal(await t.store.compactedRevision(), 0)
  await clock.advance(5 * 60_000)
  assert.equal(await t.store.compactedRevision(), then)
  await t.stop()
})

test('events go an hour after they were last seen', async () => {
  const clock = new VirtualClock()
  const t = await startTestServer({ clock })
  const path = '/api/v1/namespaces/default/events'
  const involvedObject = { kind: 'Pod', namespace: 'default', name: 'p' }
  const made = await t.call('POST', path, { metadata: { name: 'old' }, involvedObject, reason: 'Tried', message: 'm', type: 'Normal' })
  assert.equal(made.status, 201)
  await clock.advance(59 * 60_000)
  assert.equal((await t.call('GET', `${path}/old`)).status, 200)
  await clock.advance(3 * 60_000)
  assert.equal((await t.call('GET', `${path}/old`)).status, 404)
  await t.stop()
})
