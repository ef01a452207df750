import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

let t: TestServer
const path = '/api/v1/namespaces/demo/configmaps'
const deployments = '/apis/apps/v1/namespaces/demo/deployments'
const configMap = (name: string, data: Record<string, string> = { a: '1' }) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data })
const deployment = (name: string) => ({
  metadata: { name },
  spec: { selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } } },
})

before(async () => {
  t = await startTestServer()
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'demo' } })
})
after(() => t.stop())

test('create gives identity, and refuses a name that is taken', async () => {
  const made = await t.call('POST', path, configMap('identity'))
  assert.equal(made.status, 201)
  assert.match(made.object.metadata.uid, /^[0-9a-f-]{36}$/)
  assert.ok(made.object.metadata.creationTimestamp)
  const again = await t.call('POST', path, configMap('identity'))
  assert.equal(again.status, 409)
  assert.equal(again.object.reason, 'AlreadyExists')
  assert.equal(again.object.message, 'configmaps "identity" already exists')
})

test('create makes names from generateName', async () => {
  const { object } = await t.call('POST', path, { metadata: { generateName: 'made-' } })
  assert.match(object.metadata.name, /^made-[bcdfghjklmnpqrstvwxz2-9]{5}$/)
})

test('create refuses another namespace, version or kind than the path says', async () => {
  const other = await t.call('POST', path, { ...configMap('x'), metadata: { name: 'x', namespace: 'other' } })
  assert.equal(other.status, 400)
  assert.equal(other.object.message, 'the namespace of the provided object does not match the namespace sent on the request')
  const version = await t.call('POST', path, { ...configMap('x'), apiVersion: 'apps/v1' })
  assert.equal(version.object.message, 'the API version in the data (apps/v1) does not match the expected API version (v1)')
  assert.equal((await t.call('POST', path, { ...configMap('x'), kind: 'Secret' })).status, 400)
})

