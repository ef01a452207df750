/** The form of `generated/schema.json`: what the generator writes and the schema registry reads. */

export type FieldType =
  /** `format` is one of `date-time`, `micro-time`, `byte`, `int-or-string`, or absent. */
  | { kind: 'string'; format?: string }
  | { kind: 'integer'; format?: string }
  | { kind: 'number'; format?: string }
  | { kind: 'boolean' }
  | { kind: 'any' }
  | { kind: 'array'; items: FieldType }
  | { kind: 'map'; values: FieldType }
  /** The name of another model, as `V1PodSpec`. */
  | { kind: 'ref'; ref: string }

export interface FieldSchema {
  type: FieldType
  required?: boolean
}

export interface ModelSchema {
  /** By the field's name on the wire. */
  fields: Record<string, FieldSchema>
}

/** What the client's paths say of one resource. */
export interface ResourceFact {
  group: string
  version: string
  plural: string
  kind: string
  /** The model of the object, as `V1Deployment`. */
  model: string
  namespaced: boolean
  /** Model of each subresource by its name; empty where the client has none (proxy, exec, log). */
  subresources: Record<string, string>
  /** In alphabetical order. */
  verbs: string[]
}

export interface SchemaFile {
  models: Record<string, ModelSchema>
  resources: ResourceFact[]
}
