import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EndpointSlice, Endpoints, Node, Pod, Service } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import type { V1Endpoint, V1EndpointSlice, V1ServiceSpec } from '../machinery/schema/generated/types.ts'
import { distribute } from './endpoint-distribution.ts'
import { endpointSliceController } from './endpoint-slice.ts'
import { endpointsController } from './endpoints.ts'
import { Bench } from './testing/bench.ts'

const namespace = 'default'
const labels = { app: 'web' }

async function service(bench: Bench, spec: Partial<V1ServiceSpec> = {}) {
  const ports = [{ name: 'http', port: 80, targetPort: 'http' }]
  await bench.client.create(Service, { metadata: { name: 'web', namespace, labels: { tier: 'front' } }, spec: { selector: labels, ports, ...spec } })
}

async function pod(bench: Bench, name: string, ip: string, { ready = true, port = 8080, node = 'node-1' } = {}) {
  const spec = { nodeName: node, containers: [{ name: 'web', image: 'web:1', ports: [{ name: 'http', containerPort: port }] }] }
  const created = await bench.client.create(Pod, { metadata: { name, namespace, labels }, spec })
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: timestamp(bench.clock.now()) }]
  return bench.client.updateStatus(Pod, { ...created, status: { ...created.status, phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions } })
}

const slices = async (bench: Bench) => (await bench.client.list(EndpointSlice, { namespace })).items
const told = (slice: V1EndpointSlice | undefined) =>
  (slice?.endpoints ?? []).map(({ addresses, conditions, zone }) =>
    `${addresses.join()} ${conditions?.ready}/${conditions?.serving}/${conditions?.terminating} ${zone ?? ''}`.trim(),
  )

test('an EndpointSlice tells of each pod whether it is ready, serving, terminating, and where it is', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(endpointSliceController, endpointsController)
  await bench.client.create(Node, { metadata: { name: 'node-1', labels: { 'topology.kubernetes.io/zone': 'a' } }, spec: {} })
  await service(bench)
  await bench.settle()
  // One without endpoints tells that there are none.
  assert.deepEqual((await slices(bench)).map(told), [[]])
  await pod(bench, 'one', '10.0.0.1')
  await pod(bench, 'two', '10.0.0.2', { ready: false })
  await bench.settle()
  const [slice, ...more] = await slices(bench)
  assert.equal(more.length, 0)
  assert.deepEqual(told(slice).sort(), ['10.0.0.1 true/true/false a', '10.0.0.2 false/false/false a'])
  assert.deepEqual(slice?.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }])
  assert.equal(slice?.metadata.labels?.['kubernetes.io/service-name'], 'web')
  assert.equal(slice?.metadata.labels?.['endpointslice.kubernetes.io/managed-by'], 'endpointslice-controller.k8s.io')
  assert.equal(slice?.metadata.labels?.tier, 'front')
  assert.match(slice?.metadata.name ?? '', /^web-/)

  const { subsets } = await bench.client.get(Endpoints, { namespace, name: 'web' })
  assert.deepEqual(
    subsets?.map(({ addresses, notReadyAddresses, ports }) => [addresses?.map(({ ip }) => ip), notReadyAddresses?.map(({ ip }) => ip), ports]),
    [[['10.0.0.1'], ['10.0.0.2'], [{ name: 'http', port: 8080, protocol: 'TCP' }]]],
  )

  await bench.client.delete(Pod, { namespace, name: 'one' })
  await bench.settle()
  assert.deepEqual((await slices(bench)).flatMap(told).sort(), ['10.0.0.1 false/true/true a', '10.0.0.2 false/false/false a'])
  assert.equal((await bench.client.get(Endpoints, { namespace, name: 'web' })).subsets?.[0]?.addresses, undefined)
  await controllers.stop()
  await bench.stop()
})

test('pods that give different numbers to a port stand in different slices', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(endpointSliceController)
  await service(bench)
  await pod(bench, 'one', '10.0.0.1')
  await pod(bench, 'two', '10.0.0.2', { port: 9090 })
  await bench.settle()
  const found = (await slices(bench)).map(({ ports, endpoints }) => `${ports?.[0]?.port} ${endpoints?.[0]?.addresses}`)
  assert.deepEqual(found.sort(), ['8080 10.0.0.1', '9090 10.0.0.2'])
  await controllers.stop()
  await bench.stop()
})

