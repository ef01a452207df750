import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DecodedPacket, decode, encode, RECURSION_DESIRED } from 'dns-packet'
import type { V1Endpoint, V1EndpointSlice, V1Service, V1ServiceSpec } from '../machinery/schema/generated/types.ts'
import { addressBytes, reverseName } from './address-bytes.ts'
import { nameservers } from './resolv-conf.ts'
import { Responder } from './responder.ts'
import { serviceRecords } from './service-records.ts'
import { Zone } from './zone.ts'

const meta = (name: string) => ({ name, namespace: 'shop', uid: name, resourceVersion: '1', creationTimestamp: '' })
const service = (name: string, spec: V1ServiceSpec): V1Service => ({ metadata: meta(name), spec })
const slice = (name: string, endpoints: V1Endpoint[]): V1EndpointSlice => ({
  metadata: { ...meta(`${name}-1`), labels: { 'kubernetes.io/service-name': name } },
  addressType: 'IPv4',
  ports: [{ name: 'db', port: 5432, protocol: 'TCP' }],
  endpoints,
})

function zoneOf(...services: [V1Service, ...V1EndpointSlice[]][]): {
  zone: Zone
  ask: (name: string, type?: string, options?: { edns?: number }) => DecodedPacket
} {
  const zone = new Zone({ domain: 'cluster.local', hasNamespace: (name) => name === 'shop' || name === 'empty' })
  for (const [one, ...slices] of services) zone.set(one.metadata.name, serviceRecords(one, slices, 'cluster.local'))
  const responder = new Responder({
    zone,
    forward: async () => undefined,
    resolveOutside: async (name) => [{ name, ttl: 60, type: 'A', address: '192.0.2.80' }],
  })
  return { zone, ask: asker(responder) }
}

function asker(responder: Responder): (name: string, type?: string, options?: { edns?: number }) => DecodedPacket {
  return (name, type = 'A', { edns } = {}) => {
    const query = encode({
      type: 'query',
      id: 77,
      flags: RECURSION_DESIRED,
      questions: [{ type: type as 'A', name }],
      ...(edns
        ? { additionals: [{ type: 'OPT', name: '.', udpPayloadSize: edns, flags: 0, extendedRcode: 0, ednsVersion: 0, flag_do: false, options: [] }] }
        : {}),
    } as Parameters<typeof encode>[0])
    const answer = responder.respond(Buffer.from(query), 'udp')
    assert.ok(answer instanceof Buffer)
    return decode(answer)
  }
}

const rcode = (packet: DecodedPacket) => (packet as unknown as { rcode: string }).rcode
const data = (packet: DecodedPacket) => (packet.answers ?? []).map((answer) => ('data' in answer ? (answer.data as unknown) : undefined))

const web = service('web', { type: 'ClusterIP', clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] })
const db = service('db', { type: 'ClusterIP', clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'db', port: 5432 }] })
const dbSlice = slice('db', [
  { addresses: ['10.244.0.7'], hostname: 'db-0', conditions: { ready: true } },
  { addresses: ['10.244.0.8'], conditions: {} },
  { addresses: ['10.244.0.9'], conditions: { ready: false } },
])

test('a Service with an address: A, SRV of named ports, PTR', () => {
  const { ask } = zoneOf([web])
  const answer = ask('web.shop.svc.cluster.local')
  assert.deepEqual(data(answer), ['10.96.0.10'])
  assert.equal(answer.flag_aa, true)
  assert.equal(answer.id, 77)
  const named = ask('_http._tcp.web.shop.svc.cluster.local', 'SRV')
  assert.deepEqual(data(named), [{ priority: 0, weight: 100, port: 80, target: 'web.shop.svc.cluster.local' }])
  assert.equal(named.additionals?.[0]?.type, 'A')
  assert.deepEqual(data(ask('10.0.96.10.in-addr.arpa', 'PTR')), ['web.shop.svc.cluster.local'])
})

