/** From the schema of a definition to the shape by which objects are pruned, merged and owned. */
import type { FieldFact } from '../../machinery/schema/facts/api-package.ts'
import { anything, type Field, type Struct, type Structure } from '../../machinery/schema/structure.ts'
import { isEmbedded, isIntOrString, type JsonSchema, preservesUnknown } from './json-schema.ts'

const text: Structure = { kind: 'string' }

/** `metadata` is the shape of the metadata of every object. */
export function structOf(name: string, schema: JsonSchema, metadata: Struct): Struct {
  return object(schema, metadata, name, true)
}

function structure(schema: JsonSchema, metadata: Struct): Structure {
  if (isIntOrString(schema)) return { kind: 'string', format: 'int-or-string' }
  switch (schema.type) {
    case 'object':
      if (schema.additionalProperties && !schema.properties) return dictionary(schema, metadata)
      return object(schema, metadata, '', isEmbedded(schema))
    case 'array':
      return {
        kind: 'list',
        items: schema.items ? structure(schema.items, metadata) : anything,
        owned: (schema['x-kubernetes-list-type'] ?? 'atomic') as 'atomic' | 'set' | 'map',
        keys: schema['x-kubernetes-list-map-keys'] ?? [],
        keyDefaults: keyDefaults(schema),
      }
    case 'string':
      return text
    case 'integer':
    case 'number':
      return { kind: schema.type }
    case 'boolean':
      return { kind: 'boolean' }
    default:
      return anything
  }
}

function dictionary(schema: JsonSchema, metadata: Struct): Structure {
  const values = schema.additionalProperties
  return { kind: 'map', values: typeof values === 'object' ? structure(values, metadata) : anything, atomic: isAtomic(schema) }
}

const isAtomic = (schema: JsonSchema) => schema['x-kubernetes-map-type'] === 'atomic'

function keyDefaults(schema: JsonSchema): Record<string, unknown> {
  const defaults: Record<string, unknown> = {}
  for (const key of schema['x-kubernetes-list-map-keys'] ?? []) {
    const given = schema.items?.properties?.[key]?.default
    if (given !== undefined) defaults[key] = given
  }
  return defaults
}

/** `whole`: an object of the API, with kind, version and metadata whether or not the schema says so. */
function object(schema: JsonSchema, metadata: Struct, name: string, whole: boolean): Struct {
  const fields = new Map<string, Field>()
  const required = new Set(schema.required)
  for (const [property, inner] of Object.entries(schema.properties ?? {})) {
    const keepsNull = inner.nullable === true || inner.default === undefined
    fields.set(property, { ...field(property, structure(inner, metadata), factOf(inner)), required: required.has(property), keepsNull })
  }
  if (whole) {
    fields.set('apiVersion', field('apiVersion', text))
    fields.set('kind', field('kind', text))
    fields.set('metadata', field('metadata', metadata))
  }
  return { kind: 'struct', name, fields, atomic: isAtomic(schema), open: preservesUnknown(schema), lenient: true }
}

const field = (name: string, shape: Structure, fact: FieldFact = {}): Field => ({
  name,
  structure: shape,
  required: false,
  patch: [],
  mergeKey: undefined,
  default: undefined,
  fact,
})

function factOf(schema: JsonSchema): FieldFact {
  const list = schema['x-kubernetes-list-type'] as FieldFact['list']
  const keys = schema['x-kubernetes-list-map-keys']
  return { ...(list ? { list } : {}), ...(keys ? { keys } : {}) }
}
