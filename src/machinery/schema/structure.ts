/**
 * The shape of a type with all that is known of it: the generated schema and the tables of facts put
 * together once, so that decoding, patches, apply and OpenAPI walk a value and its shape side by side.
 * Shapes may be recursive (a JSON schema holds JSON schemas).
 */

import type { FieldFact } from './facts/api-package.ts'

export type Structure = Scalar | List | Dictionary | Struct | Anything

export type Scalar =
  | { kind: 'string'; format?: 'date-time' | 'micro-time' | 'byte' | 'int-or-string' | 'quantity' }
  | { kind: 'integer'; format?: string }
  | { kind: 'number'; format?: string }
  | { kind: 'boolean' }

export interface List {
  kind: 'list'
  items: Structure
  /** How server-side apply owns it. */
  owned: 'atomic' | 'set' | 'map'
  /** Of `map`: the fields that together name an item. */
  keys: readonly string[]
  /** What a key is when the item leaves it out. */
  keyDefaults: Readonly<Record<string, unknown>>
}

/** A map from any names to values of one shape. */
export interface Dictionary {
  kind: 'map'
  values: Structure
  atomic: boolean
}

export interface Struct {
  kind: 'struct'
  /** The model's name, `V1PodSpec`; empty for a shape without one. */
  name: string
  fields: ReadonlyMap<string, Field>
  atomic: boolean
  /** Fields that are not known stay (custom resources that ask for it). */
  open: boolean
  /** Values of another type stay as they are: who serves the kind judges them by a schema of its own (custom resources). */
  lenient?: boolean
}

export interface Field {
  name: string
  structure: Structure
  required: boolean
  /** Strategic merge patch. */
  patch: readonly ('merge' | 'replace' | 'retainKeys')[]
  mergeKey: string | undefined
  default: unknown
  /** A null stays, where others are as good as absent. */
  keepsNull?: boolean
  /** What the tables say of it, as they say it. */
  fact: FieldFact
}

/** Any JSON. `raw` says what it is called (`RawExtension`, `FieldsV1`, `JSON`), where it has a name. */
export interface Anything {
  kind: 'any'
  raw?: string
}

export const anything: Anything = { kind: 'any' }
