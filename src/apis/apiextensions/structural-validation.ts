/** A schema must be structural: everything has its type, and types are said in one place alone. Upstream's words. */
import { compile } from '../../machinery/cel/cel.ts'
import { CelSyntaxError } from '../../machinery/cel/syntax.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V1JSONSchemaProps } from '../../machinery/schema/generated/types.ts'

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const listTypes = ['atomic', 'map', 'set']
const mapTypes = ['atomic', 'granular']
/** What schemas under `allOf`, `anyOf`, `oneOf` and `not` may not say. */
const onlyOutside = ['additionalProperties', 'default', 'description', 'nullable', 'title', 'type'] as const

export function validateStructuralSchema(schema: V1JSONSchemaProps, field: string): FieldError[] {
  if (!schema.type) return [required(`${field}.type`, 'must not be empty at the root')]
  if (schema.type !== 'object') return [invalidValue(`${field}.type`, schema.type, 'must be object at the root')]
  const errors = visit(schema, field)
  const metadata = schema.properties?.metadata
  if (metadata && Object.keys(metadata.properties ?? {}).some((name) => name !== 'name' && name !== 'generateName'))
    errors.push(
      forbiddenField(`${field}.properties[metadata]`, 'must not specify anything other than name and generateName, but metadata is implicitly specified'),
    )
  return errors
}

const freeType = (schema: V1JSONSchemaProps) => schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true

function visit(schema: V1JSONSchemaProps, field: string): FieldError[] {
  const errors: FieldError[] = []
  const { type, items, properties = {}, additionalProperties } = schema
  if (type && !types.includes(type)) errors.push(notSupported(`${field}.type`, type, types))
  if (schema['x-kubernetes-int-or-string'] && type) errors.push(forbiddenField(`${field}.type`, 'must be empty if x-kubernetes-int-or-string is true'))
  if (schema.uniqueItems)
    errors.push(forbiddenField(`${field}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'))
  if (schema.$ref) errors.push(forbiddenField(`${field}.$ref`, '$ref is not supported'))
  if (additionalProperties === false) errors.push(forbiddenField(`${field}.additionalProperties`, 'additionalProperties cannot be set to false'))
  if (additionalProperties && schema.properties)
    errors.push(forbiddenField(`${field}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'))
  errors.push(...validateOwnership(schema, field), ...validateRules(schema, field))
  for (const [name, inner] of Object.entries(properties)) {
    const at = `${field}.properties[${name}]`
    if (!inner.type && !freeType(inner)) errors.push(required(`${at}.type`, 'must not be empty for specified object fields'))
    errors.push(...visit(inner, at))
  }
  if (isSchema(additionalProperties)) {
    const at = `${field}.additionalProperties`
    if (!additionalProperties.type && !freeType(additionalProperties)) errors.push(required(`${at}.type`, 'must not be empty for specified object fields'))
    errors.push(...visit(additionalProperties, at))
  }
  if (Array.isArray(items)) errors.push(forbiddenField(`${field}.items`, 'items must be a schema object and not an array'))
  else if (isSchema(items)) {
    if (!items.type && !freeType(items)) errors.push(required(`${field}.items.type`, 'must not be empty for specified array items'))
    errors.push(...visit(items, `${field}.items`))
  } else if (type === 'array') errors.push(required(`${field}.items`, 'must be specified'))
  for (const kind of ['allOf', 'anyOf', 'oneOf'] as const)
    schema[kind]?.forEach((inner, index) => {
      errors.push(...validateJunctor(inner, `${field}.${kind}[${index}]`, schema))
    })
  if (schema.not) errors.push(...validateJunctor(schema.not, `${field}.not`, schema))
  return errors
}

const isSchema = (value: unknown): value is V1JSONSchemaProps => typeof value === 'object' && value !== null && !Array.isArray(value)

function validateRules(schema: V1JSONSchemaProps, field: string): FieldError[] {
  const errors: FieldError[] = []
  schema['x-kubernetes-validations']?.forEach(({ rule, message, messageExpression }, index) => {
    const at = `${field}.x-kubernetes-validations[${index}]`
    if (!rule?.trim()) errors.push(required(`${at}.rule`, 'rule is not specified'))
    else errors.push(...compilation(rule, `${at}.rule`))
    if (message !== undefined && message.trim() === '') errors.push(invalidValue(`${at}.message`, message, 'message must be non-empty if specified'))
    if (message?.trim().includes('\n')) errors.push(invalidValue(`${at}.message`, message, 'message must not contain line breaks'))
    if (messageExpression) errors.push(...compilation(messageExpression, `${at}.messageExpression`))
    if (rule?.includes('\n') && !message && !messageExpression) errors.push(required(`${at}.message`, 'message must be specified if rule contains line breaks'))
  })
  return errors
}

function compilation(expression: string, field: string): FieldError[] {
  try {
    compile(expression)
    return []
  } catch (error) {
    if (!(error instanceof CelSyntaxError)) throw error
    return [invalidValue(field, expression, `compilation failed: ${error.message}`)]
  }
}

function validateOwnership(schema: V1JSONSchemaProps, field: string): FieldError[] {
  const errors: FieldError[] = []
  const listType = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const mapType = schema['x-kubernetes-map-type']
  if (listType !== undefined) {
    if (schema.type !== 'array') errors.push(invalidValue(`${field}.type`, schema.type ?? '', 'must be array if x-kubernetes-list-type is specified'))
    if (!listTypes.includes(listType)) errors.push(notSupported(`${field}.x-kubernetes-list-type`, listType, listTypes))
  }
  if (listType === 'map') {
    if (keys.length === 0) errors.push(required(`${field}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'))
    const items = isSchema(schema.items) ? schema.items : {}
    for (const [index, key] of keys.entries()) {
      const property = items.properties?.[key]
      if (!property) errors.push(invalidValue(`${field}.x-kubernetes-list-map-keys[${index}]`, key, 'entries must all be names of item properties'))
      else if (!items.required?.includes(key) && property.default === undefined)
        errors.push(
          required(
            `${field}.items.properties[${key}].default`,
            'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
          ),
        )
    }
  } else if (keys.length > 0)
    errors.push(invalidValue(`${field}.x-kubernetes-list-type`, listType ?? '', 'must be map if x-kubernetes-list-map-keys is non-empty'))
  if (mapType !== undefined && !mapTypes.includes(mapType)) errors.push(notSupported(`${field}.x-kubernetes-map-type`, mapType, mapTypes))
  return errors
}

/** The one exception: who lists integer and string under `anyOf` says what `x-kubernetes-int-or-string` says. */
function validateJunctor(schema: V1JSONSchemaProps, field: string, outer: V1JSONSchemaProps): FieldError[] {
  const errors: FieldError[] = []
  for (const word of onlyOutside) {
    if (schema[word] === undefined || (word === 'type' && outer['x-kubernetes-int-or-string'])) continue
    errors.push(forbiddenField(`${field}.${word}`, 'must be empty to be structural'))
  }
  for (const [name, inner] of Object.entries(schema.properties ?? {})) errors.push(...validateJunctor(inner, `${field}.properties[${name}]`, {}))
  if (isSchema(schema.items)) errors.push(...validateJunctor(schema.items, `${field}.items`, {}))
  for (const kind of ['allOf', 'anyOf', 'oneOf'] as const)
    schema[kind]?.forEach((inner, index) => {
      errors.push(...validateJunctor(inner, `${field}.${kind}[${index}]`, outer))
    })
  if (schema.not) errors.push(...validateJunctor(schema.not, `${field}.not`, outer))
  return errors
}
