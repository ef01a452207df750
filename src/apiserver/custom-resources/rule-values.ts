/** Values of an object as rules see them: by the types of the schema, declared fields alone. */
import { CelError } from '../../machinery/cel/syntax.ts'
import { parseDuration } from '../../machinery/cel/time-functions.ts'
import { type CelValue, fromJson, Timestamp } from '../../machinery/cel/values.ts'
import { isObject } from '../../machinery/patch/json-value.ts'
import { isEmbedded, isIntOrString, type JsonSchema } from './json-schema.ts'

/** `whole`: an object of the API, whose kind, version and name rules may speak of. */
export function ruleValue(schema: JsonSchema, value: unknown, whole = false): CelValue {
  if (value === null || value === undefined) return null
  if (isIntOrString(schema)) return fromJson(value)
  if (typeof value === 'number') return schema.type === 'number' ? value : fromJson(value)
  if (typeof value === 'string') return textValue(schema, value)
  if (Array.isArray(value)) return value.map((item) => (schema.items ? ruleValue(schema.items, item) : fromJson(item)))
  if (!isObject(value)) return fromJson(value)
  const { properties, additionalProperties } = schema
  const fields = new Map<CelValue, CelValue>()
  for (const [name, one] of Object.entries(value)) {
    const inner = properties?.[name] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
    if (inner) fields.set(name, ruleValue(inner, one))
    else if (additionalProperties === true) fields.set(name, fromJson(one))
  }
  if (whole || isEmbedded(schema)) addIdentity(fields, value)
  return fields
}

function textValue({ format }: JsonSchema, value: string): CelValue {
  switch (format) {
    case 'date':
    case 'date-time':
      return new Timestamp(Date.parse(value))
    case 'duration':
      return durationOf(value)
    case 'byte':
      return new Uint8Array(Buffer.from(value, 'base64'))
    default:
      return value
  }
}

/** The format allows more than the language reads. */
function durationOf(text: string): CelValue {
  try {
    return parseDuration(text)
  } catch (error) {
    if (error instanceof CelError) return text
    throw error
  }
}

function addIdentity(fields: Map<CelValue, CelValue>, { apiVersion, kind, metadata }: Record<string, unknown>): void {
  if (typeof apiVersion === 'string') fields.set('apiVersion', apiVersion)
  if (typeof kind === 'string') fields.set('kind', kind)
  const known = new Map<CelValue, CelValue>()
  if (isObject(metadata)) for (const name of ['name', 'generateName']) if (typeof metadata[name] === 'string') known.set(name, metadata[name])
  fields.set('metadata', known)
}
