/** Defaults of a schema, put in place where nothing stands; in what a default brings, too. */
import { isObject } from '../../machinery/patch/json-value.ts'
import { cloneJson } from '../negotiation/clone-json.ts'
import type { JsonSchema } from './json-schema.ts'

/** Whether anything in the schema has a default: most need no walk at all. */
export function hasDefaults(schema: JsonSchema): boolean {
  if (schema.default !== undefined) return true
  if (schema.items && hasDefaults(schema.items)) return true
  if (typeof schema.additionalProperties === 'object' && hasDefaults(schema.additionalProperties)) return true
  return Object.values(schema.properties ?? {}).some(hasDefaults)
}

export function applyDefaults(schema: JsonSchema, value: unknown): void {
  if (Array.isArray(value)) {
    if (schema.items) for (const item of value) applyDefaults(schema.items, item)
    return
  }
  if (!isObject(value)) return
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    const given = value[name]
    if (inner.default !== undefined && (given === undefined || (given === null && !inner.nullable))) value[name] = cloneJson(inner.default)
    applyDefaults(inner, value[name])
  }
  const { additionalProperties } = schema
  if (typeof additionalProperties !== 'object') return
  for (const name in value) if (!schema.properties?.[name]) applyDefaults(additionalProperties, value[name])
}
