import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readBuiltInSchema } from '../built-in.ts'
import { Schema } from '../schema.ts'
import { builtInPackages } from './built-in.ts'

const schema = new Schema(readBuiltInSchema())

test('every fact is of a field that is there', () => {
  for (const { name, facts } of builtInPackages) {
    for (const [type, fields] of Object.entries(facts)) {
      const model = schema.modelOf(`${name}.${type}`)
      assert(model, `${name}.${type}`)
      for (const field of Object.keys(fields)) assert(field === '' || schema.model(model).fields.has(field), `${model}.${field}`)
    }
  }
})

test('every type of a served resource has a definition', () => {
  const seen = new Set<string>()
  const visit = (model: string) => {
    if (seen.has(model)) return
    seen.add(model)
    assert(schema.definitionOf(model), model)
    for (const [, ref] of JSON.stringify(
      [...schema.model(model).fields.values()].map(({ structure }) => structure),
      (key, value) => (key === 'fields' ? undefined : value),
    ).matchAll(/"kind":"struct","name":"([^"]+)"/g))
      visit(ref ?? '')
  }
  for (const { model } of schema.resources) visit(model)
  assert(seen.size > 300)
})

interface Property {
  $ref?: string
  allOf?: { $ref: string }[]
  items?: Property
  additionalProperties?: Property
  [extension: `x-${string}`]: unknown
}

const reference = join(import.meta.dirname, '../../../../../shared/reference/openapi-v3/')

// The published documents are not part of this repository: the comparison is made where they lie beside it.
if (existsSync(reference))
  test('the tables agree with a published document', () => {
    const checked = new Set<string>()
    for (const file of readdirSync(reference)) {
      const { components } = JSON.parse(readFileSync(`${reference}${file}`, 'utf8')) as {
        components?: { schemas?: Record<string, Property & { properties?: Record<string, Property> }> }
      }
      for (const [definition, published] of Object.entries(components?.schemas ?? {})) {
        const model = schema.modelOf(definition)
        if (model === undefined || checked.has(definition)) continue
        checked.add(definition)
        const struct = schema.model(model)
        assert.equal(struct.atomic, published['x-kubernetes-map-type'] === 'atomic', definition)
        for (const [name, property] of Object.entries(published.properties ?? {})) {
          const field = struct.fields.get(name)
          assert(field, `${definition}.${name}`)
          const { fact } = field
          const said = [fact.list, fact.keys, fact.patch?.join(','), fact.mergeKey, fact.map]
          const wanted = ['list-type', 'list-map-keys', 'patch-strategy', 'patch-merge-key', 'map-type'].map(
            (extension) => property[`x-kubernetes-${extension}`],
          )
          assert.deepEqual(said, wanted, `${definition}.${name}`)
          assert.equal(fact.raw === 'Quantity', refersTo(property, 'io.k8s.apimachinery.pkg.api.resource.Quantity'), `${definition}.${name}`)
          if (property.items === undefined && property.additionalProperties === undefined) {
            const structure = field.structure.kind === 'string' ? field.structure.format : undefined
            assert.equal(structure === 'int-or-string', refersTo(property, 'io.k8s.apimachinery.pkg.util.intstr.IntOrString'), `${definition}.${name}`)
          }
        }
      }
    }
    assert(checked.size > 600)
  })

function refersTo(property: Property | undefined, definition: string): boolean {
  if (property === undefined || typeof property !== 'object') return false
  const ref = property.$ref ?? property.allOf?.[0]?.$ref ?? ''
  return ref.endsWith(`/${definition}`) || refersTo(property.items, definition) || refersTo(property.additionalProperties, definition)
}