test('unknown fields are warned of, refused or ignored as asked', async () => {
  const body = { ...configMap('unknown'), foo: 1 }
  assert.deepEqual((await t.call('POST', path, body)).warnings, ['unknown field "foo"'])
  const strict = await t.call('POST', `${path}?fieldValidation=Strict`, { ...body, metadata: { name: 'unknown2' } })
  assert.equal(strict.status, 400)
  assert.equal(strict.object.message, 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "foo"')
  assert.deepEqual((await t.call('POST', `${path}?fieldValidation=Ignore`, { ...body, metadata: { name: 'unknown3' } })).warnings, [])
})

test('fields that stand twice are told of', async () => {
  const text = '{"metadata":{"name":"twice"},"data":{"a":"1"},"data":{"a":"2"}}'
  const warned = await t.call('POST', path, text)
  assert.deepEqual(warned.warnings, ['duplicate field "data"'])
  assert.deepEqual(warned.object.data, { a: '2' })
  const strict = await t.call('POST', `${path}?fieldValidation=Strict`, text.replace('twice', 'thrice'))
  assert.equal(strict.object.message, 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data"')
})

test('dry run answers as if, and stores nothing', async () => {
  const made = await t.call('POST', `${path}?dryRun=All`, configMap('dry'))
  assert.equal(made.status, 201)
  assert.ok(made.object.metadata.uid)
  assert.equal((await t.call('GET', `${path}/dry`)).status, 404)
  assert.equal((await t.call('POST', `${path}?dryRun=Some`, configMap('dry'))).status, 400)
})

test('update wants the version it has read; without one it replaces what is there', async () => {
  const { object: first } = await t.call('POST', path, configMap('update'))
  const second = await t.call('PUT', `${path}/update`, { ...first, data: { a: '2' } })
  assert.equal(second.status, 200)
  const stale = await t.call('PUT', `${path}/update`, { ...first, data: { a: '3' } })
  assert.equal(stale.status, 409)
  assert.equal(
    stale.object.message,
    'Operation cannot be fulfilled on configmaps "update": the object has been modified; please apply your changes to the latest version and try again',
  )
  const blind = await t.call('PUT', `${path}/update`, configMap('update', { a: '4' }))
  assert.equal(blind.status, 200)
  assert.equal(blind.object.metadata.uid, first.metadata.uid)
  assert.equal((await t.call('PUT', `${path}/none`, configMap('none'))).status, 404)
})

test('a write that changes nothing makes no revision', async () => {
  const { object } = await t.call('POST', path, configMap('same'))
  const again = await t.call('PUT', `${path}/same`, object)
  assert.equal(again.object.metadata.resourceVersion, object.metadata.resourceVersion)
})

test('leases are created by update, and never replaced blindly', async () => {
  const leases = '/apis/coordination.k8s.io/v1/namespaces/demo/leases/l'
  const lease = { metadata: { name: 'l' }, spec: { holderIdentity: 'a' } }
  const made = await t.call('PUT', leases, lease)
  assert.equal(made.status, 201)
  const blind = await t.call('PUT', leases, lease)
  assert.equal(blind.status, 422)
  assert.match(blind.object.message ?? '', /metadata.resourceVersion: Invalid value: 0x0: must be specified for an update/)
})

test('generation counts changes of the spec alone', async () => {
  const { object } = await t.call('POST', deployments, deployment('gen'))
  assert.equal(object.metadata.generation, 1)
  const merge = { contentType: 'application/merge-patch+json' }
  const labelled = await t.call('PATCH', `${deployments}/gen`, { metadata: { labels: { a: 'b' } } }, merge)
  assert.equal(labelled.object.metadata.generation, 1)
  const scaled = await t.call('PATCH', `${deployments}/gen`, { spec: { replicas: 3 } }, merge)
  assert.equal(scaled.object.metadata.generation, 2)
  const status = await t.call('PATCH', `${deployments}/gen/status`, { status: { replicas: 3, observedGeneration: 2 }, spec: { replicas: 9 } }, merge)
  assert.equal(status.object.metadata.generation, 2)
  assert.deepEqual((status.object.spec as { replicas: number }).replicas, 3)
})

test('patches of all kinds', async () => {
  await t.call('POST', path, configMap('patched'))
  const json = await t.call('PATCH', `${path}/patched`, [{ op: 'add', path: '/data/b', value: '2' }], { contentType: 'application/json-patch+json' })
  assert.deepEqual(json.object.data, { a: '1', b: '2' })
  const merge = await t.call('PATCH', `${path}/patched`, { data: { a: null } }, { contentType: 'application/merge-patch+json' })
  assert.deepEqual(merge.object.data, { b: '2' })
  await t.call('POST', deployments, deployment('strategic'))
  const strategic = await t.call(
    'PATCH',
    `${deployments}/strategic`,
    { spec: { template: { spec: { containers: [{ name: 'second', image: 'j' }] } } } },
    { contentType: 'application/strategic-merge-patch+json' },
  )
  const { containers } = (strategic.object.spec as { template: { spec: { containers: { name: string }[] } } }).template.spec
  assert.deepEqual(containers.map(({ name }) => name).sort(), ['c', 'second'])
  assert.equal((await t.call('PATCH', `${path}/patched`, {}, { contentType: 'application/json' })).status, 415)
  assert.equal((await t.call('PATCH', `${path}/missing`, {}, { contentType: 'application/merge-patch+json' })).status, 404)
})

test('server-side apply creates, owns fields, and tells conflicts', async () => {
  const apply = { contentType: 'application/apply-patch+yaml' }
  const yaml = (value: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied}\ndata: {x: "${value}"}\n`
  assert.equal((await t.call('PATCH', `${path}/applied?fieldManager=one`, yaml('1'), apply)).status, 201)
  const conflict = await t.call('PATCH', `${path}/applied?fieldManager=two`, yaml('2'), apply)
  assert.equal(conflict.status, 409)
  assert.equal(conflict.object.details?.causes?.[0]?.reason, 'FieldManagerConflict')
  const forced = await t.call('PATCH', `${path}/applied?fieldManager=two&force=true`, yaml('2'), apply)
  assert.deepEqual(forced.object.data, { x: '2' })
  assert.equal((await t.call('PATCH', `${path}/applied`, yaml('2'), apply)).status, 400)
})

test('two writers with patches lose nothing', async () => {
  await t.call('POST', path, configMap('contended', {}))
  const patch = (i: number) => t.call('PATCH', `${path}/contended`, { data: { [`k${i}`]: 'v' } }, { contentType: 'application/merge-patch+json' })
  const answers = await Promise.all([1, 2, 3, 4].map(patch))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200],
  )
  const { object } = await t.call('GET', `${path}/contended`)
  assert.deepEqual(Object.keys(object.data as object).sort(), ['k1', 'k2', 'k3', 'k4'])
})

test('a patch that names a version is not retried on another', async () => {
  const { object } = await t.call('POST', path, configMap('versioned'))
  await t.call('PATCH', `${path}/versioned`, { data: { b: '1' } }, { contentType: 'application/merge-patch+json' })
  const late = await t.call(
    'PATCH',
    `${path}/versioned`,
    { metadata: { resourceVersion: object.metadata.resourceVersion }, data: { c: '1' } },
    { contentType: 'application/merge-patch+json' },
  )
  assert.equal(late.status, 409)
})

test('scale reads and writes the replicas', async () => {
  await t.call('POST', deployments, deployment('scaled'))
  const scale = await t.call('GET', `${deployments}/scaled/scale`)
  assert.equal(scale.object.kind, 'Scale')
  assert.deepEqual(scale.object.spec, { replicas: 1 })
  const written = await t.call('PUT', `${deployments}/scaled/scale`, { ...scale.object, spec: { replicas: 5 } })
  assert.deepEqual(written.object.spec, { replicas: 5 })
  const patched = await t.call('PATCH', `${deployments}/scaled/scale`, { spec: { replicas: 2 } }, { contentType: 'application/merge-patch+json' })
  assert.deepEqual(patched.object.spec, { replicas: 2 })
  const { object } = await t.call('GET', `${deployments}/scaled`)
  assert.equal((object.spec as { replicas: number }).replicas, 2)
})

test('what is not served is not found, and what a resource cannot do is not allowed', async () => {
  assert.equal((await t.call('GET', '/apis/none.example/v1/things')).status, 404)
  assert.equal((await t.call('GET', `${path}/x/scale`)).status, 404)
  assert.equal((await t.call('DELETE', '/api/v1/namespaces')).status, 405)
})

test('every write is told of, with who and because of what', async () => {
  t.writes.length = 0
  const cause = { component: 'tester', seen: [3, 4] }
  const { object } = await t.call('POST', path, configMap('told'), { headers: { 'skiff-cause': JSON.stringify(cause) } })
  const [write] = t.writes
  assert.equal(write?.revision, Number(object.metadata.resourceVersion))
  assert.equal(write?.key, '/registry/configmaps/demo/told')
  assert.deepEqual([write?.verb, write?.resource, write?.user.name, write?.userAgent], ['create', 'configmaps', 'tester', 'test/1.0'])
  assert.deepEqual(write?.cause, cause)
})

test('the versions of an object share what they have in common', async () => {
  await t.call('POST', deployments, deployment('shared'))
  const versions = await t.watch(`${deployments}?watch=true&fieldSelector=metadata.name%3Dshared&resourceVersion=0`)
  const next = async () =>
    (await versions.next()).value.object as { metadata: { labels?: unknown; managedFields: { fieldsV1: unknown }[] }; spec: { template: unknown } }
  const before = await next()
  const { metadata, ...rest } = structuredClone(before) as unknown as { metadata: object }
  await t.call('PUT', `${deployments}/shared`, { ...rest, metadata: { ...metadata, labels: { tier: 'web' } } })
  const after = await next()
  assert.deepEqual(after.metadata.labels, { tier: 'web' })
  assert.equal(after.spec, before.spec)

  await t.call('POST', deployments, deployment('other'))
  const { object: other } = await t.call('GET', `${deployments}/other`)
  const specOf = ({ metadata }: { metadata: { managedFields?: { fieldsV1?: unknown }[] } }) =>
    (metadata.managedFields?.[0]?.fieldsV1 as Record<string, unknown> | undefined)?.['f:spec']
  assert.ok(specOf(before))
  assert.equal(specOf(other), specOf(before), 'and so do the fields that are owned of objects that are alike')
})

test('each verb has its path: nothing is deleted in all namespaces at once', async () => {
  await t.call('POST', path, configMap('stays'))
  const headers = { 'content-type': 'application/merge-patch+json' }
  const wrong: [string, string][] = [
    ['DELETE', '/api/v1/configmaps'],
    ['POST', '/api/v1/configmaps'],
    ['PUT', path],
    ['PATCH', path],
    ['POST', `${path}/stays`],
  ]
  for (const [method, at] of wrong) {
    const { status, object } = await t.call(method, at, {}, { headers })
    assert.deepEqual([status, object.reason], [405, 'MethodNotAllowed'], `${method} ${at}`)
  }
  assert.equal((await t.call('GET', `${path}/stays`)).status, 200)
  assert.equal((await t.call('GET', '/api/v1/configmaps')).status, 200)
})
