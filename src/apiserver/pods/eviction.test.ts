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
  assert.deepEqual(refused.object.details, {
    causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget web needs 1 healthy pods and has 2 currently' }],
  })
  const { object } = await t.call('GET', `${budgets}/web`)
  assert.deepEqual(Object.keys((object.status as unknown as { disruptedPods: object }).disruptedPods), ['a'])
})

test('of many evictions at once as many pass as the budget allows', async () => {
  const names = ['m1', 'm2', 'm3', 'm4', 'm5']
  for (const name of names) await running(name, 'many')
  await t.call('POST', budgets, { metadata: { name: 'many' }, spec: { minAvailable: 3, selector: { matchLabels: { app: 'many' } } } })
  const status = { observedGeneration: 1, disruptionsAllowed: 2, currentHealthy: 5, desiredHealthy: 3, expectedPods: 5 }
  await t.call('PATCH', `${budgets}/many/status`, { status }, merge)
  const dry = await t.call('POST', `${pods}/m1/eviction?dryRun=All`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'm1' } })
  assert.equal(dry.status, 201)
  const answers = await Promise.all(names.map(evict))
  assert.deepEqual(answers.map(({ status: code }) => code).sort(), [201, 201, 429, 429, 429])
  const { object } = await t.call('GET', `${budgets}/many`)
  const after = object.status as unknown as {
    disruptionsAllowed: number
    disruptedPods: object
    conditions: { type: string; status: string; reason: string }[]
  }
  assert.equal(after.disruptionsAllowed, 0)
  assert.equal(Object.keys(after.disruptedPods).length, 2)
  assert.deepEqual(
    after.conditions.map(({ type, status: value, reason }) => [type, value, reason]),
    [['DisruptionAllowed', 'False', 'InsufficientPods']],
  )
  const ending = await Promise.all(names.map(async (name) => (await t.call('GET', `${pods}/${name}`)).object.metadata.deletionTimestamp !== undefined))
  assert.equal(ending.filter(Boolean).length, 2)
})

test('a pod that is not ready goes without being counted, where its policy or the health of the others allows', async () => {
  await running('broken', 'sick')
  await t.call('PATCH', `${pods}/broken/status`, { status: { conditions: [{ type: 'Ready', status: 'False' }] } }, merge)
  await t.call('POST', budgets, { metadata: { name: 'sick' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'sick' } } } })
  const status = { observedGeneration: 1, disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 1, expectedPods: 1 }
  await t.call('PATCH', `${budgets}/sick/status`, { status }, merge)
  assert.equal((await evict('broken')).status, 429)
  await t.call('PATCH', `${budgets}/sick`, { spec: { unhealthyPodEvictionPolicy: 'AlwaysAllow' } }, merge)
  assert.equal((await evict('broken')).status, 201)
})

test('two budgets over one pod are more than an eviction can serve', async () => {
  await running('torn', 'torn')
  for (const name of ['torn-1', 'torn-2'])
    await t.call('POST', budgets, { metadata: { name }, spec: { minAvailable: 0, selector: { matchLabels: { app: 'torn' } } } })
  const { status, object } = await evict('torn')
  assert.equal(status, 500)
  assert.equal(object.message, 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.')
  assert.equal((object as { reason?: string }).reason, undefined)
  const foreign = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'torn' }, deleteOptions: { preconditions: { uid: 'another' } } }
  assert.equal((await t.call('POST', `${pods}/torn/eviction`, foreign)).status, 409)
  const kept = (await t.call('GET', `${pods}/torn`)).object.status as unknown as { conditions: { type: string }[] }
  assert.ok(!kept.conditions.some(({ type }) => type === 'DisruptionTarget'))
})