test('a headless Service: its ready endpoints, by themselves too, with SRV and PTR', () => {
  const { ask } = zoneOf([db, dbSlice])
  assert.deepEqual(data(ask('db.shop.svc.cluster.local')).sort(), ['10.244.0.7', '10.244.0.8'])
  assert.deepEqual(data(ask('db-0.db.shop.svc.cluster.local')), ['10.244.0.7'])
  assert.deepEqual(data(ask('10-244-0-8.db.shop.svc.cluster.local')), ['10.244.0.8'])
  const targets = data(ask('_db._tcp.db.shop.svc.cluster.local', 'SRV')).map((one) => (one as { target: string }).target)
  assert.deepEqual(targets.sort(), ['10-244-0-8.db.shop.svc.cluster.local', 'db-0.db.shop.svc.cluster.local'])
  assert.deepEqual(data(ask('7.0.244.10.in-addr.arpa', 'PTR')), ['db-0.db.shop.svc.cluster.local'])
  const { ask: all } = zoneOf([{ ...db, spec: { ...db.spec, publishNotReadyAddresses: true } }, dbSlice])
  assert.equal(data(all('db.shop.svc.cluster.local')).length, 3)
})

test('no such name, and a name without records of the type, are told apart', () => {
  const { ask } = zoneOf([web])
  for (const name of [
    'nope.shop.svc.cluster.local',
    'web.other.svc.cluster.local',
    'web.shop.cluster.local',
    'cluster.local.cluster.local',
    'x.web.shop.svc.cluster.local',
  ]) {
    const answer = ask(name)
    assert.equal(rcode(answer), 'NXDOMAIN', name)
    assert.equal(answer.authorities?.[0]?.type, 'SOA')
    assert.equal(answer.authorities?.[0]?.name, 'cluster.local')
  }
  for (const [name, type] of [
    ['web.shop.svc.cluster.local', 'AAAA'],
    ['shop.svc.cluster.local', 'A'],
    ['empty.svc.cluster.local', 'A'],
    ['svc.cluster.local', 'A'],
    ['_tcp.web.shop.svc.cluster.local', 'A'],
    ['cluster.local', 'A'],
  ] as const) {
    const answer = ask(name, type)
    assert.deepEqual([rcode(answer), answer.answers?.length, answer.authorities?.[0]?.type], ['NOERROR', 0, 'SOA'], name)
  }
})

test('names of pods, the version, the zone itself', () => {
  const { ask } = zoneOf([web])
  assert.deepEqual(data(ask('10-244-0-5.shop.pod.cluster.local')), ['10.244.0.5'])
  assert.equal(rcode(ask('10-244-0-5.nowhere.pod.cluster.local')), 'NXDOMAIN')
  assert.equal(rcode(ask('10-244-0-500.shop.pod.cluster.local')), 'NXDOMAIN')
  assert.deepEqual(String((data(ask('dns-version.cluster.local', 'TXT'))[0] as Buffer[])[0]), '1.1.0')
  assert.deepEqual(data(ask('cluster.local', 'NS')), ['kube-dns.kube-system.svc.cluster.local'])
  assert.equal(ask('cluster.local', 'SOA').answers?.[0]?.type, 'SOA')
})

