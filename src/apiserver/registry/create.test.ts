import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { realClock } from '../../machinery/real-clock.ts'
import { services } from '../services/services.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

let t: TestServer
/** What the clock's chance gives next; real chance when there is none. */
let chances: number[] = []

before(async () => {
  const clock = { ...bound(realClock), random: () => chances.shift() ?? Math.random() }
  t = await startTestServer({ clock, parts: [services()] })
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'demo' } })
})
after(() => t.stop())

function bound(clock: typeof realClock): typeof realClock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms, callback) => clock.after(ms, callback),
    every: (ms, callback) => clock.every(ms, callback),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    random: () => clock.random(),
    uuid: () => clock.uuid(),
  }
}

const same = (times: number) => Array.from({ length: 5 * times }, () => 0)

test('what follows from a name follows from a generated one', async () => {
  const namespace = await t.call('POST', '/api/v1/namespaces', { metadata: { generateName: 'made-' } })
  assert.equal(namespace.object.metadata.labels?.['kubernetes.io/metadata.name'], namespace.object.metadata.name)
  const job = await t.call('POST', '/apis/batch/v1/namespaces/demo/jobs', {
    metadata: { generateName: 'job-' },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } },
  })
  assert.equal(job.status, 201, job.object.message)
  const { template } = job.object.spec as unknown as { template: { metadata: { labels: Record<string, string> } } }
  assert.equal(template.metadata.labels['batch.kubernetes.io/job-name'], job.object.metadata.name)
})

test('a generated name that is taken is made again, eight times', async () => {
  const path = '/api/v1/namespaces/demo/services'
  const service = { metadata: { generateName: 'made-' }, spec: { ports: [{ port: 80 }] } }
  chances = [...same(1), 0.5]
  assert.equal((await t.call('POST', path, service)).object.metadata.name, 'made-bbbbb')
  // The first of a service's chances is the name's, what comes after it the address's.
  chances = same(1)
  const second = await t.call('POST', path, service)
  assert.equal(second.status, 201, second.object.message)
  assert.notEqual(second.object.metadata.name, 'made-bbbbb')
  const configMaps = '/api/v1/namespaces/demo/configmaps'
  chances = same(1)
  await t.call('POST', configMaps, { metadata: { generateName: 'made-' } })
  chances = same(8)
  const given = await t.call('POST', configMaps, { metadata: { generateName: 'made-' } })
  assert.equal(given.status, 409)
  assert.equal(given.object.message, 'configmaps "made-bbbbb" already exists, the server was not able to generate a unique name for the object')
  chances = same(7)
  assert.equal((await t.call('POST', configMaps, { metadata: { generateName: 'made-' } })).status, 201)
  chances = []
})

test('a deprecated kind says so, once for each request', async () => {
  const { warnings } = await t.call('GET', '/api/v1/namespaces/demo/endpoints')
  assert.deepEqual(warnings, ['v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice'])
})

test('without a name it is told so, not of one that is undefined', async () => {
  const { status, object } = await t.call('POST', '/api/v1/namespaces/demo/configmaps', { metadata: null })
  assert.equal(status, 422)
  assert.equal(object.message, 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required')
})
