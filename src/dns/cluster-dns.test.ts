import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { decode, encode } from 'dns-packet'
import { componentContext, type TestContext } from '../../test/tools/component-context.ts'
import { eventually } from '../../test/tools/network-namespace.ts'
import { Namespace } from '../apis/core/namespace.ts'
import { Service } from '../apis/core/service.ts'
import { EndpointSlice } from '../apis/discovery/endpoint-slice.ts'
import { MetricRegistry } from '../machinery/metrics/registry.ts'
import { valueIn } from '../machinery/metrics/testing/read-metrics.ts'
import { parseStrictly } from '../machinery/metrics/testing/strict-parser.ts'
import { VirtualClock } from '../machinery/virtual-clock.ts'
import { type ClusterDns, startClusterDns } from './cluster-dns.ts'
import { DnsSockets } from './dns-sockets.ts'
import { Forwarder } from './forwarder.ts'
import { clusterDnsObjects } from './manifests.ts'

const context: TestContext = componentContext()
const { client } = context
const resolver = new Resolver({ timeout: 1000, tries: 3 })
/** A server outside, which knows one name. */
const outside: { asked: number; silent: boolean; sockets: DnsSockets; port: number } = {
  asked: 0,
  silent: false,
  port: 0,
  sockets: new DnsSockets(answerOutside, console.error),
}
let dns: ClusterDns

function answerOutside(query: Buffer): Buffer | undefined {
  outside.asked++
  if (outside.silent) return undefined
  const { id, questions = [] } = decode(query)
  const name = questions[0]?.name ?? ''
  const known = name === 'example.com'
  const answers = known ? [{ type: 'A' as const, name, ttl: 60, data: '192.0.2.44' }] : []
  return Buffer.from(encode({ type: 'response', id: id ?? 0, flags: known ? 0x180 : 0x183, questions, answers }))
}

const metrics = new MetricRegistry()

before(async () => {
  outside.port = await outside.sockets.listen({ address: '127.0.0.1', port: 0 })
  dns = await startClusterDns(
    { ...context, metrics },
    {
      listen: [{ address: '127.0.0.1', port: 0 }],
      upstream: [{ address: '127.0.0.1', port: outside.port }],
      metrics: { host: '127.0.0.1', port: 0 },
    },
  )
  resolver.setServers([`127.0.0.1:${dns.addresses[0]?.port}`])
  await client.create(Namespace, { metadata: { name: 'default' }, spec: {} })
  await client.create(Service, { metadata: { name: 'web', namespace: 'default' }, spec: { clusterIP: '10.96.0.20', ports: [{ name: 'http', port: 80 }] } })
  await client.create(Service, { metadata: { name: 'many', namespace: 'default' }, spec: { clusterIP: 'None' } })
})
after(async () => {
  await dns.stop()
  context.informers.stop()
  await outside.sockets.close()
  assert.deepEqual(context.warnings, [])
})

