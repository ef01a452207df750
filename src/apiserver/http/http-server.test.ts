import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import * as http2 from 'node:http2'
import * as https from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { CoreV1Api, KubeConfig, Watch } from '@kubernetes/client-node'
import { WebSocket } from 'ws'
import { ensurePki, type Pki } from '../../cluster/pki/pki.ts'
import { valueIn } from '../../machinery/metrics/testing/read-metrics.ts'
import { realClock } from '../../machinery/real-clock.ts'
import type { ServerPartFactory } from '../contracts.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { createHttpServer, type HttpServer } from './http-server.ts'

let dir: string
let pki: Pki
let t: TestServer
let http: HttpServer
let port: number
let seen: string[] = []

async function* lines() {
  yield Buffer.from('one\n')
  yield Buffer.from('two\n')
}

/** Tells who called by certificate, before the stand-in that takes everybody. */
const noteCertificates: ServerPartFactory = () => ({
  name: 'notes certificates',
  handlers: [
    {
      name: 'whoami',
      paths: ['/whoami'],
      handle: async ({ request }) => {
        seen.push(request.certificate?.commonName ?? '')
        return { kind: 'bytes', status: 200, contentType: 'text/plain', bytes: request.certificate?.commonName ?? 'nobody' }
      },
    },
    {
      name: 'lines',
      resources: ['pods/log'],
      handle: async () => ({ kind: 'bytes', status: 200, contentType: 'text/plain', bytes: lines() }),
    },
    {
      name: 'echo',
      resources: ['pods/exec'],
      async handle({ request }) {
        const { upgrade } = request
        if (!upgrade) return { kind: 'bytes', status: 400, contentType: 'text/plain', bytes: 'upgrade wanted' }
        upgrade.socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
        upgrade.socket.pipe(upgrade.socket)
        return { kind: 'hijacked' }
      },
    },
  ],
})

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'skiff-http-'))
  pki = await ensurePki(dir, { clock: realClock })
  t = await startTestServer({ parts: [noteCertificates] })
  http = createHttpServer({
    handle: t.server.handle,
    clock: realClock,
    certificate: pki.serving.certificate,
    key: pki.serving.key,
    clientCa: pki.ca.certificate,
    metrics: t.server.access.metrics,
  })
  port = await http.listen({ port: 0 })
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'demo' } })
})
after(async () => {
  await t.stop()
  await http.stop(200)
  rmSync(dir, { recursive: true })
})

interface Answer {
  status: number
  headers: Record<string, unknown>
  body: Buffer
}

function call(
  method: string,
  path: string,
  options: { body?: string | Buffer; headers?: Record<string, string>; cert?: string; key?: string } = {},
): Promise<Answer> {
  const { body, headers = {}, ...identity } = options
  return new Promise((resolve, reject) => {
    const request = https.request({ agent: false, host: '127.0.0.1', port, method, path, ca: pki.ca.certificate, headers, ...identity }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }))
    })
    request.on('error', reject)
    request.end(body)
  })
}

test('HTTP/1.1 and HTTP/2 on one port', async () => {
  assert.equal((await call('GET', '/version')).status, 200)
  const session = http2.connect(`https://127.0.0.1:${port}`, { ca: pki.ca.certificate })
  const stream = session.request({ ':path': '/api/v1/namespaces/demo' })
  let text = ''
  for await (const chunk of stream) text += chunk
  assert.equal(JSON.parse(text).metadata.name, 'demo')
  session.close()
})

test('a client certificate says who calls; one that nobody has signed is refused', async () => {
  seen = []
  assert.equal((await call('GET', '/whoami')).body.toString(), 'nobody')
  assert.equal((await call('GET', '/whoami', { cert: pki.admin.certificate, key: pki.admin.key })).body.toString(), 'kubernetes-admin')
  const other = mkdtempSync(join(tmpdir(), 'skiff-http-'))
  const stranger = (await ensurePki(other, { clock: realClock })).admin
  assert.equal((await call('GET', '/whoami', { cert: stranger.certificate, key: stranger.key })).status, 401)
  rmSync(other, { recursive: true })
  assert.deepEqual(seen, ['', 'kubernetes-admin'])
})

test('bodies in YAML, warnings in headers, answers as the client accepts them', async () => {
  const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\ndata: {a: b}\nfoo: 1\n'
  const made = await call('POST', '/api/v1/namespaces/demo/configmaps', { body: yaml, headers: { 'content-type': 'application/yaml' } })
  assert.equal(made.status, 201)
  assert.equal(made.headers.warning, '299 - "unknown field \\"foo\\""')
  const read = await call('GET', '/api/v1/namespaces/demo/configmaps/yaml', { headers: { accept: 'application/yaml' } })
  assert.match(read.body.toString(), /^kind: ConfigMap\napiVersion: v1\n/)
  assert.equal((await call('POST', '/api/v1/namespaces/demo/configmaps', { body: 'x', headers: { 'content-type': 'text/csv' } })).status, 415)
  assert.equal((await call('POST', '/api/v1/namespaces/demo/configmaps', { body: '{', headers: { 'content-type': 'application/json' } })).status, 400)
})