test('an alias is followed inside the zone, and outside by asking there', async () => {
  const inside = service('inside', { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' })
  const outside = service('outside', { type: 'ExternalName', externalName: 'Example.com.' })
  const loop = service('loop', { type: 'ExternalName', externalName: 'loop.shop.svc.cluster.local' })
  const zone = new Zone({ domain: 'cluster.local', hasNamespace: () => true })
  for (const one of [web, inside, outside, loop]) zone.set(one.metadata.name, serviceRecords(one, [], 'cluster.local'))
  const resolveOutside = async (name: string) => [{ name, ttl: 60, type: 'A' as const, address: '192.0.2.80' }]
  const responder = new Responder({ zone, forward: async () => undefined, resolveOutside })
  const ask = asker(responder)
  assert.deepEqual(data(ask('inside.shop.svc.cluster.local')), ['web.shop.svc.cluster.local', '10.96.0.10'])
  assert.deepEqual(data(ask('inside.shop.svc.cluster.local', 'CNAME')), ['web.shop.svc.cluster.local'])
  assert.equal(rcode(ask('loop.shop.svc.cluster.local')), 'SERVFAIL')
  const query = encode({ type: 'query', id: 1, questions: [{ type: 'A', name: 'outside.shop.svc.cluster.local' }] })
  const answer = await responder.respond(Buffer.from(query), 'udp')
  assert.ok(answer)
  assert.deepEqual(data(decode(answer)), ['example.com', '192.0.2.80'])
})

test('spelling is kept and does not matter; the second answer is as the first', () => {
  const { ask } = zoneOf([web])
  for (const name of ['wEb.Shop.svc.CLUSTER.local', 'web.shop.svc.cluster.local', 'WEB.shop.svc.cluster.local']) {
    const answer = ask(name)
    assert.equal(answer.questions?.[0]?.name, name)
    assert.equal(answer.answers?.[0]?.name, name)
    assert.deepEqual(data(answer), ['10.96.0.10'])
  }
})

test('many addresses: truncated for a plain client, whole with EDNS0, in changing order', () => {
  const endpoints = Array.from({ length: 60 }, (_, index) => ({ addresses: [`10.244.1.${index + 1}`] }))
  const { ask } = zoneOf([db, slice('db', endpoints)])
  const plain = ask('db.shop.svc.cluster.local')
  assert.equal(plain.flag_tc, true)
  assert.ok((plain.answers?.length ?? 0) > 20)
  const whole = ask('db.shop.svc.cluster.local', 'A', { edns: 4096 })
  assert.equal(whole.flag_tc, false)
  assert.equal(whole.answers?.length, 60)
  assert.equal(whole.additionals?.[0]?.type, 'OPT')
  const firsts = new Set(Array.from({ length: 8 }, () => data(ask('db.shop.svc.cluster.local', 'A', { edns: 4096 }))[0]))
  assert.equal(firsts.size, 8)
})

test('records go with their Service', () => {
  const { zone } = zoneOf([web], [db, dbSlice])
  zone.set('web', [])
  assert.equal(zone.answer('web.shop.svc.cluster.local', 1)?.rcode, 3)
  assert.equal(zone.answer('10.0.96.10.in-addr.arpa', 12), undefined)
  assert.equal(zone.answer('db.shop.svc.cluster.local', 1)?.rcode, 0)
})

test('whatever bytes come, none throws and none hangs', () => {
  const { zone } = zoneOf([web])
  const responder = new Responder({ zone, forward: async () => undefined, resolveOutside: async () => [] })
  const query = Buffer.from(encode({ type: 'query', id: 9, questions: [{ type: 'A', name: 'web.shop.svc.cluster.local' }] }))
  for (let length = 0; length <= query.length; length++) responder.respond(query.subarray(0, length), 'udp')
  let seed = 1
  for (let turn = 0; turn < 5000; turn++) {
    const bytes = Buffer.from(query)
    for (let change = 0; change < 4; change++) {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
      bytes[seed % bytes.length] = seed >> 8
    }
    const answer = responder.respond(bytes, 'udp')
    if (answer instanceof Buffer) assert.ok(answer.length >= 12)
  }
  assert.equal((responder.respond(query.subarray(0, 20), 'udp') as Buffer)[3] ?? 0 & 15, 0x81)
})

test('addresses become bytes and reverse names', () => {
  assert.equal(reverseName('10.96.0.10'), '10.0.96.10.in-addr.arpa')
  assert.equal(reverseName('2001:db8::567:89ab'), 'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa')
  assert.deepEqual(addressBytes('::ffff:1.2.3.4')?.slice(10), [255, 255, 1, 2, 3, 4])
  assert.equal(addressBytes('10.1'), undefined)
})

test('servers of resolv.conf, without ourselves', () => {
  assert.deepEqual(nameservers('# x\nnameserver 10.0.0.2\n nameserver 10.96.0.10\nsearch a\nnameserver fd00::1\nnameserver bad\n', ['10.96.0.10']), [
    { address: '10.0.0.2', port: 53 },
    { address: 'fd00::1', port: 53 },
  ])
})
