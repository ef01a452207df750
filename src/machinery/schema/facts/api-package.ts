/**
 * Facts of the API's types that the generated schema lacks: which lists and maps are atomic, which are
 * merged by which keys, and what the definitions are called. One file per API group; `facts.test.ts`
 * compares them with a published OpenAPI document where one is at hand.
 */
export interface FieldFact {
  /** How server-side apply owns the list: as a whole, by value, or item by item; absent means atomic. */
  list?: 'atomic' | 'set' | 'map'
  /** Of a `map` list: the fields that together name an item. */
  keys?: readonly string[]
  /** Ownership of a map or struct: as a whole, or field by field (overrides what the type says). */
  map?: 'atomic' | 'granular'
  /** Of a strategic merge patch. */
  patch?: readonly ('merge' | 'replace' | 'retainKeys')[]
  /** Strategic merge patch: the field that names an item. */
  mergeKey?: string
  /** The value has a form of its own, which the generated schema shows as a string or as anything. */
  raw?:
    | 'Quantity'
    | 'RawExtension'
    | 'FieldsV1'
    | 'JSON'
    | 'JSONSchemaPropsOrBool'
    | 'JSONSchemaPropsOrArray'
    | 'JSONSchemaPropsOrStringArray'
    | 'CustomResourceSubresourceStatus'
  default?: unknown
}

export interface ApiPackage {
  /** The first part of the names of definitions: `io.k8s.api.apps.v1`. */
  name: string
  /** By the type's name; `''` beside the fields is the type itself. */
  facts: Readonly<Record<string, Readonly<Record<string, FieldFact>>>>
  /** All types, those without facts too. */
  types: readonly string[]
}

export const atomic: FieldFact = { list: 'atomic' }
export const set: FieldFact = { list: 'set' }
export const quantity: FieldFact = { raw: 'Quantity' }
export const atomicStruct: FieldFact = { map: 'atomic' }
export const keyedBy = (...keys: string[]): FieldFact => ({ list: 'map', keys })
export const mergedBy = (key: string): FieldFact => ({ list: 'map', keys: [key], patch: ['merge'], mergeKey: key })

/** `plain` names the types without facts, separated by blanks. */
export function apiPackage(name: string, facts: ApiPackage['facts'], plain: string): ApiPackage {
  return { name, facts, types: [...Object.keys(facts), ...plain.split(/\s+/).filter(Boolean)] }
}
