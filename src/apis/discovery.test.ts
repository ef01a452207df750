import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readBuiltInSchema } from '../machinery/schema/built-in.ts'
import { builtInResources } from './built-in.ts'
import type { Resource } from './resource.ts'

/** Aggregated discovery of an upstream server, where a copy lies at hand. */
const reference = join(import.meta.dirname, '../../../shared/reference/discovery/aggregated_v2.json')

interface Aggregated {
  items: {
    metadata: { name?: string }
    versions: {
      version: string
      resources: {
        resource: string
        responseKind: { kind: string }
        scope: string
        singularResource: string
        verbs: string[]
        shortNames?: string[]
        categories?: string[]
        subresources?: { subresource: string; responseKind: { group: string; version: string; kind: string }; verbs: string[] }[]
      }[]
    }[]
  }[]
}

const described = (resource: Resource) => ({
  kind: resource.kind,
  singular: resource.singular,
  scope: resource.namespaced ? 'Namespaced' : 'Cluster',
  verbs: [...resource.verbs].sort(),
  shortNames: resource.shortNames,
  categories: resource.categories,
  subresources: resource.subresources
    .map((one) => ({ name: one.name, kind: one.kind ?? resource.kind, group: one.group ?? '', version: one.version ?? '', verbs: [...one.verbs].sort() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1)),
})

// The published documents are not part of this repository: the comparison is made where they lie beside it.
if (existsSync(reference))
  test('resources stand in discovery as upstream has them', () => {
    const upstream = new Map(
      (JSON.parse(readFileSync(reference, 'utf8')) as Aggregated).items.flatMap((group) =>
        group.versions.flatMap((version) =>
          version.resources.map((one) => [
            `${group.metadata.name ?? ''}/${version.version}/${one.resource}`,
            {
              kind: one.responseKind.kind,
              singular: one.singularResource,
              scope: one.scope,
              verbs: [...one.verbs].sort(),
              shortNames: one.shortNames ?? [],
              categories: one.categories ?? [],
              subresources: (one.subresources ?? []).map((sub) => ({
                name: sub.subresource,
                kind: sub.responseKind.kind,
                group: sub.responseKind.group,
                version: sub.responseKind.version,
                verbs: [...sub.verbs].sort(),
              })),
            },
          ]),
        ),
      ),
    )
    for (const resource of builtInResources(readBuiltInSchema())) {
      if (resource.group === '') continue // the copy is of /apis alone
      const id = `${resource.group}/${resource.version}/${resource.plural}`
      assert.deepEqual(described(resource), upstream.get(id), id)
    }
  })

test('every resource of the schema has its own file', () => {
  const schema = readBuiltInSchema()
  const resources = builtInResources(schema)
  assert.equal(resources.length, schema.resources.length)
  for (const fact of schema.resources) {
    const own = resources.find((one) => one.group === fact.group && one.version === fact.version && one.plural === fact.plural)
    assert.ok(own, fact.plural)
    assert.deepEqual([own.kind, own.model, own.namespaced], [fact.kind, fact.model, fact.namespaced])
  }
})

test('keys in the store as upstream has them', () => {
  const prefixes = Object.fromEntries(
    builtInResources(readBuiltInSchema())
      .filter((one) => one.storagePrefix !== one.plural)
      .map((one) => [one.plural, one.storagePrefix]),
  )
  assert.deepEqual(prefixes, {
    apiservices: 'apiregistration.k8s.io/apiservices',
    customresourcedefinitions: 'apiextensions.k8s.io/customresourcedefinitions',
    endpoints: 'services/endpoints',
    ingresses: 'ingress',
    nodes: 'minions',
    replicationcontrollers: 'controllers',
    services: 'services/specs',
  })
})

test('every stored resource has a table', () => {
  for (const resource of builtInResources(readBuiltInSchema())) {
    if (resource.verbs.includes('list')) assert.equal(resource.columns.filter((column) => column.name === 'Name').length, 1, resource.plural)
  }
})
