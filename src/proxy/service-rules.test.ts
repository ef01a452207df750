import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { V1Endpoint, V1EndpointSlice, V1Service, V1ServiceSpec } from '../machinery/schema/generated/types.ts'
import { chainName, chainsFor } from './balance-chain.ts'
import { serviceRules } from './service-rules.ts'

const metadata = { name: 'web', namespace: 'default', uid: 'u', resourceVersion: '1', creationTimestamp: '' }
const service = (spec: Partial<V1ServiceSpec>, status?: V1Service['status']): V1Service => ({
  metadata,
  spec: { type: 'ClusterIP', clusterIP: '10.96.0.5', ports: [{ name: 'http', port: 80 }], ...spec },
  ...(status ? { status } : {}),
})
const slice = (...endpoints: V1Endpoint[]): V1EndpointSlice => ({
  metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints,
})
const at = (address: string, nodeName: string, conditions: V1Endpoint['conditions'] = { ready: true }): V1Endpoint => ({
  addresses: [address],
  nodeName,
  conditions,
})
const ending = { ready: false, serving: true, terminating: true }
const here = at('10.244.0.2', 'here')
const there = at('10.244.1.2', 'there')

/** As lines, to compare. */
function rules(of: V1Service, ...slices: V1EndpointSlice[]): string[] {
  return serviceRules(of, slices, { nodeName: 'here', zone: 'a' }).elements.map(
    ({ container, key, value }) => `${container} ${key}${value ? ` : ${value}` : ''}`,
  )
}

test('a ClusterIP leads to its ready endpoints, each at a slot', () => {
  assert.deepEqual(rules(service({}), slice(there, here, at('10.244.0.3', 'here', { ready: false }))), [
    'cluster-ips 10.96.0.5',
    'endpoints 10.96.0.5 . tcp . 80 . 0 : 10.244.0.2 . 8080',
    'endpoints 10.96.0.5 . tcp . 80 . 1 : 10.244.1.2 . 8080',
    'services 10.96.0.5 . tcp . 80 : goto ip-2',
    'local-endpoints 10.244.0.2 . 10.244.0.2',
  ])
})

test('headless, ExternalName and foreign Services have no rules', () => {
  assert.deepEqual(rules(service({ clusterIP: 'None' }), slice(here)), [])
  assert.deepEqual(rules(service({ type: 'ExternalName', externalName: 'x.example' }), slice(here)), [])
  const foreign = service({})
  assert.deepEqual(rules({ ...foreign, metadata: { ...metadata, labels: { 'service.kubernetes.io/service-proxy-name': 'other' } } }, slice(here)), [])
})

test('without an endpoint the port is refused; endpoints that end serve while no other is ready', () => {
  assert.ok(rules(service({})).includes('no-endpoints 10.96.0.5 . tcp . 80 : goto refuse'))
  assert.ok(rules(service({}), slice(at('10.244.0.2', 'here', ending))).includes('services 10.96.0.5 . tcp . 80 : goto ip-1'))
  assert.ok(rules(service({}), slice(here, at('10.244.0.3', 'here', ending))).includes('services 10.96.0.5 . tcp . 80 : goto ip-1'))
})

test('internalTrafficPolicy Local keeps to this node, and drops where only others serve', () => {
  const local = service({ internalTrafficPolicy: 'Local' })
  assert.ok(rules(local, slice(here, there)).includes('services 10.96.0.5 . tcp . 80 : goto ip-1'))
  assert.ok(rules(local, slice(there)).includes('no-endpoints 10.96.0.5 . tcp . 80 : drop'))
})

