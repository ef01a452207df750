/** The schema of a custom kind as OpenAPI tells it: as its definition has it, with kind, version and metadata as all have them. */
import type { Reference } from '../../machinery/schema/schema.ts'
import { isEmbedded, isIntOrString, type JsonSchema, preservesUnknown } from './json-schema.ts'

type Json = { [name: string]: unknown }

interface Kind {
  group: string
  version: string
  kind: string
}

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
const notInSwagger = ['oneOf', 'anyOf', 'allOf', 'not', 'nullable', 'x-kubernetes-validations'] as const

/** `name` is that of the kind, or of its list. */
export function publish({ group, version, kind }: Kind, schema: JsonSchema, name: string, ref: Reference, dialect: 2 | 3): Json {
  const own = { 'x-kubernetes-group-version-kind': [{ group, kind: name.endsWith(`.${kind}List`) ? `${kind}List` : kind, version }] }
  const text = { type: 'string' }
  if (!name.endsWith(`.${kind}`)) {
    const properties = { apiVersion: text, items: { type: 'array', items: ref(name.slice(0, -'List'.length)) }, kind: text, metadata: ref(`${meta}ListMeta`) }
    return { type: 'object', required: ['items'], properties, ...own }
  }
  const shown = shape(schema, ref, dialect)
  if (dialect === 2 && preservesUnknown(schema)) return { ...shown, ...own }
  const properties = { ...(shown.properties as Json | undefined), apiVersion: text, kind: text, metadata: ref(`${meta}ObjectMeta`) }
  return { ...shown, properties, ...own }
}

function shape(schema: JsonSchema, ref: Reference, dialect: 2 | 3): Json {
  const shown: Json = { ...schema }
  if (dialect === 2) {
    // Swagger knows less; what it cannot say it leaves open.
    for (const word of notInSwagger) delete shown[word]
    if (isIntOrString(schema)) return { ...shown, 'x-kubernetes-int-or-string': true }
    if (preservesUnknown(schema)) {
      delete shown.properties
      delete shown.required
      delete shown.items
      return shown
    }
  }
  if (schema.properties) shown.properties = Object.fromEntries(Object.entries(schema.properties).map(([name, inner]) => [name, shape(inner, ref, dialect)]))
  if (schema.items) shown.items = shape(schema.items, ref, dialect)
  if (typeof schema.additionalProperties === 'object') shown.additionalProperties = shape(schema.additionalProperties, ref, dialect)
  if (isEmbedded(schema))
    shown.properties = {
      ...(shown.properties as Json | undefined),
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: ref(`${meta}ObjectMeta`),
    }
  return shown
}
