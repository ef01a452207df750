import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { internalRequest } from '../../src/apiserver/internal-request.ts'
import { startApiServer, type TestApiServer } from '../tools/api-server.ts'
import { type Kubectl, kubectl } from '../tools/kubectl.ts'
import { serveSession } from './stand-in-kubelet.ts'

let api: TestApiServer
let call: Kubectl
let kubelet: ReturnType<typeof createServer>
const web = createHttpServer((request, response) => {
  if (request.url !== '/page') return response.end(`${request.method} ${request.url}`)
  const compressed = request.headers['accept-encoding'] === 'gzip'
  const page = '<a href="/next">next</a>'
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...(compressed ? { 'content-encoding': 'gzip' } : {}) })
  response.end(compressed ? gzipSync(page) : page)
})

before(async () => {
  api = await startApiServer()
  const serving = await api.pki.kubeletServing('node-1', ['127.0.0.1'])
  kubelet = createServer(
    { cert: serving.certificate, key: serving.key, ca: api.pki.ca.certificate, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      const url = new URL(request.url ?? '', 'https://kubelet')
      if (url.searchParams.has('previous')) return response.writeHead(400).end('previous terminated container "web" in pod "web" not found')
      assert.equal((request.socket as TLSSocket).getPeerCertificate().subject.CN, 'kube-apiserver-kubelet-client')
      response.end(url.pathname === '/pods' ? 'the pods of the node' : `${url.pathname}?${url.searchParams}\n`)
    },
  )
  kubelet.on('upgrade', (request, socket, head) => void serveSession({ request, socket, head }))
  await Promise.all([once(kubelet.listen(0, '127.0.0.1'), 'listening'), once(web.listen(0, '127.0.0.1'), 'listening')])
  const { port } = kubelet.address() as AddressInfo
  const access = api.server.access
  const send = (method: string, path: string, object: object) => internalRequest(access, method, path, object)
  await send('POST', '/api/v1/nodes', { metadata: { name: 'node-1' } })
  const status = { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: port } } }
  await send('PUT', '/api/v1/nodes/node-1/status', { metadata: { name: 'node-1' }, status })
  await send('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } })
  const container = { name: 'web', image: 'web', ports: [{ containerPort: (web.address() as AddressInfo).port }] }
  await send('POST', '/api/v1/namespaces/default/pods', { metadata: { name: 'web' }, spec: { nodeName: 'node-1', containers: [container] } })
  await send('PATCH', '/api/v1/namespaces/default/pods/web/status', {}).catch(() => {})
  const pod = (await internalRequest(access, 'GET', '/api/v1/namespaces/default/pods/web')) as object
  await send('PUT', '/api/v1/namespaces/default/pods/web/status', { ...pod, status: { phase: 'Running', podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] } })
  call = await kubectl(api.kubeconfig)
})
after(async () => {
  kubelet.closeAllConnections()
  kubelet.close()
  web.closeAllConnections()
  web.close()
  await api.stop()
})

describe('kubectl through the API server to a kubelet', () => {
  it('reads logs', async () => {
    assert.equal(await call('logs web --tail=5 --timestamps'), '/containerLogs/default/web/web?timestamps=true&tailLines=5\n')
    assert.match(
      (await call.run(['logs', 'web', '--previous'])).stderr,
      /^Error from server \(BadRequest\): previous terminated container "web" in pod "web" not found/,
    )
    assert.match((await call.run(['logs', 'web', '-c', 'none'])).stderr, /container none is not valid for pod web/)
  })

  for (const [name, env] of [
    ['WebSocket', {}],
    ['SPDY', { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' }],
  ] as [string, Record<string, string>][])
    it(`runs commands, copies and forwards over ${name}`, async () => {
      const own = await kubectl(api.kubeconfig, { env })
      const { code, stdout, stderr } = await own.run(['exec', 'web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7'])
      assert.deepEqual([code, stdout, /^err\n/.test(stderr)], [7, 'out\n', true])
      assert.equal(await own('exec -i web -- wc -c', { stdin: 'x'.repeat(200_000) }), '200000\n')
      await writeFile(join(api.dir, 'local'), 'y'.repeat(50_000))
      await own(`cp ${join(api.dir, 'local')} web:${join(api.dir, `copied-${name}`)}`)
      assert.equal((await readFile(join(api.dir, `copied-${name}`), 'utf8')).length, 50_000)
      const { port } = web.address() as AddressInfo
      const child = own.start(['port-forward', 'pod/web', `:${port}`])
      let said = ''
      for await (const text of child.stdout.iterator({ destroyOnReturn: false })) {
        said += text
        if (/127.0.0.1:\d+ -> /.test(said)) break
      }
      const local = /127.0.0.1:(\d+) -> /.exec(said)?.[1]
      assert.equal(await (await fetch(`http://127.0.0.1:${local}/x`)).text(), 'GET /x')
      child.kill()
      await once(child, 'close')
    })

  it('passes HTTP on to the endpoints of a Service', async () => {
    const { port } = web.address() as AddressInfo
    const send = (path: string, object: object) => internalRequest(api.server.access, 'POST', path, object)
    await send('/api/v1/namespaces/default/services', { metadata: { name: 'web' }, spec: { clusterIP: 'None', ports: [{ name: 'http', port: 80 }] } })
    assert.match((await call.run(['get', '--raw', '/api/v1/namespaces/default/services/web/proxy/'])).stderr, /no endpoints available for service "web"/)
    await send('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
      metadata: { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: false } }],
      ports: [{ name: 'http', port }],
    })
    assert.match((await call.run(['get', '--raw', '/api/v1/namespaces/default/services/web:http/proxy/'])).stderr, /no endpoints available for service "web"/)
  })

  it('passes HTTP on to pods and kubelets', async () => {
    assert.equal(await call('get --raw /api/v1/namespaces/default/pods/web/proxy/a/b?c=d'), 'GET /a/b?c=d')
    // kubectl asks for a compressed page.
    const base = '/api/v1/namespaces/default/pods/web/proxy'
    assert.equal(await call(`get --raw ${base}/page`), `<a href="${base}/next">next</a>`)
    assert.equal(await call('get --raw /api/v1/nodes/node-1/proxy/pods'), 'the pods of the node')
    assert.match((await call.run(['get', '--raw', '/api/v1/namespaces/default/services/none/proxy/'])).stderr, /services "none" not found/)
  })

  it('is closed to who may only read', async () => {
    const viewer = await kubectl(await api.kubeconfigOf({ name: 'viewer' }))
    await internalRequest(api.server.access, 'POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'viewer' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'viewer' }],
    })
    assert.match(await viewer('logs web'), /containerLogs/)
    assert.match(
      (await viewer.run(['exec', 'web', '--', 'true'])).stderr,
      /pods "web" is forbidden: User "viewer" cannot (get|create) resource "pods\/exec" in API group "" in the namespace "default"/,
    )
  })
})
