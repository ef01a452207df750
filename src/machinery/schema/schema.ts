import { type Conformed, conform } from './conform.ts'
import type { ApiPackage, FieldFact } from './facts/api-package.ts'
import { builtInPackages } from './facts/built-in.ts'
import type { FieldSchema, FieldType, SchemaFile } from './schema-file.ts'
import { anything, type Field, type Struct, type Structure } from './structure.ts'

/** Makes a reference to another definition. */
export type Reference = (definition: string) => { [name: string]: unknown }
export type Publisher = (definition: string, ref: Reference, dialect: 2 | 3) => { [name: string]: unknown }

/** What is known of all types: asked by model (`V1Deployment`). Immutable but for {@link Schema.define}. */
export class Schema {
  readonly #file: SchemaFile
  readonly #facts = new Map<string, ApiPackage['facts'][string]>()
  readonly #structs = new Map<string, Struct>()
  /** Model to definition (`io.k8s.api.apps.v1.Deployment`) and back. */
  readonly #definitions = new Map<string, string>()
  readonly #models = new Map<string, string>()
  readonly #publishers = new Map<string, Publisher>()

  constructor(file: SchemaFile, packages: readonly ApiPackage[] = builtInPackages) {
    this.#file = file
    for (const apiPackage of packages) {
      for (const type of apiPackage.types) {
        const model = modelName(file, apiPackage.name, type)
        if (model === undefined) continue
        const definition = `${apiPackage.name}.${type}`
        this.#definitions.set(model, definition)
        this.#models.set(definition, model)
        const facts = apiPackage.facts[type]
        if (facts) this.#facts.set(model, facts)
      }
    }
  }

  has(model: string): boolean {
    return this.#structs.has(model) || model in this.#file.models
  }

  /** The shape of a model. A model that nobody knows is an object of any fields. */
  model(name: string): Struct {
    const known = this.#structs.get(name)
    if (known) return known
    const model = this.#file.models[name]
    const facts = this.#facts.get(name) ?? {}
    const fields = new Map<string, Field>()
    const struct: Struct = { kind: 'struct', name, fields, atomic: facts['']?.map === 'atomic', open: model === undefined }
    // Before its fields, which may refer to it.
    this.#structs.set(name, struct)
    for (const [field, schema] of Object.entries(model?.fields ?? {})) fields.set(field, this.#field(field, schema, facts[field] ?? {}))
    return struct
  }

  /**
   * Adds or replaces the shape of a model: custom resources. `publish` makes its definition for OpenAPI, and that of
   * its list.
   */
  define(name: string, struct: Struct, publish?: Publisher): void {
    this.#structs.set(name, struct)
    if (!publish) return
    this.#publishers.set(name, publish)
    this.#publishers.set(`${name}List`, publish)
  }

  /** How the definition of a model that was added is told. */
  publisherOf(definition: string): Publisher | undefined {
    return this.#publishers.get(definition)
  }

  models(): string[] {
    return Object.keys(this.#file.models)
  }

  get resources(): SchemaFile['resources'] {
    return this.#file.resources
  }

  /** `io.k8s.api.apps.v1.Deployment`. */
  definitionOf(model: string): string | undefined {
    return this.#definitions.get(model)
  }

  modelOf(definition: string): string | undefined {
    return this.#models.get(definition)
  }

  /** Decodes as upstream does: see {@link Conformed}. Never changes `value`; what is good in it is shared. */
  conform(model: string, value: unknown): Conformed {
    return conform(this, this.model(model), value)
  }

  /** What is wrong with the types, then which fields are unknown; upstream's words. */
  checkTypes(model: string, value: unknown): { error: string | undefined; unknownFields: string[] } {
    const { error, unknownFields } = this.conform(model, value)
    return { error, unknownFields }
  }

  /** Without unknown fields and nulls. */
  prune<T>(model: string, value: T): T {
    return this.conform(model, value).object as T
  }

  /** As Go would name the type in a message: `v1.PodSpec`. */
  goType(struct: Struct): string {
    const definition = this.definitionOf(struct.name)
    return definition ? definition.split('.').slice(-2).join('.') : struct.name
  }

  #field(name: string, schema: FieldSchema, fact: FieldFact): Field {
    return {
      name,
      structure: this.#structure(schema.type, fact),
      required: schema.required === true,
      patch: fact.patch ?? [],
      mergeKey: fact.mergeKey,
      default: fact.default,
      fact,
    }
  }

  #structure(type: FieldType, fact: FieldFact): Structure {
    switch (type.kind) {
      case 'any':
        return fact.raw ? { kind: 'any', raw: fact.raw } : anything
      case 'boolean':
        return type
      case 'integer':
      case 'number':
        return type
      case 'string':
        if (fact.raw === 'Quantity') return { kind: 'string', format: 'quantity' }
        return type as Structure
      case 'array': {
        const items = this.#structure(type.items, { ...(fact.raw ? { raw: fact.raw } : {}) })
        const keyDefaults: Record<string, unknown> = {}
        const keys = fact.keys ?? []
        if (keys.length > 1 && type.items.kind === 'ref') {
          const itemFacts = this.#facts.get(type.items.ref) ?? {}
          for (const key of keys) {
            const given = itemFacts[key]?.default
            if (given !== undefined) keyDefaults[key] = given
          }
        }
        return { kind: 'list', items, owned: fact.list ?? 'atomic', keys, keyDefaults }
      }
      case 'map':
        return { kind: 'map', values: this.#structure(type.values, { ...(fact.raw ? { raw: fact.raw } : {}) }), atomic: fact.map === 'atomic' }
      case 'ref': {
        const struct = this.model(type.ref)
        if (fact.map === undefined || (fact.map === 'atomic') === struct.atomic) return struct
        // The fields may not be there yet when the type refers to itself, so the map is shared.
        return { ...struct, atomic: fact.map === 'atomic' }
      }
    }
  }
}

/** `V1Deployment` for `Deployment` of `io.k8s.api.apps.v1`; `CoreV1Event` where two groups have the type. */
function modelName(file: SchemaFile, packageName: string, type: string): string | undefined {
  const [group = '', version = ''] = packageName.split('.').slice(-2)
  const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
  const qualified = `${capital(group)}${capital(version)}${type}`
  if (qualified in file.models) return qualified
  const plain = `${capital(version)}${type}`
  return plain in file.models ? plain : undefined
}
