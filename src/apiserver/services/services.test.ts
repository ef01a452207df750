import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Labels, valueIn } from '../../machinery/metrics/testing/read-metrics.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { AddressRange } from './address-range.ts'
import { services } from './services.ts'

let t: TestServer
const path = '/api/v1/namespaces/demo/services'
const merge = { contentType: 'application/merge-patch+json' }
interface Spec {
  clusterIP?: string
  clusterIPs?: string[]
  type: string
  ports: { nodePort?: number }[]
}
const create = async (name: string, spec: object, server = t) => {
  const answer = await server.call('POST', path, { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } })
  return { ...answer, spec: answer.object.spec as unknown as Spec }
}

before(async () => {
  t = await startTestServer({ parts: [services({ clusterIpRange: '10.0.0.0/28', nodePorts: { from: 30000, to: 30003 } })] })
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'demo' } })
})
after(() => t.stop())

test('a range gives all addresses but the first and the last', () => {
  const range = new AddressRange('10.96.0.0/12')
  assert.equal(range.size, 2 ** 20 - 2)
  assert.equal(range.at(0), '10.96.0.1')
  assert.equal(range.at(range.size - 1), '10.111.255.254')
  assert.equal(range.contains('10.96.0.0'), false)
  assert.equal(range.contains('10.111.255.255'), false)
  assert.throws(() => new AddressRange('fd00::/112'))
})

test('an address is given, kept over changes, and given again when its service is gone', async () => {
  const { spec } = await create('one', { clusterIP: '10.0.0.5' })
  assert.equal(spec.clusterIP, '10.0.0.5')
  assert.deepEqual(spec.clusterIPs, ['10.0.0.5'])
  const taken = await create('two', { clusterIP: '10.0.0.5' })
  assert.equal(taken.status, 422)
  assert.match(taken.object.message ?? '', /failed to allocate IP 10.0.0.5: provided IP is already allocated/)
  const outside = await create('two', { clusterIP: '10.1.0.5' })
  assert.match(outside.object.message ?? '', /the provided IP \(10.1.0.5\) is not in the valid range. The range of valid IPs is 10.0.0.0\/28/)
  await t.call('DELETE', `${path}/one`)
  assert.equal((await create('two', { clusterIP: '10.0.0.5' })).status, 201)
})

test('headless and external services take no address', async () => {
  assert.equal((await create('headless', { clusterIP: 'None' })).spec.clusterIP, 'None')
  const external = await create('external', { type: 'ExternalName', externalName: 'example.com' })
  assert.equal(external.spec.clusterIP, undefined)
  const inside = await t.call('PATCH', `${path}/external`, { spec: { type: 'ClusterIP', externalName: null } }, merge)
  assert.match((inside.object.spec as unknown as Spec).clusterIP ?? '', /^10\.0\.0\.\d+$/)
})

test('node ports come and go with the type', async () => {
  const first = await create('ports', { type: 'NodePort', ports: [{ port: 80, nodePort: 30002 }] })
  assert.equal(first.spec.ports[0]?.nodePort, 30002)
  assert.match((await create('p2', { type: 'NodePort', ports: [{ port: 80, nodePort: 30002 }] })).object.message ?? '', /provided port is already allocated/)
  assert.match((await create('p2', { type: 'NodePort', ports: [{ port: 80, nodePort: 1 }] })).object.message ?? '', /The range of valid ports is 30000-30003/)
  const plain = await t.call('PATCH', `${path}/ports`, { spec: { type: 'ClusterIP' } }, merge)
  assert.equal((plain.object.spec as unknown as Spec).ports[0]?.nodePort, undefined)
  assert.equal((await create('p2', { type: 'NodePort', ports: [{ port: 80, nodePort: 30002 }] })).status, 201)
  const twins = await create('twins', { type: 'NodePort', ports: ['TCP', 'UDP'].map((protocol) => ({ name: protocol.toLowerCase(), port: 53, protocol })) })
  assert.equal(twins.spec.ports[0]?.nodePort, twins.spec.ports[1]?.nodePort)
})

test('a refused or dry write gives back what it took', async () => {
  for (let i = 0; i < 20; i++)
    assert.equal((await t.call('POST', `${path}?dryRun=All`, { metadata: { name: 'dry' }, spec: { ports: [{ port: 80 }] } })).status, 201)
  for (let i = 0; i < 20; i++) assert.equal((await create('bad', { ports: [{ port: 99999 }] })).status, 422)
})

test('nothing is given twice, not after a restart either, and a full range says so', async () => {
  const given = new Set<string>()
  const listed = await t.call('GET', path)
  for (const { spec } of listed.object.items as unknown as { spec: Spec }[]) if (spec.clusterIP && spec.clusterIP !== 'None') given.add(spec.clusterIP)
  const restarted = await startTestServer({ store: t.store, parts: [services({ clusterIpRange: '10.0.0.0/28' })] })
  for (let i = given.size; i < 14; i++) {
    const { spec, status } = await create(`filled-${i}`, {}, restarted)
    assert.equal(status, 201)
    assert.ok(spec.clusterIP && !given.has(spec.clusterIP))
    given.add(spec.clusterIP)
  }
  const full = await create('too-many', {}, restarted)
  assert.equal(full.status, 500)
  assert.match(full.object.message ?? '', /range is full/)
  await restarted.server.stop()
})

test('how much is taken, given and refused is told', async () => {
  const fresh = await startTestServer({ parts: [services({ clusterIpRange: '10.0.0.0/28', nodePorts: { from: 30000, to: 30003 } })] })
  await fresh.call('POST', '/api/v1/namespaces', { metadata: { name: 'demo' } })
  const value = (name: string, labels: Labels = {}) => valueIn(fresh.server.access.metrics.text(), `kube_apiserver_${name}`, labels)
  const range = { cidr: '10.0.0.0/28' }
  assert.deepEqual([value('clusterip_allocator_allocated_ips', range), value('clusterip_allocator_available_ips', range)], [0, 14])
  await create('wanted', { clusterIP: '10.0.0.5', type: 'NodePort', ports: [{ port: 80, nodePort: 30001 }] }, fresh)
  await create('chosen', {}, fresh)
  await create('taken', { clusterIP: '10.0.0.5' }, fresh)
  assert.deepEqual([value('clusterip_allocator_allocated_ips', range), value('clusterip_allocator_available_ips', range)], [2, 12])
  assert.deepEqual(
    ['dynamic', 'static'].map((scope) => value('clusterip_allocator_allocation_total', { ...range, scope })),
    [1, 1],
  )
  assert.equal(value('clusterip_allocator_allocation_errors_total', { ...range, scope: 'static' }), 1)
  assert.deepEqual([value('nodeport_allocator_allocated_ports'), value('nodeport_allocator_available_ports')], [1, 3])
  assert.equal(value('nodeport_allocator_allocation_total', { scope: 'static' }), 1)
  await fresh.call('DELETE', `${path}/wanted`)
  assert.equal(value('clusterip_allocator_allocated_ips', range), 1)
  await fresh.stop()
})
