/** Probes over the network, against real servers. */
import assert from 'node:assert/strict'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { after, before, describe, it } from 'node:test'
import * as grpc from '@grpc/grpc-js'
import { createAuthority, issueCertificate } from '../../cluster/pki/certificate-authority.ts'
import { createServer } from '../../machinery/node-http.ts'
import { realClock } from '../../machinery/real-clock.ts'
import type { V1Container, V1Pod, V1Probe } from '../../machinery/schema/generated/types.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { runHook } from '../container/lifecycle-hook.ts'
import { networkProbes } from './network-probes.ts'
import type { ProbeTarget } from './probe.ts'
import { runProbe } from './run-probe.ts'

const listening = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
const container = (ports: V1Container['ports'] = []): V1Container => ({ name: 'main', image: 'i', ports })
const probe = (spec: V1Probe, ports?: V1Container['ports']) => {
  const target: ProbeTarget = { pod: { metadata: { name: 'p' } } as V1Pod, container: container(ports), containerId: 'c', podIP: '127.0.0.1' }
  return runProbe({ timeoutSeconds: 1, ...spec }, target, {} as Runtime, networkProbes(realClock))
}
const http = (path: string, port: number | string, more: Partial<NonNullable<V1Probe['httpGet']>> = {}): V1Probe => ({ httpGet: { path, port, ...more } })

describe('HTTP probes', () => {
  const seen: { url: string | undefined; headers: string[] }[] = []
  const other = createServer((_request, response) => response.writeHead(200).end('other'))
  const server = createServer((request, response) => {
    seen.push({ url: request.url, headers: request.rawHeaders })
    const go = (location: string) => response.writeHead(302, { location }).end()
    if (request.url === '/fails') return response.writeHead(503).end('no')
    if (request.url === '/around') return go('/around')
    if (request.url === '/to-fails') return go('/fails')
    if (request.url === '/to-port') return go(`http://127.0.0.1:${otherPort}/`)
    if (request.url === '/away') return go('http://elsewhere.example/')
    if (request.url === '/never') return undefined
    if (request.url === '/large') return response.writeHead(200).end('x'.repeat(1 << 20))
    return response.writeHead(200).end('ok')
  })
  let port = 0
  let otherPort = 0
  before(async () => {
    port = await listening(server)
    otherPort = await listening(other)
  })
  after(() => {
    server.closeAllConnections()
    server.close()
    other.close()
  })
  const last = () => seen.at(-1)
  const headers = (name: string) => last()?.headers.filter((_, index, all) => index % 2 === 1 && all[index - 1]?.toLowerCase() === name)

  it('of hooks tell, and mind only when nobody hears', async () => {
    const tell = (at: number, path: string) => {
      const target: ProbeTarget = { pod: { metadata: { name: 'p' } } as V1Pod, container: container(), containerId: 'c', podIP: '127.0.0.1' }
      const signal = new AbortController().signal
      return runHook({ httpGet: { path, port: at } }, target, {
        runtime: {} as Runtime,
        network: networkProbes(realClock),
        clock: realClock,
        timeoutMs: 1000,
        signal,
      })
    }
    await tell(port, '/fails')
    assert.deepEqual([last()?.url, headers('user-agent')], ['/fails', ['kube-lifecycle/1.36']])
    await assert.rejects(tell(1, '/'), /connection refused/)
  })

  it('send the path and the headers that the pod says, beside their own', async () => {
    assert.equal((await probe(http('/healthz?full=1', port))).result, 'success')
    assert.equal(last()?.url, '/healthz?full=1')
    assert.deepEqual([headers('user-agent'), headers('accept'), headers('host')], [['kube-probe/1.36'], ['*/*'], [`127.0.0.1:${port}`]])
    const httpHeaders = [
      { name: 'Host', value: 'app.example.com' },
      { name: 'user-agent', value: 'mine' },
      { name: 'Accept', value: '' },
      { name: 'X-Twice', value: 'one' },
      { name: 'X-Twice', value: 'two' },
    ]
    assert.equal((await probe(http('healthz', port, { httpHeaders }))).result, 'success')
    assert.deepEqual(
      [last()?.url, headers('host'), headers('user-agent'), headers('accept'), headers('x-twice')],
      ['/healthz', ['app.example.com'], ['mine'], [], ['one', 'two']],
    )
    assert.equal((await probe(http('//double', port))).result, 'success')
    assert.equal(last()?.url, '//double')
  })

  it('find their port by its name, and their host where one is said', async () => {
    assert.equal((await probe(http('/', 'web'), [{ name: 'web', containerPort: port }])).result, 'success')
    assert.deepEqual(await probe(http('/', 'web')), { result: 'unknown', output: 'couldn\'t find port: "web" in container "main"' })
    assert.equal((await probe(http('/', port, { host: 'localhost' }))).result, 'success')
  })

  it('fail by status, by time and without a server', async () => {
    assert.deepEqual(await probe(http('/fails', port)), { result: 'failure', output: 'HTTP probe failed with statuscode: 503', answered: true })
    assert.match(
      (await probe(http('/never', port))).output,
      /^Get "http:\/\/127\.0\.0\.1:\d+\/never": context deadline exceeded \(Client\.Timeout exceeded while awaiting headers\)$/,
    )
    assert.match((await probe(http('/', 1))).output, /^Get "http:\/\/127\.0\.0\.1:1\/": dial tcp 127\.0\.0\.1:1: connect: connection refused$/)
    assert.equal((await probe(http('/large', port))).result, 'success')
  })

  it('follow redirects on the same host alone', async () => {
    assert.equal((await probe(http('/to-fails', port))).output, 'HTTP probe failed with statuscode: 503')
    assert.equal((await probe(http('/to-port', port))).result, 'success')
    assert.match((await probe(http('/around', port))).output, /stopped after 10 redirects$/)
    assert.equal((await probe(http('/away', port))).result, 'success')
  })

  it('over TLS check no certificate', async () => {
    const authority = await createAuthority('unknown to all', realClock.now())
    const pair = await issueCertificate(authority, { commonName: 'other', dnsNames: ['other.example.com'], usages: ['server'] }, realClock.now())
    const secure = createSecureServer({ key: pair.key, cert: pair.certificate }, (request, response) =>
      response.writeHead(request.url === '/fails' ? 500 : 204).end(),
    )
    const securePort = await listening(secure)
    try {
      assert.equal((await probe(http('/', securePort, { scheme: 'HTTPS' }))).result, 'success')
      assert.equal((await probe(http('/fails', securePort, { scheme: 'HTTPS' }))).output, 'HTTP probe failed with statuscode: 500')
      assert.equal((await probe(http('/', securePort))).result, 'failure', 'plain, a TLS server is no success')
    } finally {
      secure.close()
    }
  })
})

