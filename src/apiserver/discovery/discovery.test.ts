import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { aggregatedVersion } from './aggregated.ts'
import { discovery } from './discovery.ts'
import { compareVersions } from './group-order.ts'

describe('negotiation', () => {
  const v2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  const cases: [string | undefined, string | undefined][] = [
    [undefined, undefined],
    ['application/json', undefined],
    [v2, 'v2'],
    [`${v2},${v2.replace('v2', 'v2beta1')},application/json`, 'v2'],
    [`application/json, ${v2}`, undefined],
    ['application/json;as=Table;g=meta.k8s.io;v=v1,application/json', undefined],
    ['application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json', 'v2beta1'],
  ]
  for (const [accept, expected] of cases) it(`answers ${expected} to ${accept}`, () => assert.equal(aggregatedVersion(accept), expected))
})

describe('versions', () => {
  it('stand in the order in which they are preferred', () => {
    const versions = ['v1alpha1', 'v2', 'foo', 'v1', 'v1beta2', 'v11alpha2', 'v10', 'v1beta10']
    assert.deepEqual(versions.sort(compareVersions), ['v10', 'v2', 'v1', 'v1beta10', 'v1beta2', 'v11alpha2', 'v1alpha1', 'foo'])
  })
})

describe('documents', () => {
  let test: TestServer
  before(async () => {
    test = await startTestServer({ parts: [discovery] })
  })
  after(() => test.stop())
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const { response } = await test.call('GET', path, undefined, { headers })
    assert.equal(response.kind, 'bytes')
    const { status, bytes, contentType, headers: answered = {} } = response as Extract<typeof response, { kind: 'bytes' }>
    return { status, contentType, etag: answered.etag ?? '', body: bytes === '' ? undefined : JSON.parse(String(bytes)) }
  }

  it('tell every path', async () => {
    const { object } = await test.call('GET', '/')
    const paths = object.paths as string[]
    for (const path of ['/api', '/api/v1', '/apis', '/apis/apps', '/apis/apps/v1', '/healthz', '/readyz/ping', '/version'])
      assert.ok(paths.includes(path), path)
    assert.deepEqual(paths, [...new Set(paths)].sort())
  })

  it('tell all groups in one, and nothing to who has it', async () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    const first = await get('/apis', { accept })
    assert.equal(first.contentType, accept)
    const apps = first.body.items.find((item: { metadata: { name: string } }) => item.metadata.name === 'apps')
    const deployments = apps.versions[0].resources.find((one: { resource: string }) => one.resource === 'deployments')
    assert.deepEqual(deployments.subresources, [
      { subresource: 'scale', responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs: ['get', 'patch', 'update'] },
      { subresource: 'status', responseKind: { group: '', version: '', kind: 'Deployment' }, verbs: ['get', 'patch', 'update'] },
    ])
    assert.equal((await get('/apis', { accept, 'if-none-match': first.etag })).status, 304)
    const core = await get('/api', { accept })
    assert.deepEqual([core.body.items.length, core.body.items[0].metadata.name], [1, undefined])
  })

  it('tell group by group', async () => {
    assert.deepEqual((await get('/api')).body.versions, ['v1'])
    assert.equal((await get('/apis')).body.groups[1].name, 'apps')
    assert.equal((await get('/apis/autoscaling')).body.preferredVersion.groupVersion, 'autoscaling/v2')
    const list = (await get('/apis/apps/v1')).body
    const scale = list.resources.find((one: { name: string }) => one.name === 'deployments/scale')
    assert.deepEqual(scale, {
      name: 'deployments/scale',
      singularName: '',
      namespaced: true,
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: ['get', 'patch', 'update'],
    })
    assert.equal((await test.call('GET', '/apis/none/v1')).status, 404)
  })
})
