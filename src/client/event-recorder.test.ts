import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../machinery/virtual-clock.ts'
import { createClient } from './api-client.ts'
import { createEventRecorder } from './event-recorder.ts'
import { silentLogger } from './logger.ts'
import { Event } from './resources.ts'
import { MemoryServer } from './testing/memory-server.ts'

const pod = (name = 'web') => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: '7', creationTimestamp: '' },
})

function setUp() {
  const clock = new VirtualClock()
  const server = new MemoryServer(clock)
  const client = createClient(server, { userAgent: 'test' })
  const recorder = createEventRecorder({ client, clock, log: silentLogger, component: 'kubelet', host: 'node-1' })
  const events = async () => (await client.list(Event)).items
  return { clock, server, recorder, events }
}

test('records an event in the shape of core/v1', async () => {
  const { clock, recorder, events } = setUp()
  recorder.event(pod(), 'Normal', 'Started', 'Started container web', { fieldPath: 'spec.containers{web}' })
  await clock.advance(1)
  const [event] = await events()
  assert.ok(event)
  assert.match(event.metadata.name, /^web\.[0-9a-f]{16}$/)
  assert.equal(event.metadata.namespace, 'default')
  assert.deepEqual(event.involvedObject, {
    kind: 'Pod',
    namespace: 'default',
    name: 'web',
    uid: 'uid-web',
    apiVersion: 'v1',
    resourceVersion: '7',
    fieldPath: 'spec.containers{web}',
  })
  assert.deepEqual(event.source, { component: 'kubelet', host: 'node-1' })
  assert.equal(event.reportingComponent, 'kubelet')
  assert.equal(event.firstTimestamp, '2026-01-01T00:00:00Z')
  assert.equal(event.count, 1)
})

test('the same again is counted on the first', async () => {
  const { clock, recorder, events } = setUp()
  for (let i = 0; i < 3; i++) {
    recorder.event(pod(), 'Warning', 'BackOff', 'Back-off restarting')
    await clock.advance(10_000)
  }
  const all = await events()
  assert.equal(all.length, 1)
  assert.equal(all[0]?.count, 3)
  assert.equal(all[0]?.firstTimestamp, '2026-01-01T00:00:00Z')
  assert.equal(all[0]?.lastTimestamp, '2026-01-01T00:00:20Z')
})

test('many that are alike are combined', async () => {
  const { clock, recorder, events } = setUp()
  for (let i = 1; i <= 14; i++) recorder.event(pod(), 'Normal', 'SuccessfulCreate', `Created pod: web-${i}`)
  await clock.advance(10)
  const all = await events()
  assert.equal(all.length, 10)
  const combined = all.find(({ message }) => message?.startsWith('(combined from similar events): '))
  assert.equal(combined?.count, 5)
})

test('one object that floods is cut off, others are not', async () => {
  const { clock, recorder, events } = setUp()
  for (let i = 1; i <= 100; i++) recorder.event(pod(), 'Normal', `Reason${i}`, 'x')
  recorder.event(pod('other'), 'Normal', 'Started', 'x')
  await clock.advance(10)
  assert.equal((await events()).length, 26)
  await clock.advance(300_000)
  recorder.event(pod(), 'Normal', 'Later', 'x')
  await clock.advance(10)
  assert.equal((await events()).length, 27)
})

test('a server that is away does not hold its caller up, and gets the events later', async () => {
  const { clock, server, recorder, events } = setUp()
  server.goAway()
  recorder.event(pod(), 'Normal', 'Started', 'x')
  await clock.advance(3_000)
  server.comeBack()
  await clock.advance(30_000)
  assert.equal((await events()).length, 1)
})