test('headless with publishNotReadyAddresses: all are ready, and it says that it is headless', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(endpointSliceController, endpointsController)
  await service(bench, { clusterIP: 'None', publishNotReadyAddresses: true })
  await pod(bench, 'one', '10.0.0.1', { ready: false })
  await bench.settle()
  const [slice] = await slices(bench)
  assert.deepEqual(told(slice), ['10.0.0.1 true/false/false'])
  assert.equal(slice?.metadata.labels?.['service.kubernetes.io/headless'], '')
  assert.deepEqual((await bench.client.get(Endpoints, { namespace, name: 'web' })).subsets?.[0]?.addresses?.[0]?.ip, '10.0.0.1')
  await controllers.stop()
  await bench.stop()
})

test('a Service without selector is left to its user; Endpoints go with their Service', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(endpointSliceController, endpointsController)
  await service(bench)
  await bench.client.create(Service, { metadata: { name: 'mine', namespace }, spec: { ports: [{ port: 80 }] } })
  await bench.client.create(Endpoints, { metadata: { name: 'mine', namespace }, subsets: [{ addresses: [{ ip: '192.0.2.1' }] }] })
  await bench.settle()
  assert.deepEqual(
    (await bench.client.list(Endpoints)).items.map(({ metadata }) => metadata.name),
    ['mine', 'web'],
  )
  await bench.client.delete(Service, { namespace, name: 'web' })
  await bench.client.delete(Service, { namespace, name: 'mine' })
  await bench.settle()
  assert.deepEqual(
    (await bench.client.list(Endpoints)).items.map(({ metadata }) => metadata.name),
    ['mine'],
  )
  await controllers.stop()
  await bench.stop()
})

test('endpoints stay in their slice; a hundred are in one', () => {
  const endpoint = (n: number): V1Endpoint => ({ addresses: [`10.0.${n >> 8}.${n & 255}`] })
  const all = Array.from({ length: 250 }, (_, n) => endpoint(n))
  const first = distribute([], all)
  assert.deepEqual(
    first.map(({ endpoints }) => endpoints.length),
    [100, 100, 50],
  )
  const stored = first.map(({ endpoints }) => ({ endpoints }) as V1EndpointSlice)
  // One goes, another comes: one slice changes.
  const next = distribute(stored, [...all.slice(1), endpoint(500)])
  const changed = next.filter(({ slice, endpoints }) => JSON.stringify(slice?.endpoints) !== JSON.stringify(endpoints))
  assert.equal(changed.length, 1)
  assert.deepEqual(next.map(({ endpoints }) => endpoints.length).sort(), [100, 100, 50])
})

test('a pod that goes at once is no endpoint any more, and names of ports may be as long as a DNS label', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(endpointSliceController, endpointsController)
  await service(bench, { ports: [{ name: 'http-of-the-management', port: 80 }] })
  await pod(bench, 'one', '10.0.0.1')
  await bench.settle()
  assert.deepEqual((await slices(bench)).flatMap(told), ['10.0.0.1 true/true/false'])
  await bench.client.delete(Pod, { namespace, name: 'one' }, { gracePeriodSeconds: 0 })
  await bench.settle()
  assert.deepEqual((await slices(bench)).flatMap(told), [])
  assert.equal((await bench.client.get(Endpoints, { namespace, name: 'web' })).subsets, undefined)
  await controllers.stop()
  await bench.stop()
})

test('endpoints say for whom they are meant first, as the Service wishes, and no longer when it does not', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(endpointSliceController)
  await bench.client.create(Node, { metadata: { name: 'node-1', labels: { 'topology.kubernetes.io/zone': 'a' } }, spec: {} })
  await service(bench, { trafficDistribution: 'PreferSameNode' })
  await pod(bench, 'one', '10.0.0.1')
  await bench.settle()
  const hints = async () => (await slices(bench)).flatMap(({ endpoints }) => endpoints?.map((endpoint) => endpoint.hints))
  assert.deepEqual(await hints(), [{ forNodes: [{ name: 'node-1' }], forZones: [{ name: 'a' }] }])
  for (const trafficDistribution of ['PreferClose', 'PreferSameZone']) {
    await bench.client.patch(Service, { namespace, name: 'web' }, 'merge', { spec: { trafficDistribution } })
    await bench.settle()
    assert.deepEqual(await hints(), [{ forZones: [{ name: 'a' }] }])
  }
  await bench.client.patch(Service, { namespace, name: 'web' }, 'merge', { spec: { trafficDistribution: null } })
  await bench.settle()
  assert.deepEqual(await hints(), [undefined])
  const wrong = bench.client.patch(Service, { namespace, name: 'web' }, 'merge', { spec: { trafficDistribution: 'Anywhere' } })
  await assert.rejects(wrong, /Unsupported value: "Anywhere": supported values: "PreferClose", "PreferSameNode", "PreferSameZone"/)
  await controllers.stop()
  await bench.stop()
})
