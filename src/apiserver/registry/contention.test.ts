import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

const path = '/api/v1/namespaces/default/configmaps'
const writers = Array.from({ length: 25 }, (_, index) => index)
let t: TestServer

before(async () => {
  t = await startTestServer()
})
after(() => t.stop())

test('of many patches at once each is made', async () => {
  await t.call('POST', path, { metadata: { name: 'busy' } })
  const headers = { 'content-type': 'application/merge-patch+json' }
  const answers = await Promise.all(writers.map((index) => t.call('PATCH', `${path}/busy`, { data: { [`k${index}`]: 'v' } }, { headers })))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  const { data } = (await t.call('GET', `${path}/busy`)).object as { data?: object }
  assert.equal(Object.keys(data ?? {}).length, writers.length)
})

test('of many that apply what is not there yet one makes it, and the others add to it', async () => {
  const headers = { 'content-type': 'application/apply-patch+yaml' }
  const body = (index: number) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data: { [`k${index}`]: 'v' } })
  const answers = await Promise.all(writers.map((index) => t.call('PATCH', `${path}/applied?fieldManager=m${index}`, body(index), { headers })))
  assert.equal(answers.filter(({ status }) => status === 201).length, 1)
  assert.equal(answers.filter(({ status }) => status === 200).length, writers.length - 1)
  const { data } = (await t.call('GET', `${path}/applied`)).object as { data?: object }
  assert.equal(Object.keys(data ?? {}).length, writers.length)
})
