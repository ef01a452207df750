import { enumOf } from '../schema/facts/enums.ts'
import type { Schema } from '../schema/schema.ts'
import type { Field, Structure } from '../schema/structure.ts'
import type { GroupVersionKind } from './described-resource.ts'
import { type Dialect, type Json, refTo } from './dialect.ts'
import { specialDefinition, specialNames } from './special-definitions.ts'

/** `{model: {'': of the type, field: of the field}}`. */
export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>

/** Collects the definitions that a document refers to, with all they refer to in turn. */
export class Definitions {
  readonly #schema: Schema
  readonly #descriptions: Descriptions
  readonly #dialect: Dialect
  readonly #kindsOf: (definition: string) => readonly GroupVersionKind[]
  readonly #made = new Map<string, Json>()

  constructor(schema: Schema, descriptions: Descriptions, dialect: Dialect, kindsOf: (definition: string) => readonly GroupVersionKind[]) {
    this.#schema = schema
    this.#descriptions = descriptions
    this.#dialect = dialect
    this.#kindsOf = kindsOf
  }

  /** In alphabetical order. */
  all(): Json {
    return Object.fromEntries([...this.#made].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  ofModel(model: string): Json {
    return this.ref(this.#schema.definitionOf(model) ?? model, model)
  }

  isCustom(model: string): boolean {
    return this.#schema.publisherOf(model) !== undefined
  }

  /** Of the list of a model; its name follows from the definition's, not from the model's. */
  listOf(model: string): Json {
    return this.ref(`${this.#schema.definitionOf(model) ?? model}List`)
  }

  /** A reference to a definition, which from now on is part of the document. */
  ref(definition: string, model = this.#schema.modelOf(definition)): Json {
    if (!this.#made.has(definition)) {
      // Before it is made, since it may refer to itself.
      this.#made.set(definition, {})
      this.#made.set(definition, this.#make(definition, model))
    }
    return refTo(this.#dialect, definition)
  }

  #make(definition: string, model: string | undefined): Json {
    const special = specialDefinition(this.#dialect, definition)
    if (special) return special
    const publisher = this.#schema.publisherOf(definition)
    if (publisher) return publisher(definition, (name) => this.ref(name), this.#dialect.version)
    if (model === undefined) return { type: 'object' }
    const struct = this.#schema.model(model)
    const texts = this.#descriptions[model] ?? {}
    const properties: Json = {}
    const required: string[] = []
    for (const field of struct.fields.values()) {
      properties[field.name] = this.#property(field, texts[field.name], enumOf(definition, field.name))
      if (field.required) required.push(field.name)
    }
    const kinds = this.#kindsOf(definition)
    return {
      ...(texts[''] ? { description: plain(texts['']) } : {}),
      ...(struct.fields.size ? { properties } : {}),
      ...(required.length ? { required: required.sort() } : {}),
      type: 'object',
      ...(kinds.length ? { 'x-kubernetes-group-version-kind': kinds } : {}),
      ...(struct.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
      ...(struct.open ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
    }
  }

  #property(field: Field, text: string | undefined, words: readonly string[] | undefined): Json {
    const { structure } = field
    const value = this.#value(structure)
    const given = field.default ?? impliedDefault(field)
    // A reference may stand with others only inside allOf.
    const wrapped = '$ref' in value && this.#dialect.version === 3
    const property: Json = wrapped ? { allOf: [value] } : { ...value }
    const said = text ?? (structure.kind === 'struct' ? this.#descriptions[structure.name]?.[''] : undefined)
    if (said) property.description = plain(said)
    if (given !== undefined) property.default = given
    if (words) property.enum = words
    if (field.fact.keys) property['x-kubernetes-list-map-keys'] = field.fact.keys
    if (field.fact.list) property['x-kubernetes-list-type'] = field.fact.list
    if (field.fact.map) property['x-kubernetes-map-type'] = field.fact.map
    if (field.mergeKey) property['x-kubernetes-patch-merge-key'] = field.mergeKey
    if (field.patch.length) property['x-kubernetes-patch-strategy'] = field.patch.join(',')
    return property
  }

  #value(structure: Structure): Json {
    switch (structure.kind) {
      case 'any':
        return structure.raw ? this.ref(specialNames[structure.raw] ?? structure.raw) : {}
      case 'struct':
        return structure.name ? this.ofModel(structure.name) : { type: 'object' }
      case 'list':
        return { items: this.#value(structure.items), type: 'array' }
      case 'map':
        return { additionalProperties: this.#value(structure.values), type: 'object' }
      case 'boolean':
        return { type: 'boolean' }
      case 'integer':
      case 'number':
        return structure.format ? { format: structure.format, type: structure.kind } : { type: structure.kind }
      case 'string': {
        const special = structure.format ? specialNames[structure.format] : undefined
        if (special) return this.ref(special)
        return structure.format ? { format: structure.format, type: 'string' } : { type: 'string' }
      }
    }
  }
}

/** A field that must be there is its type's zero when it is not, as upstream says of it. */
function impliedDefault(field: Field): unknown {
  if (!field.required) return undefined
  switch (field.structure.kind) {
    case 'string':
      return field.structure.format === undefined ? '' : undefined
    case 'integer':
    case 'number':
      return 0
    case 'boolean':
      return false
    case 'struct':
      return {}
    default:
      return undefined
  }
}

/** The generator's source escapes quotation marks. */
const plain = (text: string): string => text.replace(/\\(["'])/g, '$1')
