import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { services } from './services.ts'

let t: TestServer
const create = async (name: string, spec: object) => {
  const answer = await t.call('POST', '/api/v1/namespaces/demo/services', { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } })
  return { ...answer, spec: answer.object.spec }
}

before(async () => {
  t = await startTestServer({ parts: [services()] })
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'demo' } })
})
after(() => t.stop())

test('a cluster of one stack gives one family, and refuses who needs two', async () => {
  const families = (answer: { spec: unknown }) => answer.spec as { ipFamilies?: string[]; ipFamilyPolicy?: string }
  const refused = await create('dual', { ipFamilyPolicy: 'RequireDualStack' })
  assert.equal(refused.status, 422)
  assert.equal(
    refused.object.message,
    'Service "dual" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
  )
  const six = await create('six', { ipFamilies: ['IPv6'] })
  assert.equal(six.object.message, 'Service "six" is invalid: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster')
  const both = await create('both', { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4', 'IPv6'] })
  assert.match(both.object.message ?? '', /must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified/)
  const preferred = families(await create('preferred', { ipFamilyPolicy: 'PreferDualStack' }))
  assert.deepEqual([preferred.ipFamilyPolicy, preferred.ipFamilies], ['PreferDualStack', ['IPv4']])
  const free = families(await create('free', { clusterIP: 'None' }))
  assert.deepEqual([free.ipFamilyPolicy, free.ipFamilies], ['RequireDualStack', ['IPv4', 'IPv6']])
})
