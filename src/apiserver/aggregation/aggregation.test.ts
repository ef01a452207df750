import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { createClient } from '../../client/api-client.ts'
import { ensurePki, type Pki } from '../../cluster/pki/pki.ts'
import { sumIn } from '../../machinery/metrics/testing/read-metrics.ts'
import type { Status } from '../../machinery/object.ts'
import { realClock } from '../../machinery/real-clock.ts'
import { discovery } from '../discovery/discovery.ts'
import { requestHeaderAuthentication } from '../extension/request-header.ts'
import { createInProcessTransport } from '../in-process-transport.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { aggregation } from './aggregation.ts'
import type { ExtensionServer } from './extension-client.ts'
import { availableCondition } from './remote-service.ts'

const path = '/apis/example.dev/v1'
const list = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: 'example.dev/v1',
  resources: [
    { name: 'gauges', singularName: 'gauge', namespaced: true, kind: 'Gauge', verbs: ['get', 'list'], shortNames: ['ga'] },
    { name: 'gauges/status', singularName: '', namespaced: true, kind: 'Gauge', verbs: ['get'] },
  ],
}

describe('aggregation', () => {
  const directory = mkdtempSync(join(tmpdir(), 'aggregation-'))
  const inProcess = new Map<string, ExtensionServer>()
  const seen: { url: string; headers: IncomingHttpHeaders; certificate: string | undefined; body: string }[] = []
  let pki: Pki
  let extension: Server
  let port: number
  let main: TestServer
  /** What it answers when it is asked for its resources. */
  let served: unknown = list

  before(async () => {
    pki = await ensurePki(join(directory, 'pki'), { clock: realClock })
    const serving = await pki.extensionServing('gauges', ['gauges.default.svc'], ['127.0.0.1'])
    extension = createServer({ key: serving.key, cert: serving.certificate, ca: pki.frontProxyCa.certificate, requestCert: true })
    extension.on('request', async (request, response) => {
      const certificate = (request.socket as TLSSocket).getPeerCertificate().subject?.CN
      const body = Buffer.concat(await request.toArray()).toString()
      seen.push({ url: request.url ?? '', headers: request.headers, certificate: [certificate].flat()[0], body })
      const answer = (status: number, object: unknown) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(object))
      if (request.url === path) return answer(200, served)
      if (request.url === '/openapi/v2') return answer(200, { definitions: { Gauge: { type: 'object' } }, paths: {} })
      if (request.url === '/openapi/v3') return answer(200, { paths: { 'apis/example.dev/v1': { serverRelativeURL: `/openapi/v3${path}?hash=1` } } })
      if (request.url?.startsWith(`${path}/silent`)) return
      if (request.url?.startsWith(`${path}/broken-off`)) return response.writeHead(200, { 'content-type': 'application/json' }).write('{')
      if (request.url?.startsWith(`${path}/`)) return answer(request.method === 'POST' ? 201 : 200, { kind: 'Gauge', metadata: { name: 'g' } })
      return answer(404, { kind: 'Status' })
    })
    await new Promise<void>((resolve) => extension.listen(0, '127.0.0.1', resolve))
    port = (extension.address() as AddressInfo).port
    main = await startTestServer({ parts: [aggregation({ ...pki.frontProxyClient, inProcess }), discovery] })
    await main.call('POST', '/api/v1/namespaces', { metadata: { name: 'default' } })
  })
  after(async () => {
    await main.stop()
    extension.closeAllConnections()
    extension.close()
    rmSync(directory, { recursive: true })
  })

  const condition = async () => {
    const { object } = await main.call('GET', '/apis/apiregistration.k8s.io/v1/apiservices/v1.example.dev')
    const found = availableCondition(object)
    return `${found?.status} ${found?.reason} ${found?.message}`
  }
  async function until(expected: RegExp): Promise<void> {
    let last = ''
    for (let i = 0; i < 300; i++) {
      last = await condition()
      if (expected.test(last)) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    assert.match(last, expected)
  }
  const slice = (endpoints: unknown[]) => ({
    metadata: { name: 'gauges', namespace: 'default', labels: { 'kubernetes.io/service-name': 'gauges' } },
    addressType: 'IPv4',
    ports: [{ name: 'https', port, protocol: 'TCP' }],
    endpoints,
  })

  it('says what is missing, in the order in which it comes', async () => {
    const spec = {
      group: 'example.dev',
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 10,
      service: { namespace: 'default', name: 'gauges' },
      caBundle: Buffer.from(pki.ca.certificate).toString('base64'),
    }
    await main.call('POST', '/apis/apiregistration.k8s.io/v1/apiservices', { metadata: { name: 'v1.example.dev' }, spec })
    await until(/^False ServiceNotFound service\/gauges in "default" is not present$/)
    const refused = await main.call('GET', `${path}/namespaces/default/gauges`)
    assert.deepEqual([refused.status, refused.object.text], [503, 'service unavailable\n'])
    await main.call('POST', '/api/v1/namespaces/default/services', {
      metadata: { name: 'gauges', namespace: 'default' },
      spec: { clusterIP: '10.96.0.9', ports: [{ name: 'https', port: 443 }] },
    })
    await until(/^False EndpointsNotFound cannot find endpointslices for service\/gauges in "default"$/)
    await main.call('POST', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', slice([]))
    await until(/^False MissingEndpoints endpoints for service\/gauges in "default" have no addresses with port name "https"$/)
    const endpoints = [{ addresses: ['127.0.0.1'], conditions: { ready: true } }]
    await main.call('PUT', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/gauges', slice(endpoints))
    await until(/^True Passed all checks passed$/)
  })

  it('passes requests on with the caller’s name, which it alone may tell', async () => {
    const headers = { 'x-remote-user': 'root', 'x-remote-group': 'system:masters', 'x-remote-extra-a': 'b', authorization: 'Bearer secret' }
    const made = await main.call('POST', `${path}/namespaces/default/gauges?dryRun=All`, { kind: 'Gauge' }, { headers })
    assert.equal(made.status, 201)
    const last = seen.at(-1)
    assert.deepEqual([last?.url, last?.body, last?.certificate], [`${path}/namespaces/default/gauges?dryRun=All`, '{"kind":"Gauge"}', 'front-proxy-client'])
    const told: IncomingHttpHeaders = last?.headers ?? {}
    assert.deepEqual(
      [told['x-remote-user'], told['x-remote-group'], told['x-remote-extra-a'], told.authorization],
      ['tester', 'system:authenticated', undefined, undefined],
    )
  })

  it('tells of what the other serves, in both forms of discovery', async () => {
    const groups = JSON.parse(String((await main.call('GET', '/apis')).object.text)).groups as { name: string; preferredVersion: unknown }[]
    assert.deepEqual(groups.at(-1), {
      name: 'example.dev',
      versions: [{ groupVersion: 'example.dev/v1', version: 'v1' }],
      preferredVersion: { groupVersion: 'example.dev/v1', version: 'v1' },
    })
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    const all = JSON.parse(String((await main.call('GET', '/apis', undefined, { headers: { accept } })).object.text)).items as unknown[]
    const responseKind = { group: 'example.dev', version: 'v1', kind: 'Gauge' }
    assert.deepEqual((all.at(-1) as { versions: unknown[] }).versions, [
      {
        version: 'v1',
        resources: [
          {
            resource: 'gauges',
            responseKind,
            scope: 'Namespaced',
            singularResource: 'gauge',
            verbs: ['get', 'list'],
            shortNames: ['ga'],
            subresources: [{ subresource: 'status', responseKind, verbs: ['get'] }],
          },
        ],
        freshness: 'Current',
      },
    ])
    assert.deepEqual(main.server.access.foreign.openApiPaths(), { 'apis/example.dev/v1': { serverRelativeURL: `/openapi/v3${path}?hash=1` } })
    assert.deepEqual(Object.keys(main.server.access.foreign.openApiV2()[0]?.definitions ?? {}), ['Gauge'])
  })

  it('calls a server of its own process without a connection, as the same caller', async () => {
    const never = { list: async () => assert.fail() } as never
    const inner = await startTestServer()
    const authenticator = requestHeaderAuthentication({ client: never })(inner.server.access).authenticators?.[0]
    inProcess.set(`127.0.0.1:${port}`, {
      handle: async (request) => ({ kind: 'object', status: 200, object: { kind: 'Gauge', user: await authenticator?.authenticate(request) } }),
    })
    const before = seen.length
    const { object } = await main.call('GET', `${path}/namespaces/default/gauges/g`)
    assert.deepEqual(object.user, { name: 'tester', groups: ['system:authenticated'] })
    assert.equal(seen.length, before)
    inProcess.clear()
    await inner.stop()
  })

  it('waits no longer than a request may take for an answer, or for its end, whoever asks', { timeout: 10_000 }, async () => {
    const user = { name: 'controller', groups: ['system:masters'] }
    const inside = createClient(createInProcessTransport(main.server, { user, userAgent: 'test' }), { userAgent: 'test' })
    const query = { timeout: '100ms' }
    const { status, object } = await inside.raw({ method: 'GET', path: `${path}/silent`, query })
    assert.deepEqual([status, (object as Status).reason], [504, 'Timeout'])
    await assert.rejects(inside.raw({ method: 'GET', path: `${path}/broken-off`, query }), /abort/)
  })

  it('reads lists as Go writes them, null for none; and says so of what is no list', async () => {
    const stir = () =>
      main.call(
        'PATCH',
        '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/gauges',
        { metadata: { annotations: { at: String(stirred++) } } },
        { contentType: 'application/merge-patch+json' },
      )
    let stirred = 0
    const says = async (answer: unknown, expected: RegExp) => {
      served = answer
      await stir()
      await until(expected)
    }
    const notAList = /^False FailedDiscoveryCheck .*the answer is not a list of resources$/
    for (const wrong of [null, 'text', [], { resources: 'many' }]) {
      await says(wrong, notAList)
      await says({ ...list, resources: null }, /^True Passed/)
    }
    assert.deepEqual(main.server.access.foreign.groupVersions()[0]?.resources, [])
    await says([], notAList)
    await says({ ...list, resources: [null, {}, { name: 'gauges', kind: 'Gauge', namespaced: true, verbs: null }] }, /^True Passed/)
    const responseKind = { group: 'example.dev', version: 'v1', kind: 'Gauge' }
    const entry = { resource: 'gauges', responseKind, scope: 'Namespaced', singularResource: '', verbs: [] }
    assert.deepEqual(main.server.access.foreign.groupVersions()[0]?.resources, [entry])
    await says([], notAList)
    await says(list, /^True Passed/)
  })

  it('tells when the server is gone: not available, and stale', async () => {
    const told = (name: string) => sumIn(main.server.access.metrics.text(), name, { name: 'v1.example.dev' })
    const [down, lost] = [told('aggregator_unavailable_apiservice'), told('aggregator_unavailable_apiservice_total')]
    extension.closeAllConnections()
    await new Promise<void>((resolve) => extension.close(() => resolve()))
    const refused = await main.call('GET', `${path}/namespaces/default/gauges`)
    assert.equal(refused.status, 503)
    assert.match(refused.object.message ?? '', /^error trying to reach service: .*ECONNREFUSED/)
    const endpoints = [{ addresses: ['127.0.0.1'], conditions: { ready: true, serving: true } }]
    await main.call('PUT', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/gauges', slice(endpoints))
    await until(/^False FailedDiscoveryCheck failing or missing response from https:\/\/127\.0\.0\.1:\d+\/apis\/example\.dev\/v1: /)
    assert.equal(main.server.access.foreign.groupVersions()[0]?.fresh, false)
    assert.deepEqual([down, told('aggregator_unavailable_apiservice')], [0, 1])
    assert.equal(told('aggregator_unavailable_apiservice_total'), lost + 1)
    await main.call('DELETE', '/apis/apiregistration.k8s.io/v1/apiservices/v1.example.dev')
    assert.equal((await main.call('GET', `${path}/namespaces/default/gauges`)).status, 404)
  })
})
