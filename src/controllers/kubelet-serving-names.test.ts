import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { V1EndpointSlice, V1Node, V1Service } from '../machinery/schema/generated/types.ts'
import { mayServeAs } from './kubelet-serving-names.ts'

const node = (name: string, addresses: Record<string, string>) =>
  ({ metadata: { name }, status: { addresses: Object.entries(addresses).map(([address, type]) => ({ type, address })) } }) as unknown as V1Node

const known = {
  nodes: [
    node('one', {
      '10.0.0.1': 'InternalIP',
      '203.0.113.1': 'ExternalIP',
      '2001:db8::1': 'InternalIP',
      'one.example.com': 'ExternalDNS',
      kubernetes: 'Hostname',
      'db.default.svc.cluster.local': 'InternalDNS',
      localhost: 'Hostname',
      '10.96.0.1': 'InternalIP',
      '10.0.0.100': 'InternalIP',
      '127.0.0.1': 'InternalIP',
      '10.0.0.2': 'InternalIP',
      two: 'Hostname',
    }),
    node('two', { '10.0.0.2': 'InternalIP' }),
    node('kubernetes.default.svc', { '10.0.0.3': 'InternalIP' }),
  ],
  services: [{ spec: { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'] } } as V1Service],
  endpointSlices: [
    {
      metadata: { namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      endpoints: [{ addresses: ['10.0.0.100'] }],
    } as unknown as V1EndpointSlice,
  ],
}
const may = (name: string, dnsNames: string[], addresses: string[]) =>
  mayServeAs(name, { commonName: `system:node:${name}`, organizations: ['system:nodes'], dnsNames, addresses, others: [] }, known)

test('a node may serve under its name and the names and addresses of its status', () => {
  assert.ok(may('one', ['one'], ['10.0.0.1']))
  assert.ok(may('one', ['one', 'one.example.com'], ['203.0.113.1', '2001:DB8:0:0:0:0:0:1']))
  assert.ok(may('two', [], ['10.0.0.2']) === false, 'another node claims the address: nobody is given it')
})

test('not under what it does not have', () => {
  assert.ok(!may('one', ['one', 'elsewhere.example.com'], []))
  assert.ok(!may('one', ['one'], ['10.0.0.1', '10.0.0.9']))
  assert.ok(!may('nobody', ['nobody'], []))
  assert.ok(!may('one', ['10.0.0.1'], []), 'an address is no name')
})

test('not under what is called so elsewhere in the cluster, though its status says it', () => {
  for (const name of ['kubernetes', 'db.default.svc.cluster.local', 'localhost', 'two']) assert.ok(!may('one', [name], []), name)
  for (const address of ['10.0.0.2', '10.96.0.1', '10.0.0.100', '127.0.0.1']) assert.ok(!may('one', [], [address]), address)
  assert.ok(!may('kubernetes.default.svc', ['kubernetes.default.svc'], ['10.0.0.3']), 'whoever takes that name as a node')
})
