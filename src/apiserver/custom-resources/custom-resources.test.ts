import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openApiDocuments } from '../../machinery/openapi/openapi.ts'
import { readBuiltInSchema } from '../../machinery/schema/built-in.ts'
import { Schema } from '../../machinery/schema/schema.ts'
import { MemoryStore } from '../../store/memory-store.ts'
import { discovery } from '../discovery/discovery.ts'
import { openApi } from '../discovery/openapi.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { customResources } from './custom-resources.ts'

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const merge = { contentType: 'application/merge-patch+json' }

const cronTabSchema = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['cronSpec'],
      properties: {
        cronSpec: { type: 'string', pattern: '^(\\S+ ){4}\\S+$' },
        image: { type: 'string', default: 'cron:1' },
        replicas: { type: 'integer', minimum: 1, maximum: 10, default: 1 },
        policy: { type: 'string', enum: ['Forbid', 'Allow'] },
        port: { 'x-kubernetes-int-or-string': true },
        names: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
        steps: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, run: { type: 'string', default: 'true' } } },
        },
        extra: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        nothing: { type: 'string', nullable: true },
      },
    },
    status: { type: 'object', properties: { replicas: { type: 'integer' }, selector: { type: 'string' } } },
  },
}

const version = (name: string, more: object = {}) => ({ name, served: true, storage: true, schema: { openAPIV3Schema: cronTabSchema }, ...more })

const definition = (group: string, versions: object[] = [version('v1')], names: object = {}) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `crontabs.${group}` },
  spec: { group, scope: 'Namespaced', names: { plural: 'crontabs', kind: 'CronTab', shortNames: ['ct'], categories: ['all'], ...names }, versions },
})

let t: TestServer
const pathOf = (group: string, v = 'v1') => `/apis/${group}/${v}/namespaces/demo/crontabs`

async function start(store = new MemoryStore()): Promise<TestServer> {
  const schema = new Schema(readBuiltInSchema())
  return startTestServer({ store, schema, parts: [customResources(schema), discovery, openApi(openApiDocuments(schema, () => ({})))] })
}

/** Creates the definition, and waits as `kubectl wait` does. */
async function establish(body: { metadata: { name: string } }, server = t): Promise<void> {
  const watch = await server.watch(`${definitions}?watch=true&fieldSelector=metadata.name=${body.metadata.name}`)
  const made = await server.call('POST', definitions, body)
  assert.equal(made.status, 201, made.object.message)
  for (;;) {
    const { value } = await watch.next()
    const { conditions = [] } = value.object.status as { conditions?: { type: string; status: string }[] }
    if (conditions.some((one) => one.type === 'Established' && one.status === 'True')) break
  }
  await watch.return?.()
}

const create = (group: string, name: string, spec: unknown, more: object = {}) => t.call('POST', pathOf(group), { metadata: { name }, spec, ...more })

before(async () => {
  t = await start()
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'demo' } })
  await establish(definition('a.example.com'))
})
after(() => t.stop())

