import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

let t: TestServer
const pods = '/api/v1/namespaces/demo/pods'
const budgets = '/apis/policy/v1/namespaces/demo/poddisruptionbudgets'
const merge = { contentType: 'application/merge-patch+json' }
const evict = (name: string) => t.call('POST', `${pods}/${name}/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } })

before(async () => {
  t = await startTestServer()
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'demo' } })
})
after(() => t.stop())

async function running(name: string, app: string) {
  await t.call('POST', pods, { metadata: { name, labels: { app } }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] } })
  await t.call('PATCH', `${pods}/${name}/status`, { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }, merge)
}

test('a pod without a budget is deleted, and says why', async () => {
  await running('free', 'free')
  assert.equal((await evict('free')).status, 201)
  const { object } = await t.call('GET', `${pods}/free`)
  assert.ok(object.metadata.deletionTimestamp)
  const { conditions } = object.status as unknown as { conditions: { type: string; reason?: string }[] }
  assert.equal(conditions.find(({ type }) => type === 'DisruptionTarget')?.reason, 'EvictionByEvictionAPI')
  assert.equal((await evict('nobody')).status, 404)
})

test('a budget is spent, and then refuses', async () => {
  await running('a', 'web')
  await running('b', 'web')
  await t.call('POST', budgets, { metadata: { name: 'web' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } } })
  const unknown = await evict('a')
  assert.equal(unknown.status, 429)
  const status = { observedGeneration: 1, disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 }
  await t.call('PATCH', `${budgets}/web/status`, { status }, merge)
  assert.equal((await evict('a')).status, 201)
  const refused = await evict('b')
  assert.equal(refused.status, 429)
  assert.equal(refused.object.message, "Cannot evict pod as it would violate the pod's disruption budget.")
  assert.deepEqual(refused.object.details?.causes, [
    { reason: 'DisruptionBudget', message: 'The disruption budget web needs 1 healthy pods and has 2 currently' },
  ])
  const { object } = await t.call('GET', `${budgets}/web`)
  assert.deepEqual(Object.keys((object.status as unknown as { disruptedPods: object }).disruptedPods), ['a'])
})