test('endpoints that are meant for this node come first, then those for its zone; without hints on each, all', () => {
  const meant = (endpoint: V1Endpoint, zone: string, byNode = true): V1Endpoint => ({
    ...endpoint,
    hints: { ...(byNode ? { forNodes: [{ name: endpoint.nodeName ?? '' }] } : {}), forZones: [{ name: zone }] },
  })
  const targets = (...endpoints: V1Endpoint[]) => rules(service({}), slice(...endpoints)).flatMap((line) => /^endpoints .* : (\S+) /.exec(line)?.[1] ?? [])
  const [near, far] = [at('10.244.2.2', 'near'), at('10.244.3.2', 'far')]
  assert.deepEqual(targets(meant(here, 'a'), meant(near, 'a'), meant(far, 'b')), ['10.244.0.2'])
  assert.deepEqual(targets(meant(near, 'a'), meant(far, 'b')), ['10.244.2.2'])
  assert.deepEqual(targets(meant(here, 'a', false), meant(near, 'a', false), meant(far, 'b', false)), ['10.244.0.2', '10.244.2.2'])
  assert.deepEqual(targets(meant(far, 'b'), meant(at('10.244.3.3', 'far'), 'b')), ['10.244.3.2', '10.244.3.3'])
  assert.deepEqual(targets(meant(here, 'a'), far), ['10.244.0.2', '10.244.3.2'])
  const gone = meant(at('10.244.0.3', 'here', { ready: false }), 'a')
  assert.deepEqual(targets(gone, meant(far, 'b')), ['10.244.3.2'])
})

test('a NodePort and external addresses change the source, unless the policy is Local', () => {
  const ports = [{ name: 'http', port: 80, nodePort: 30080 }]
  const balancer = { loadBalancer: { ingress: [{ ip: '192.0.2.9' }, { hostname: 'lb.example' }, { ip: '192.0.2.10', ipMode: 'Proxy' }] } }
  const cluster = rules(service({ type: 'LoadBalancer', ports, externalIPs: ['192.0.2.7'] }, balancer), slice(here, there))
  assert.ok(cluster.includes('services 192.0.2.7 . tcp . 80 : goto external-ip-2'))
  assert.ok(cluster.includes('services 192.0.2.9 . tcp . 80 : goto external-ip-2'))
  assert.ok(cluster.includes('nodeports tcp . 30080 : goto external-nodeport-2'))
  assert.ok(!cluster.some((line) => line.includes('192.0.2.10')))

  const near = rules(service({ type: 'NodePort', ports, externalTrafficPolicy: 'Local' }), slice(here, there))
  assert.ok(near.includes('nodeports tcp . 30080 : goto external-nodeport-1-local-or-nodeport-2'))
  assert.ok(near.includes('nodeport-endpoints tcp . 30080 . 65536 : 10.244.0.2 . 8080'))
  const far = serviceRules(service({ type: 'NodePort', ports, externalTrafficPolicy: 'Local' }), [slice(there)], { nodeName: 'here', zone: 'a' })
  const chain = far.chains.find((candidate) => chainName(candidate) === 'external-none-or-nodeport-1')
  assert.ok(chain)
  assert.equal(chainsFor(chain).at(-1)?.rules.at(-1), 'drop')
})

test('source ranges of a load balancer become a firewall chain', () => {
  const restricted = serviceRules(
    service({ type: 'LoadBalancer', loadBalancerSourceRanges: ['198.51.100.0/24'] }, { loadBalancer: { ingress: [{ ip: '192.0.2.9' }] } }),
    [slice(here)],
    { nodeName: 'here', zone: 'a' },
  )
  const chain = restricted.chains.find(({ kind }) => kind === 'firewall')
  assert.ok(chain)
  assert.deepEqual(chainsFor(chain)[0]?.rules, ['ip saddr { 198.51.100.0/24 } return', 'drop'])
  assert.ok(restricted.elements.some(({ container, key }) => container === 'firewall' && key === '192.0.2.9 . tcp . 80'))
})

test('session affinity remembers the address of an endpoint, not its slot', () => {
  const sticky = rules(service({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } }), slice(here))
  assert.ok(sticky.includes('services 10.96.0.5 . tcp . 80 : goto ip-1-for-60'))
  assert.ok(sticky.includes('sticky-slots 10.96.0.5 . tcp . 80 . 0 : 183762946'))
  assert.ok(sticky.includes('sticky-live 10.96.0.5 . tcp . 80 . 183762946 : goto ip-stay-60'))
  assert.ok(sticky.includes('sticky-endpoints 10.96.0.5 . tcp . 80 . 183762946 : 10.244.0.2 . 8080'))
})