test('an accepted definition says so, and its kind is served, discovered and described', async () => {
  const { object } = await t.call('GET', `${definitions}/crontabs.a.example.com`)
  const status = object.status as unknown as { conditions: { type: string; status: string; reason: string }[]; acceptedNames: object; storedVersions: string[] }
  assert.deepEqual(
    status.conditions.map(({ type, status, reason }) => [type, status, reason]),
    [
      ['NamesAccepted', 'True', 'NoConflicts'],
      ['Established', 'True', 'InitialNamesAccepted'],
    ],
  )
  assert.deepEqual(status.acceptedNames, {
    plural: 'crontabs',
    singular: 'crontab',
    kind: 'CronTab',
    listKind: 'CronTabList',
    shortNames: ['ct'],
    categories: ['all'],
  })
  assert.deepEqual(status.storedVersions, ['v1'])
  const discovered = JSON.parse(String((await t.call('GET', '/apis/a.example.com/v1')).object.text)) as { resources: { name: string; shortNames: string[] }[] }
  assert.deepEqual([discovered.resources[0]?.name, discovered.resources[0]?.shortNames], ['crontabs', ['ct']])
  const described = JSON.parse(String((await t.call('GET', '/openapi/v3/apis/a.example.com/v1')).object.text))
  const kind = described.components.schemas['com.example.a.v1.CronTab']
  assert.deepEqual(kind['x-kubernetes-group-version-kind'], [{ group: 'a.example.com', kind: 'CronTab', version: 'v1' }])
  assert.equal(kind.properties.spec.properties.replicas.minimum, 1)
  assert.deepEqual(kind.properties.metadata, { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' })
  const { patch } = described.paths['/apis/a.example.com/v1/namespaces/{namespace}/crontabs/{name}']
  assert.deepEqual(Object.keys(patch.requestBody.content), ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json'])
  assert.ok('com.example.a.v1.CronTabList' in described.components.schemas)
})

test('an object gets its defaults and loses what its schema does not know', async () => {
  const made = await create('a.example.com', 'good', {
    cronSpec: '* * * * 1',
    unknown: 1,
    steps: [{ name: 'one' }],
    extra: { any: { thing: [] } },
    nothing: null,
  })
  assert.equal(made.status, 201, made.object.message)
  assert.deepEqual(made.warnings, ['unknown field "spec.unknown"'])
  assert.deepEqual(made.object.spec, {
    cronSpec: '* * * * 1',
    steps: [{ name: 'one', run: 'true' }],
    extra: { any: { thing: [] } },
    nothing: null,
    image: 'cron:1',
    replicas: 1,
  })
  assert.equal(made.object.metadata.generation, 1)
  assert.equal(made.object.kind, 'CronTab')
  const strict = await t.call('POST', `${pathOf('a.example.com')}?fieldValidation=Strict`, {
    metadata: { name: 'x' },
    spec: { cronSpec: '* * * * 1', unknown: 1 },
  })
  assert.equal(strict.status, 400)
})

test('what its schema does not allow is refused in upstream words', async () => {
  const messages = async (spec: unknown) => {
    const { status, object } = await create('a.example.com', 'bad', spec)
    assert.equal(status, 422, object.message)
    return object.details?.causes?.map(({ field, message }) => `${field}: ${message}`)
  }
  assert.deepEqual(await messages(undefined), ['spec: Required value'])
  assert.deepEqual(await messages({}), ['spec.cronSpec: Required value'])
  assert.deepEqual(await messages({ cronSpec: 5 }), ['spec.cronSpec: Invalid value: "integer": spec.cronSpec in body must be of type string: "integer"'])
  assert.deepEqual(await messages({ cronSpec: 'x', replicas: 11, policy: 'No' }), [
    `spec.cronSpec: Invalid value: "x": spec.cronSpec in body should match '^(\\S+ ){4}\\S+$'`,
    'spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10',
    'spec.policy: Unsupported value: "No": supported values: "Forbid", "Allow"',
  ])
  assert.deepEqual(await messages({ cronSpec: '* * * * 1', names: ['a', 'a'], port: true, steps: [{}] }), [
    'spec.names[1]: Duplicate value: "a"',
    'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
    'spec.steps[0].name: Required value',
  ])
  const { object } = await create('a.example.com', 'bad', { cronSpec: '* * * * 1', replicas: 0 })
  assert.equal(
    object.message,
    'CronTab.a.example.com "bad" is invalid: spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1',
  )
  const metadata = await t.call('POST', pathOf('a.example.com'), { metadata: { name: 'x', labels: { a: 1 } }, spec: { cronSpec: '* * * * 1' } })
  assert.equal(metadata.status, 400)
})

test('patches and apply know the lists of the schema', async () => {
  const path = pathOf('a.example.com')
  const applied = (manager: string, steps: object[]) =>
    t.call(
      'PATCH',
      `${path}/applied?fieldManager=${manager}`,
      { apiVersion: 'a.example.com/v1', kind: 'CronTab', metadata: { name: 'applied' }, spec: { cronSpec: '* * * * 1', steps } },
      { contentType: 'application/apply-patch+yaml' },
    )
  assert.equal((await applied('one', [{ name: 'a' }])).status, 201)
  const both = await applied('two', [{ name: 'b', run: 'x' }])
  assert.deepEqual((both.object.spec as unknown as { steps: unknown }).steps, [
    { name: 'a', run: 'true' },
    { name: 'b', run: 'x' },
  ])
  const strategic = await t.call('PATCH', `${path}/applied`, { spec: { replicas: 2 } }, { contentType: 'application/strategic-merge-patch+json' })
  assert.equal(strategic.status, 415)
  const patched = await t.call('PATCH', `${path}/applied`, { spec: { replicas: 2 } }, merge)
  assert.equal(patched.object.metadata.generation, 3)
})

test('status and scale are subresources where the definition says so', async () => {
  const group = 'b.example.com'
  const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' }
  await establish(definition(group, [version('v1', { subresources: { status: {}, scale } })]))
  const made = await create(group, 'one', { cronSpec: '* * * * 1' }, { status: { replicas: 5 } })
  assert.equal(made.object.status, undefined)
  const status = await t.call('PATCH', `${pathOf(group)}/one/status`, { spec: { replicas: 9 }, status: { replicas: 1, selector: 'a=b' } }, merge)
  assert.deepEqual([status.object.status, (status.object.spec as unknown as { replicas: number }).replicas], [{ replicas: 1, selector: 'a=b' }, 1])
  assert.equal(status.object.metadata.generation, 1)
  const scaled = await t.call('PATCH', `${pathOf(group)}/one/scale`, { spec: { replicas: 3 } }, merge)
  assert.deepEqual([scaled.object.spec, scaled.object.status], [{ replicas: 3 }, { replicas: 1, selector: 'a=b' }])
  const tooMany = await t.call('PATCH', `${pathOf(group)}/one/scale`, { spec: { replicas: 11 } }, merge)
  assert.match(tooMany.object.message ?? '', /spec.replicas in body should be less than or equal to 10/)
  const wrong = await t.call('PATCH', `${pathOf(group)}/one/status`, { status: { replicas: 'x' } }, merge)
  assert.equal(wrong.status, 422)
})

test('columns are found by path', async () => {
  const group = 'c.example.com'
  const additionalPrinterColumns = [
    { name: 'Spec', type: 'string', jsonPath: '.spec.cronSpec' },
    { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas', priority: 1 },
    { name: 'Missing', type: 'string', jsonPath: '.spec.policy' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ]
  await establish(definition(group, [version('v1', { additionalPrinterColumns })]))
  await create(group, 'one', { cronSpec: '* * * * 1' })
  const { object } = await t.call('GET', pathOf(group), undefined, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } })
  const table = object as unknown as { columnDefinitions: { name: string; priority: number }[]; rows: { cells: unknown[] }[] }
  assert.deepEqual(
    table.columnDefinitions.map(({ name, priority }) => [name, priority]),
    [
      ['Name', 0],
      ['Spec', 0],
      ['Replicas', 1],
      ['Missing', 0],
      ['Age', 0],
    ],
  )
  assert.deepEqual(table.rows[0]?.cells.slice(0, 4), ['one', '* * * * 1', 1, null])
})

test('versions show the same object; one that is served no more is gone', async () => {
  const group = 'd.example.com'
  const narrow = {
    openAPIV3Schema: {
      type: 'object',
      properties: { spec: { type: 'object', properties: { cronSpec: { type: 'string' }, extra: { type: 'string', default: 'new' } } } },
    },
  }
  await establish(definition(group, [version('v1', { deprecated: true }), version('v2', { storage: false, schema: narrow })]))
  const made = await create(group, 'one', { cronSpec: '* * * * 1' })
  assert.deepEqual(made.warnings, ['d.example.com/v1 CronTab is deprecated'])
  const other = await t.call('GET', `${pathOf(group, 'v2')}/one`)
  assert.equal(other.object.apiVersion, 'd.example.com/v2')
  assert.deepEqual(other.object.spec, { cronSpec: '* * * * 1', extra: 'new' })
  const stored = await t.call('GET', `${definitions}/crontabs.${group}`)
  const spec = stored.object.spec as unknown as { versions: { served: boolean }[] }
  const [first, second] = spec.versions
  await t.call('PUT', `${definitions}/crontabs.${group}`, { ...stored.object, spec: { ...spec, versions: [first, { ...second, served: false }] } })
  assert.equal((await t.call('GET', `${pathOf(group, 'v2')}/one`)).status, 404)
  assert.equal((await t.call('GET', `${pathOf(group)}/one`)).status, 200)
})

test('names that are taken are not given twice', async () => {
  const group = 'e.example.com'
  await establish(definition(group))
  const clash = { ...definition(group, [version('v1')], { plural: 'others', singular: 'other' }), metadata: { name: `others.${group}` } }
  const watch = await t.watch(`${definitions}?watch=true&fieldSelector=metadata.name=others.${group}`)
  await t.call('POST', definitions, clash)
  let conditions: { type: string; status: string; reason: string; message: string }[] = []
  while (conditions.length === 0) conditions = ((await watch.next()).value.object.status as unknown as { conditions?: typeof conditions }).conditions ?? []
  const accepted = conditions.find((one) => one.type === 'NamesAccepted')
  assert.deepEqual([accepted?.status, accepted?.reason, accepted?.message], ['False', 'ListKindConflict', '"CronTabList" is already in use'])
  assert.equal((await t.call('GET', `/apis/${group}/v1/namespaces/demo/others`)).status, 404)
  // The other goes, and lets its names go with it.
  await t.call('DELETE', `${definitions}/crontabs.${group}`)
  for (;;) {
    const { value } = await watch.next()
    const now = (value.object.status as unknown as { conditions: typeof conditions }).conditions
    if (now.some((one) => one.type === 'Established' && one.status === 'True')) break
  }
  assert.equal((await t.call('GET', `/apis/${group}/v1/namespaces/demo/others`)).status, 200)
})

test('a definition takes its objects with it, and waits for those that are held', async () => {
  const group = 'f.example.com'
  await establish(definition(group))
  await create(group, 'one', { cronSpec: '* * * * 1' })
  await t.call('POST', pathOf(group), { metadata: { name: 'held', finalizers: ['example.com/hold'] }, spec: { cronSpec: '* * * * 1' } })
  const instances = await t.watch(`${pathOf(group)}?watch=true`)
  const watch = await t.watch(`${definitions}?watch=true&fieldSelector=metadata.name=crontabs.${group}`)
  const deleted = await t.call('DELETE', `${definitions}/crontabs.${group}`)
  assert.deepEqual(deleted.object.metadata.finalizers, ['customresourcecleanup.apiextensions.k8s.io'])
  for (;;) {
    const { value } = await instances.next()
    if (value.type === 'MODIFIED' && value.object.metadata.name === 'held') break
  }
  assert.equal((await t.call('GET', `${pathOf(group)}/one`)).status, 404)
  assert.equal((await t.call('GET', `${definitions}/crontabs.${group}`)).status, 200)
  await t.call('PATCH', `${pathOf(group)}/held`, { metadata: { finalizers: null } }, merge)
  for (;;) if ((await watch.next()).value.type === 'DELETED') break
  assert.equal((await t.call('GET', pathOf(group))).status, 404)
})

test('a server that starts serves what was defined before', async () => {
  const store = new MemoryStore()
  const first = await start(store)
  await first.call('POST', '/api/v1/namespaces', { metadata: { name: 'demo' } })
  await establish(definition('g.example.com'), first)
  await first.call('POST', pathOf('g.example.com'), { metadata: { name: 'kept' }, spec: { cronSpec: '* * * * 1' } })
  await first.server.stop()
  const second = await start(store)
  assert.equal((await second.call('GET', `${pathOf('g.example.com')}/kept`)).object.metadata.name, 'kept')
  await second.stop()
})
