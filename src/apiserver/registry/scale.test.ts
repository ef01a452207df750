import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { selectorText } from './scale.ts'

let t: TestServer
const deployments = '/apis/apps/v1/namespaces/demo/deployments'
const apply = { contentType: 'application/apply-patch+yaml' }
const scale = (replicas: number) => ({ apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'web' }, spec: { replicas } })

before(async () => {
  t = await startTestServer()
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'demo' } })
  await t.call('POST', `${deployments}?fieldManager=creator`, {
    metadata: { name: 'web' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    },
  })
})
after(() => t.stop())

test('a selector that is a plain map of labels is one', () => {
  assert.equal(selectorText({ app: 'web', tier: 'front' }), 'app=web,tier=front')
  assert.equal(selectorText({ matchLabels: { app: 'web' }, matchExpressions: [{ key: 'a', operator: 'Exists' }] }), 'a,app=web')
  assert.equal(selectorText(undefined), '')
})

test('the scale of a replication controller tells its selector', async () => {
  const path = '/api/v1/namespaces/demo/replicationcontrollers'
  await t.call('POST', path, {
    metadata: { name: 'rc' },
    spec: { replicas: 2, selector: { app: 'rc' }, template: { metadata: { labels: { app: 'rc' } }, spec: { containers: [{ name: 'c', image: 'i' }] } } },
  })
  const { object } = await t.call('GET', `${path}/rc/scale`)
  assert.deepEqual(object.status, { replicas: 0, selector: 'app=rc' })
})

test('an applied scale owns the replicas, and meets the owner before it', async () => {
  const refused = await t.call('PATCH', `${deployments}/web/scale?fieldManager=scaler`, scale(3), apply)
  assert.equal(refused.status, 409)
  assert.match(refused.object.message ?? '', /conflict with "creator" using apps\/v1: \.spec\.replicas/)
  const forced = await t.call('PATCH', `${deployments}/web/scale?fieldManager=scaler&force=true`, scale(3), apply)
  assert.deepEqual(forced.object.spec, { replicas: 3 }, forced.object.message)
  const { object } = await t.call('GET', `${deployments}/web`)
  assert.equal((object.spec as unknown as { replicas: number }).replicas, 3)
  const entry = object.metadata.managedFields?.find((one) => one.manager === 'scaler')
  assert.equal(entry?.operation, 'Apply')
  assert.equal(entry?.subresource, 'scale')
  assert.deepEqual(entry?.fieldsV1, { 'f:spec': { 'f:replicas': {} } })
})