test('a body that is too large is refused', async () => {
  const body = JSON.stringify({ metadata: { name: 'large' }, data: { a: 'x'.repeat(3 * 1024 * 1024) } })
  const { status } = await call('POST', '/api/v1/namespaces/demo/configmaps', { body, headers: { 'content-type': 'application/json' } })
  assert.equal(status, 413)
})

test('a large list comes in pieces, compressed where asked; its items carry no kind', async () => {
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'large' } })
  for (let i = 0; i < 400; i++) await t.call('POST', '/api/v1/namespaces/large/configmaps', { metadata: { name: `c${i}` }, data: { a: 'x'.repeat(1000) } })
  const plain = await call('GET', '/api/v1/namespaces/large/configmaps')
  const list = JSON.parse(plain.body.toString())
  assert.equal(list.items.length, 400)
  assert.equal(list.items[0].kind, undefined)
  assert.ok(list.items[0].metadata.resourceVersion)
  const zipped = await call('GET', '/api/v1/namespaces/large/configmaps', { headers: { 'accept-encoding': 'gzip' } })
  assert.equal(zipped.headers['content-encoding'], 'gzip')
  assert.deepEqual(gunzipSync(zipped.body), plain.body)
})

test('an upgrade takes over the connection, or is told why not', async () => {
  const upgrade = (path: string) =>
    new Promise<string>((resolve, reject) => {
      const headers = { connection: 'Upgrade', upgrade: 'echo' }
      const request = https.request({ agent: false, host: '127.0.0.1', port, path, ca: pki.ca.certificate, headers })
      request.on('upgrade', (_response, socket) => {
        socket.once('data', (chunk: Buffer) => {
          resolve(chunk.toString())
          socket.destroy()
        })
        socket.write('hello')
      })
      request.on('response', (response) => resolve(String(response.statusCode)))
      request.on('error', reject)
      request.end()
    })
  assert.equal(await upgrade('/api/v1/namespaces/demo/pods/p/exec'), 'hello')
  assert.equal(await upgrade('/api/v1/namespaces/demo/pods/missing'), '404')
})

test("the field's own client creates, lists and watches", async () => {
  const config = new KubeConfig()
  config.loadFromOptions({
    clusters: [{ name: 'c', server: `https://127.0.0.1:${port}`, caData: Buffer.from(pki.ca.certificate).toString('base64') }],
    users: [{ name: 'u', certData: Buffer.from(pki.admin.certificate).toString('base64'), keyData: Buffer.from(pki.admin.key).toString('base64') }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  })
  const api = config.makeApiClient(CoreV1Api)
  const namespace = 'demo'
  await api.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'client' }, data: { a: 'b' } } })
  const list = await api.listNamespacedConfigMap({ namespace })
  assert.ok(list.items.some(({ metadata }) => metadata?.name === 'client'))
  const watch = new Watch(config)
  const event = await new Promise<{ type: string; name: string }>((resolve, reject) => {
    const started = watch.watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      { resourceVersion: list.metadata?.resourceVersion },
      (type, object) => {
        resolve({ type, name: object.metadata.name })
        void started.then((controller) => controller.abort())
      },
      (error) => error && reject(error),
    )
    started.then(() => api.deleteNamespacedConfigMap({ namespace, name: 'client' }), reject)
  })
  assert.deepEqual(event, { type: 'DELETED', name: 'client' })
  await assert.rejects(api.readNamespacedConfigMap({ namespace, name: 'client' }), { code: 404 })
})

