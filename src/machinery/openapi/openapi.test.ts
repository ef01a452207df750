import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readBuiltInDescriptions, readBuiltInSchema } from '../schema/built-in.ts'
import { definitionsWithEnums } from '../schema/facts/enums.ts'
import { Schema } from '../schema/schema.ts'
import type { DescribedResource } from './described-resource.ts'
import { openApiDocuments } from './openapi.ts'

interface Operation {
  operationId: string
  parameters?: { name: string }[]
  'x-kubernetes-group-version-kind'?: unknown
}
interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, { properties?: Record<string, unknown>; 'x-kubernetes-group-version-kind'?: unknown }> }
}

const file = readBuiltInSchema()
const schema = new Schema(file)
const documents = openApiDocuments(schema, readBuiltInDescriptions)
const resources: DescribedResource[] = file.resources.map((fact) => ({
  ...fact,
  verbs: fact.plural === 'componentstatuses' ? ['get', 'list'] : fact.verbs,
  subresources: Object.entries(fact.subresources)
    .filter(([name]) => name === 'status' || name === 'scale')
    .map(([name, model]) => ({
      name,
      model,
      verbs: ['get', 'patch', 'update'],
      ...(name === 'scale' ? { kind: 'Scale', group: 'autoscaling', version: 'v1' } : {}),
    })),
}))
const apps = documents.v3(resources, 'apps', 'v1') as unknown as Document

test('kubectl finds fieldValidation on the patch of a kind', () => {
  const { patch } = apps.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'] ?? {}
  assert.deepEqual(patch?.['x-kubernetes-group-version-kind'], { group: 'apps', version: 'v1', kind: 'Deployment' })
  assert.deepEqual(
    patch?.parameters?.map(({ name }) => name),
    ['dryRun', 'fieldManager', 'fieldValidation', 'force'],
  )
})

test('definitions say how lists merge', () => {
  const { schemas } = apps.components
  assert.deepEqual(schemas['io.k8s.api.apps.v1.Deployment']?.['x-kubernetes-group-version-kind'], [{ group: 'apps', version: 'v1', kind: 'Deployment' }])
  const ports = schemas['io.k8s.api.core.v1.Container']?.properties?.ports as Record<string, unknown>
  assert.deepEqual(ports.items, { $ref: '#/components/schemas/io.k8s.api.core.v1.ContainerPort' })
  assert.deepEqual(ports['x-kubernetes-list-map-keys'], ['containerPort', 'protocol'])
  assert.equal(ports['x-kubernetes-patch-merge-key'], 'containerPort')
  assert.match(String(ports.description), /port/i)
})

test('fields that take one of a few words name them', () => {
  const type = apps.components.schemas['io.k8s.api.apps.v1.DeploymentStrategy']?.properties?.type as { enum?: string[] }
  assert.deepEqual(type.enum, ['Recreate', 'RollingUpdate'])
  for (const [definition, fields] of definitionsWithEnums()) {
    const model = schema.modelOf(definition)
    assert(model, definition)
    for (const field of fields) assert.equal(schema.model(model).fields.get(field)?.structure.kind, 'string', `${definition} ${field}`)
  }
})

test('no reference points to nothing', () => {
  for (const document of [apps, documents.v3(resources, '', 'v1'), documents.v2(resources)]) {
    const text = JSON.stringify(document)
    const known = new Set(Object.keys((document as Partial<Document>).components?.schemas ?? (document as { definitions: object }).definitions))
    for (const [, name] of text.matchAll(/"#\/(?:components\/schemas|definitions)\/([^"]+)"/g)) assert(known.has(name ?? ''), name)
  }
})

test('no operation is named twice', () => {
  const ids = Object.values((documents.v2(resources) as unknown as Document).paths).flatMap((path) =>
    Object.values(path).flatMap(({ operationId }) => operationId ?? []),
  )
  assert.equal(new Set(ids).size, ids.length)
})

const reference = join(import.meta.dirname, '../../../../shared/reference/openapi-v3/')

// The published documents are not part of this repository: the comparison is made where they lie beside it.
if (existsSync(reference))
  test('the documents name what a published one names', () => {
    for (const { group, version } of resources) {
      const path = `${reference}${group ? `apis__${group}` : 'api'}__${version}_openapi.json`
      if (!existsSync(path)) continue
      const published = JSON.parse(readFileSync(path, 'utf8')) as Document
      const made = documents.v3(resources, group, version) as unknown as Document
      // Operations of streams, proxies and the like come with the resources of the server.
      for (const name of Object.keys(made.paths)) assert(name in published.paths, name)
      for (const [name, operations] of Object.entries(made.paths)) {
        for (const [method, { operationId }] of Object.entries(operations))
          if (operationId) assert.equal(operationId, published.paths[name]?.[method]?.operationId)
      }
      for (const [name, definition] of Object.entries(made.components.schemas)) {
        const known = published.components.schemas[name]
        assert(known, name)
        assert.deepEqual(Object.keys(definition.properties ?? {}).sort(), Object.keys(known.properties ?? {}).sort(), name)
      }
    }
  })