describe('gRPC probes', () => {
  /** `HealthCheckRequest` and `HealthCheckResponse` are one field each. */
  const nameOf = (bytes: Buffer) => bytes.subarray(2).toString()
  const states: Record<string, number> = { '': 1, sick: 2, starting: 0 }
  const server = new grpc.Server()
  const bare = new grpc.Server()
  let port = 0
  let barePort = 0
  before(async () => {
    const asIs = (bytes: Buffer) => bytes
    const path = '/grpc.health.v1.Health/Check'
    const bytes = {
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    }
    server.addService(
      { Check: { path, ...bytes } },
      {
        Check(call: grpc.ServerUnaryCall<Buffer, Buffer>, answer: grpc.sendUnaryData<Buffer>) {
          const state = states[nameOf(call.request)]
          if (state === undefined) answer({ code: grpc.status.NOT_FOUND, details: 'unknown service' })
          else answer(null, state === 0 ? Buffer.alloc(0) : Buffer.from([0x08, state]))
        },
      },
    )
    const bind = (one: grpc.Server) =>
      new Promise<number>((resolve, reject) =>
        one.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, at) => (error ? reject(error) : resolve(at))),
      )
    port = await bind(server)
    barePort = await bind(bare)
  })
  after(() => {
    server.forceShutdown()
    bare.forceShutdown()
  })
  const check = (at: number, service?: string) => probe({ grpc: { port: at, ...(service === undefined ? {} : { service }) } })

  it('ask the health service, as a whole or by name', async () => {
    assert.equal((await check(port)).result, 'success')
    assert.deepEqual(await check(port, 'sick'), { result: 'failure', output: 'service unhealthy (responded with "NOT_SERVING")' })
    assert.deepEqual(await check(port, 'starting'), { result: 'failure', output: 'service unhealthy (responded with "UNKNOWN")' })
    assert.deepEqual(await check(port, 'nobody'), { result: 'failure', output: 'error: health rpc probe failed: unknown service' })
  })

  it('fail where nobody serves it', async () => {
    assert.match((await check(barePort)).output, /^error: this server does not implement the grpc health protocol \(grpc\.health\.v1\.Health\)/)
    assert.match((await check(1)).output, /^error: failed to connect service "127\.0\.0\.1:1": dial tcp 127\.0\.0\.1:1: connect: connection refused$/)
    const silent = createTcpServer(() => {})
    const silentPort = await listening(silent)
    assert.equal((await check(silentPort)).output, `timeout: failed to connect service "127.0.0.1:${silentPort}" within 1s: context deadline exceeded`)
    silent.close()
    const plain = createServer((_request, response) => response.end())
    const plainPort = await listening(plain)
    assert.equal((await check(plainPort)).result, 'failure')
    plain.close()
  })
})

it('TCP probes want a connection, no more', async () => {
  const server = createTcpServer((socket) => socket.destroy())
  const port = await listening(server)
  assert.equal((await probe({ tcpSocket: { port } })).result, 'success')
  server.close()
  assert.match((await probe({ tcpSocket: { port: 1 } })).output, /^dial tcp 127\.0\.0\.1:1: connect: connection refused$/)
})