test('clients that vanish in the middle of an answer leave nothing behind', async () => {
  const cache = await t.server.access.cached('configmaps')
  const watchers = () => (cache as unknown as { watchers: number }).watchers
  const before = watchers()
  for (const version of [1, 2]) {
    const sessions = Array.from({ length: 5 }, () => {
      if (version === 2) {
        const session = http2.connect(`https://127.0.0.1:${port}`, { ca: pki.ca.certificate })
        session.on('error', () => {})
        const streams = ['/api/v1/configmaps?watch=1', '/api/v1/configmaps'].map((path) => session.request({ ':path': path }))
        for (const stream of streams) stream.on('error', () => {})
        return { began: new Promise((resolve) => streams[0]?.once('data', resolve)), end: () => session.destroy() }
      }
      const request = https.get({ agent: false, host: '127.0.0.1', port, path: '/api/v1/configmaps?watch=1', ca: pki.ca.certificate })
      request.on('error', () => {})
      return { began: new Promise((resolve) => request.once('response', resolve)), end: () => request.destroy() }
    })
    await Promise.all(sessions.map(({ began }) => began))
    assert.equal(watchers(), before + 5)
    for (const { end } of sessions) end()
    const writing = (async () => {
      for (let i = 0; i < 20; i++)
        await t.call('PATCH', '/api/v1/namespaces/large/configmaps/c1', { data: { a: `${version}${i}` } }, { contentType: 'application/merge-patch+json' })
    })()
    await writing
    const deadline = performance.now() + 2000
    while (watchers() > before && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(watchers(), before)
  }
})

test('stopping ends watches and closes the port', async () => {
  const other = createHttpServer({ handle: t.server.handle, clock: realClock, certificate: pki.serving.certificate, key: pki.serving.key })
  const otherPort = await other.listen({ port: 0 })
  const agent = new https.Agent({ keepAlive: true, ca: pki.ca.certificate })
  await new Promise<void>((resolve, reject) => {
    https.get({ agent, host: '127.0.0.1', port: otherPort, path: '/version' }, (response) => response.resume().on('end', resolve)).on('error', reject)
  })
  const began = performance.now()
  await other.stop(5000)
  assert.ok(performance.now() - began < 1000)
  agent.destroy()
})

test('a watch over a WebSocket sends each event as a message, and ends when the client goes', async () => {
  const { certificate, key } = pki.admin
  const socket = new WebSocket(`wss://127.0.0.1:${port}/api/v1/namespaces/demo/configmaps?watch=true&resourceVersion=0`, ['base64url.bearer.eA', 'v1'], {
    ca: pki.ca.certificate,
    cert: certificate,
    key,
  })
  const messages: { type: string; object: { metadata: { name: string } } }[] = []
  const arrived = new Promise<void>((resolve) =>
    socket.on('message', (data, binary) => {
      assert.equal(binary, false)
      messages.push(JSON.parse(String(data)))
      if (messages.at(-1)?.object.metadata.name === 'by-socket') resolve()
    }),
  )
  await new Promise((resolve) => socket.once('open', resolve))
  assert.equal(socket.protocol, 'v1')
  await t.call('POST', '/api/v1/namespaces/demo/configmaps', { metadata: { name: 'by-socket' } })
  await arrived
  assert.equal(messages.at(-1)?.type, 'ADDED')
  const gone = new Promise((resolve) => socket.once('close', resolve))
  socket.close()
  await gone
})

test('a log over a WebSocket is sent as it comes, in the protocol that the client speaks', async () => {
  const { certificate, key } = pki.admin
  const read = async (protocol: string) => {
    const options = { ca: pki.ca.certificate, cert: certificate, key }
    const socket = new WebSocket(`wss://127.0.0.1:${port}/api/v1/namespaces/demo/pods/web/log`, [protocol], options)
    const messages: [string, boolean][] = []
    socket.on('message', (data, binary) => messages.push([String(data), binary]))
    const code = await new Promise((resolve, reject) => socket.on('close', resolve).on('error', reject))
    return { code, messages }
  }
  assert.deepEqual(await read('binary.k8s.io'), {
    code: 1000,
    messages: [
      ['', true],
      ['one\n', true],
      ['two\n', true],
    ],
  })
  assert.deepEqual(await read('base64.binary.k8s.io'), {
    code: 1000,
    messages: [
      ['', false],
      ['b25lCg==', false],
      ['dHdvCg==', false],
    ],
  })
})

test('sizes of answers, how long certificates are good, and handshakes that broke are told', async () => {
  const metrics = () => t.server.access.metrics.text()
  const list = { verb: 'LIST', resource: 'namespaces', scope: 'cluster' }
  const before = valueIn(metrics(), 'apiserver_response_sizes_sum', list)
  const expiries = valueIn(metrics(), 'apiserver_client_certificate_expiration_seconds_count')
  const { body } = await call('GET', '/api/v1/namespaces', { cert: pki.admin.certificate, key: pki.admin.key })
  assert.equal(valueIn(metrics(), 'apiserver_response_sizes_sum', list) - before, body.length)
  assert.equal(valueIn(metrics(), 'apiserver_client_certificate_expiration_seconds_count'), expiries + 1)
  const left = new X509Certificate(pki.admin.certificate).validToDate.getTime() - Date.now()
  assert.ok(valueIn(metrics(), 'apiserver_client_certificate_expiration_seconds_sum') > left / 1000 - 60)

  const broken = () => valueIn(metrics(), 'apiserver_tls_handshake_errors_total')
  assert.equal(broken(), 0)
  const socket = connect(port, '127.0.0.1')
  socket.write('this is not TLS at all\n')
  await once(socket.resume(), 'close')
  assert.equal(broken(), 1)
})