test('names follow the objects', async () => {
  assert.deepEqual(await eventually('web', () => resolver.resolve4('web.default.svc.cluster.local')), ['10.96.0.20'])
  const [port] = await resolver.resolveSrv('_http._tcp.web.default.svc.cluster.local')
  assert.deepEqual([port?.name, port?.port], ['web.default.svc.cluster.local', 80])
  assert.deepEqual(await resolver.reverse('10.96.0.20'), ['web.default.svc.cluster.local'])
  await assert.rejects(resolver.resolve4('nope.default.svc.cluster.local'), { code: 'ENOTFOUND' })
  await assert.rejects(resolver.resolve6('web.default.svc.cluster.local'), { code: 'ENODATA' })
  await client.create(EndpointSlice, {
    metadata: { name: 'many-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'many' } },
    addressType: 'IPv4',
    endpoints: Array.from({ length: 200 }, (_, index) => ({ addresses: [`10.244.3.${index + 1}`] })),
  })
  const found = await eventually('many', () => resolver.resolve4('many.default.svc.cluster.local'))
  assert.equal(found.length, 200, 'over TCP, as the answer is too long for UDP')
  const families = parseStrictly(metrics.text())
  const sum = (name: string, wanted: Record<string, string>) =>
    (families.get(name)?.samples ?? [])
      .filter(({ labels }) => Object.entries(wanted).every(([label, value]) => labels[label] === value))
      .reduce((total, { value }) => total + value, 0)
  assert.ok(sum('coredns_dns_requests_total', { zone: 'cluster.local.', proto: 'udp', type: 'A' }) >= 2)
  assert.equal(sum('coredns_dns_requests_total', { proto: 'tcp', type: 'A' }), 1)
  assert.ok(sum('coredns_dns_responses_total', { rcode: 'NXDOMAIN', plugin: 'kubernetes' }) >= 1)
  assert.ok(sum('coredns_cache_misses_total', {}) >= 3)
  assert.equal(sum('coredns_cache_requests_total', {}), sum('coredns_cache_misses_total', {}) + sum('coredns_cache_hits_total', {}))
  assert.ok(sum('coredns_cache_entries', {}) > 0)
  assert.ok(context.spans.some(({ name, about }) => name === 'name registered' && about === 'default/web'))
  await client.delete(Service, { namespace: 'default', name: 'many' })
  await eventually('gone', () =>
    resolver.resolve4('many.default.svc.cluster.local').then(
      () => false,
      () => true,
    ),
  )
})

test('names outside are asked for there, once', async () => {
  const before = outside.asked
  const told = (rcode: string) =>
    valueIn(metrics.text(), 'coredns_proxy_request_duration_seconds_count', { proxy_name: 'forward', to: `127.0.0.1:${outside.port}`, rcode })
  assert.equal(told('NOERROR'), 0)
  assert.deepEqual(await resolver.resolve4('example.com'), ['192.0.2.44'])
  assert.deepEqual(await resolver.resolve4('example.com'), ['192.0.2.44'])
  assert.equal(outside.asked, before + 1)
  assert.equal(told('NOERROR'), 1)
  await assert.rejects(resolver.resolve4('nope.example'), { code: 'ENOTFOUND' })
  await client.create(Service, { metadata: { name: 'out', namespace: 'default' }, spec: { type: 'ExternalName', externalName: 'example.com' } })
  assert.deepEqual(await eventually('out', () => resolver.resolve4('out.default.svc.cluster.local')), ['192.0.2.44'])
})

test('a server outside that is silent: the next one answers, else the client is told', async () => {
  const clock = new VirtualClock()
  const silent = new DnsSockets(() => undefined, console.error)
  const port = await silent.listen({ address: '127.0.0.1', port: 0 })
  const forwarder = new Forwarder({
    clock,
    upstreams: [
      { address: '127.0.0.1', port },
      { address: '127.0.0.1', port: outside.port },
    ],
  })
  const query = Buffer.from(encode({ type: 'query', id: 4711, questions: [{ type: 'A', name: 'example.com' }] }))
  let answer: Buffer | undefined
  const asked = forwarder.forward(query, 'udp').then((message) => {
    answer = message
  })
  await eventually('answered', async () => {
    await clock.advance(2000)
    return answer
  })
  await asked
  assert.ok(answer)
  assert.equal(decode(answer).id, 4711)
  assert.equal(await new Forwarder({ clock, upstreams: [] }).forward(query, 'udp'), undefined)
  await silent.close()
})

test('several queries on one TCP connection, in pieces, and rubbish beside them', async () => {
  const socket = connect(dns.addresses[0]?.port ?? 0, '127.0.0.1')
  const message = (id: number) => {
    const query = encode({ type: 'query', id, questions: [{ type: 'A', name: 'web.default.svc.cluster.local' }] })
    return Buffer.concat([Buffer.from([0, query.length]), query])
  }
  let received = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
  })
  const all = Buffer.concat([message(1), message(2), Buffer.from([0, 3, 1, 2, 3]), message(3)])
  socket.write(all.subarray(0, 10))
  socket.write(all.subarray(10))
  await eventually('three answers', () => {
    const ids: number[] = []
    for (let at = 0; at + 2 <= received.length; at += 2 + received.readUInt16BE(at)) if (received.length >= at + 4) ids.push(received.readUInt16BE(at + 2))
    return ids.join() === '1,2,3'
  })
  socket.destroy()
})

test('answers thousands a second', async () => {
  const wanted = 5000
  const query = Buffer.from(encode({ type: 'query', id: 1, questions: [{ type: 'A', name: 'web.default.svc.cluster.local' }] }))
  const socket: Socket = createSocket('udp4')
  let answered = 0
  const started = performance.now()
  await new Promise<void>((resolve) => {
    const next = () => socket.send(query, dns.addresses[0]?.port ?? 0, '127.0.0.1')
    socket.on('message', () => {
      answered++
      if (answered + 32 <= wanted) next()
      else if (answered >= wanted) resolve()
    })
    socket.bind(0, () => {
      for (let flight = 0; flight < 32; flight++) next()
    })
  })
  socket.close()
  const perSecond = Math.round((wanted / (performance.now() - started)) * 1000)
  // Client and server share this process; the figure is half of what the server alone could do.
  assert.ok(perSecond > 2000, `${perSecond} a second`)
  if (process.env.SKIFF_TEST_VERBOSE) console.log(`${perSecond} queries a second`)
})

test('the objects lead the Service to where the server listens', () => {
  const { service, endpointSlice } = clusterDnsObjects({ clusterIP: '10.96.0.10', addresses: ['10.244.0.1'] })
  assert.deepEqual(
    service.spec.ports?.map(({ name, port, protocol }) => `${name} ${port}/${protocol}`),
    ['dns 53/UDP', 'dns-tcp 53/TCP', 'metrics 9153/TCP'],
  )
  assert.deepEqual(
    endpointSlice.ports?.map(({ name, port }) => `${name} ${port}`),
    ['dns 53', 'dns-tcp 53', 'metrics 9153'],
  )
})
