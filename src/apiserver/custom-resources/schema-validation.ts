/** Checks an object against the schema of its definition, in upstream's words. */
import { type FieldError, invalidValue, notAmong, required, tooLong, tooMany, typeInvalid } from '../../machinery/field-error.ts'
import { equal, isObject } from '../../machinery/patch/json-value.ts'
import { isEmbedded, isIntOrString, type JsonSchema } from './json-schema.ts'
import { duplicateItems } from './list-duplicates.ts'
import { matchesPattern } from './patterns.ts'
import { hasFormat } from './schema-formats.ts'

export function validateAgainst(schema: JsonSchema, value: unknown, path = ''): FieldError[] {
  const wrongType = typeError(schema, value, path)
  if (wrongType) return [wrongType]
  if (value === null) return []
  const errors = ofValue(schema, value, path)
  if (schema.enum && !schema.enum.some((one) => equal(one, value))) errors.push(notAmong(at(path), value, schema.enum.map(shown)))
  errors.push(...combined(schema, value, path))
  return errors
}

/** The field of what concerns the whole object. */
const at = (path: string) => path || '<nil>'
const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
const inBody = (path: string, what: string) => `${path ? `${path} ` : ''}in body ${what}`

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function typeError(schema: JsonSchema, value: unknown, path: string): FieldError | undefined {
  const actual = typeOf(value)
  if (value === null && schema.nullable) return undefined
  const allowed = isIntOrString(schema) ? ['integer', 'string'] : schema.type ? [schema.type] : []
  if (allowed.length === 0 || allowed.includes(actual) || (actual === 'integer' && allowed.includes('number'))) return undefined
  return typeInvalid(at(path), actual, inBody(path, `must be of type ${allowed.join(',')}: ${JSON.stringify(actual)}`))
}

function ofValue(schema: JsonSchema, value: unknown, path: string): FieldError[] {
  if (typeof value === 'string') return ofText(schema, value, path)
  if (typeof value === 'number') return ofNumber(schema, value, path)
  if (Array.isArray(value)) return ofList(schema, value, path)
  return isObject(value) ? ofObject(schema, value, path) : []
}

function ofText({ maxLength, minLength, pattern, format }: JsonSchema, value: string, path: string): FieldError[] {
  const errors: FieldError[] = []
  const length = [...value].length
  if (maxLength !== undefined && length > maxLength) errors.push(tooLong(at(path), maxLength))
  if (minLength !== undefined && length < minLength) errors.push(invalidValue(at(path), value, inBody(path, `should be at least ${minLength} chars long`)))
  if (pattern !== undefined && !matchesPattern(pattern, value)) errors.push(invalidValue(at(path), value, inBody(path, `should match '${pattern}'`)))
  if (format && !hasFormat(format, value)) errors.push(typeInvalid(at(path), value, inBody(path, `must be of type ${format}: ${JSON.stringify(value)}`)))
  return errors
}

function ofNumber({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: JsonSchema, value: number, path: string): FieldError[] {
  const errors: FieldError[] = []
  const wrong = (what: string) => errors.push(invalidValue(at(path), value, inBody(path, what)))
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum))
    wrong(`should be less than ${exclusiveMaximum ? '' : 'or equal to '}${maximum}`)
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum))
    wrong(`should be greater than ${exclusiveMinimum ? '' : 'or equal to '}${minimum}`)
  if (multipleOf !== undefined && !Number.isInteger(Number((value / multipleOf).toPrecision(15)))) wrong(`should be a multiple of ${multipleOf}`)
  return errors
}

function ofList(schema: JsonSchema, value: unknown[], path: string): FieldError[] {
  const errors: FieldError[] = []
  const { items, maxItems, minItems } = schema
  if (maxItems !== undefined && value.length > maxItems) errors.push(tooMany(at(path), value.length, maxItems))
  if (minItems !== undefined && value.length < minItems)
    errors.push(invalidValue(at(path), value.length, inBody(path, `should have at least ${minItems} items`)))
  if (items) for (const [index, item] of value.entries()) errors.push(...validateAgainst(items, item, `${path}[${index}]`))
  errors.push(...duplicateItems(schema, value, path))
  return errors
}

function ofObject(schema: JsonSchema, value: Record<string, unknown>, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { properties = {}, additionalProperties, maxProperties, minProperties } = schema
  const below = (name: string) => (path ? `${path}.${name}` : name)
  const count = Object.keys(value).length
  if (maxProperties !== undefined && count > maxProperties) errors.push(tooMany(at(path), count, maxProperties))
  if (minProperties !== undefined && count < minProperties)
    errors.push(invalidValue(at(path), count, inBody(path, `should have at least ${minProperties} properties`)))
  for (const name of schema.required ?? []) if (value[name] === undefined) errors.push(required(below(name)))
  if (isEmbedded(schema)) for (const name of ['apiVersion', 'kind']) if (!value[name]) errors.push(required(below(name), 'must not be empty'))
  for (const [name, given] of Object.entries(value)) {
    const inner = Object.hasOwn(properties, name) ? properties[name] : typeof additionalProperties === 'object' ? additionalProperties : undefined
    if (inner && given !== undefined) errors.push(...validateAgainst(inner, given, below(name)))
  }
  return errors
}

/** What concerns several schemas at once has no field of its own, as upstream. */
const composite = (message: string) => invalidValue('<nil>', '', message)

function combined({ allOf, anyOf, oneOf, not }: JsonSchema, value: unknown, path: string): FieldError[] {
  const errors: FieldError[] = []
  const results = (schemas: JsonSchema[]) => schemas.map((schema) => validateAgainst(schema, value, path))
  const best = (failures: FieldError[][]) => failures.reduce((least, one) => (one.length < least.length ? one : least))
  const name = JSON.stringify(path)
  if (anyOf?.length) {
    const all = results(anyOf)
    if (!all.some((one) => one.length === 0)) errors.push(composite(`${name} must validate at least one schema (anyOf)`), ...best(all))
  }
  if (oneOf?.length) {
    const all = results(oneOf)
    const valid = all.filter((one) => one.length === 0).length
    if (valid === 0) errors.push(composite(`${name} must validate one and only one schema (oneOf). Found none valid`), ...best(all))
    else if (valid > 1) errors.push(composite(`${name} must validate one and only one schema (oneOf). Found ${valid} valid alternatives`))
  }
  if (allOf?.length) {
    const failed = results(allOf).filter((one) => one.length > 0)
    if (failed.length > 0)
      errors.push(composite(`${name} must validate all the schemas (allOf)${failed.length === allOf.length ? '. None validated' : ''}`), ...failed.flat())
  }
  if (not && validateAgainst(not, value, path).length === 0) errors.push(composite(`${name} must not validate the schema (not)`))
  return errors
}
