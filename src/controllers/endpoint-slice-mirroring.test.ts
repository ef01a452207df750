import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EndpointSlice, Endpoints, Service } from '../client/resources.ts'
import { endpointSliceMirroring } from './endpoint-slice-mirroring.ts'
import { Bench } from './testing/bench.ts'

const at = { name: 'database', namespace: 'default' }
const service = (selector?: Record<string, string>) => ({
  metadata: at,
  spec: { clusterIP: 'None', ports: [{ port: 5432 }], ...(selector ? { selector } : {}) },
})
const ports = [{ name: 'sql', port: 5432, protocol: 'TCP' }]

test('Endpoints of a Service without selector are mirrored, and followed', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(endpointSliceMirroring)
  const slices = async () => (await bench.client.list(EndpointSlice)).items
  const subsets = [{ addresses: [{ ip: '192.0.2.1', hostname: 'one' }, { ip: '2001:db8::1' }], notReadyAddresses: [{ ip: '192.0.2.2' }], ports }]
  await bench.client.create(Endpoints, { metadata: { ...at, labels: { app: 'db' }, annotations: { note: 'kept' } }, subsets })
  await bench.settle()
  assert.deepEqual(await slices(), [])
  await bench.client.create(Service, service())
  await bench.settle()
  const [four, six] = (await slices()).sort((a, b) => (a.addressType < b.addressType ? -1 : 1))
  assert.deepEqual(four?.metadata.labels, {
    app: 'db',
    'kubernetes.io/service-name': 'database',
    'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
  })
  assert.deepEqual(four?.metadata.annotations, { note: 'kept' })
  assert.deepEqual(four?.ports, ports)
  assert.deepEqual(four?.endpoints, [
    { addresses: ['192.0.2.1'], conditions: { ready: true }, hostname: 'one' },
    { addresses: ['192.0.2.2'], conditions: { ready: false } },
  ])
  assert.deepEqual(six?.endpoints, [{ addresses: ['2001:db8::1'], conditions: { ready: true } }])
  await bench.client.patch(Endpoints, at, 'merge', { subsets: [{ addresses: [{ ip: '192.0.2.9' }], ports }] })
  await bench.settle()
  const [changed, ...more] = await slices()
  assert.deepEqual(more, [])
  assert.equal(changed?.metadata.uid, four?.metadata.uid)
  assert.deepEqual(changed?.endpoints, [{ addresses: ['192.0.2.9'], conditions: { ready: true } }])
  await bench.client.patch(Endpoints, at, 'merge', { metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } } })
  await bench.settle()
  assert.deepEqual(await slices(), [])
  await controllers.stop()
  await bench.stop()
})

test('those of a Service with a selector are left to the controller of EndpointSlices', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(endpointSliceMirroring)
  await bench.client.create(Service, service({ app: 'db' }))
  await bench.client.create(Endpoints, { metadata: at, subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports }] })
  await bench.settle()
  assert.deepEqual((await bench.client.list(EndpointSlice)).items, [])
  await controllers.stop()
  await bench.stop()
})
