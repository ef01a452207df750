/** The rules of a schema (`x-kubernetes-validations`), compiled once and asked of each object. */
import { compile, type Program } from '../../machinery/cel/cel.ts'
import { CelError, CelSyntaxError } from '../../machinery/cel/syntax.ts'
import { type CelValue, Optional } from '../../machinery/cel/values.ts'
import { duplicate, type FieldError, forbiddenField, invalidValue, required } from '../../machinery/field-error.ts'
import { equal, isObject } from '../../machinery/patch/json-value.ts'
import type { V1ValidationRule } from '../../machinery/schema/generated/types.ts'
import type { JsonSchema } from './json-schema.ts'
import { ruleValue } from './rule-values.ts'

interface Rule {
  declared: V1ValidationRule
  program: Program
  message: Program | undefined
  /** Speaks of what was there before. */
  isTransition: boolean
}

/** A schema that has rules, or has schemas below it that do. */
interface Ruled {
  schema: JsonSchema
  rules: Rule[]
  properties: [name: string, ruled: Ruled][]
  additional: Ruled | undefined
  items: Ruled | undefined
}

export interface Rules {
  /** `stored` is undefined for what is created. */
  check(object: unknown, stored: unknown): FieldError[]
}

/** Undefined when there are none. */
export function rulesOf(schema: JsonSchema): Rules | undefined {
  const ruled = compileSchema(schema)
  return ruled && { check: (object, stored) => check(ruled, object, stored, '', true) }
}

function compileSchema(schema: JsonSchema): Ruled | undefined {
  const rules = (schema['x-kubernetes-validations'] ?? []).flatMap(compileRule)
  const properties = Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
    const ruled = compileSchema(inner)
    return ruled ? [[name, ruled] as [string, Ruled]] : []
  })
  const additional = typeof schema.additionalProperties === 'object' ? compileSchema(schema.additionalProperties) : undefined
  const items = schema.items && compileSchema(schema.items)
  if (rules.length === 0 && properties.length === 0 && !additional && !items) return undefined
  return { schema, rules, properties, additional, items }
}

/** What cannot be compiled was refused with its definition; what was stored before that is not asked. */
function compileRule(declared: V1ValidationRule): Rule[] {
  try {
    const program = compile(declared.rule)
    const message = declared.messageExpression ? compile(declared.messageExpression) : undefined
    return [{ declared, program, message, isTransition: program.mentions('oldSelf') }]
  } catch (error) {
    if (error instanceof CelSyntaxError) return []
    throw error
  }
}

function check(ruled: Ruled, value: unknown, before: unknown, path: string, whole = false): FieldError[] {
  if (value === undefined || value === null) return []
  const errors = ruled.rules.length > 0 ? ownRules(ruled, value, before, path, whole) : []
  const below = (name: string) => (path ? `${path}.${name}` : name)
  if (isObject(value)) {
    const old = isObject(before) ? before : {}
    for (const [name, inner] of ruled.properties) errors.push(...check(inner, value[name], old[name], below(name)))
    if (ruled.additional)
      for (const name in value) if (!ruled.schema.properties?.[name]) errors.push(...check(ruled.additional, value[name], old[name], `${path}[${name}]`))
  }
  if (Array.isArray(value) && ruled.items)
    for (const [index, item] of value.entries()) errors.push(...check(ruled.items, item, itemBefore(ruled.schema, item, before), `${path}[${index}]`))
  return errors
}

/** Items are the same over time by their keys alone. */
function itemBefore(schema: JsonSchema, item: unknown, before: unknown): unknown {
  const keys = schema['x-kubernetes-list-type'] === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : []
  if (keys.length === 0 || !Array.isArray(before) || !isObject(item)) return undefined
  return before.find((one) => isObject(one) && keys.every((key) => equal(one[key], item[key])))
}

function ownRules({ schema, rules }: Ruled, value: unknown, before: unknown, path: string, whole: boolean): FieldError[] {
  const errors: FieldError[] = []
  const self = ruleValue(schema, value, whole)
  const old = before === undefined || before === null ? undefined : ruleValue(schema, before, whole)
  for (const rule of rules) {
    const { optionalOldSelf } = rule.declared
    if (rule.isTransition && old === undefined && !optionalOldSelf) continue
    const oldSelf = optionalOldSelf ? new Optional(old) : old
    const variables: Record<string, CelValue> = oldSelf === undefined ? { self } : { self, oldSelf }
    try {
      if (rule.program.evaluate(variables) !== true) errors.push(failure(rule, schema, path, messageOf(rule, variables)))
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      errors.push(invalidValue(path || '<nil>', schema.type ?? 'object', `${error.message} evaluating rule: ${messageOf(rule, variables)}`))
    }
  }
  return errors
}

function messageOf({ declared, message }: Rule, variables: Parameters<Program['evaluate']>[0]): string {
  if (message) {
    try {
      const made = message.evaluate(variables)
      if (typeof made === 'string' && made.trim() !== '') return made.trim()
    } catch (error) {
      if (!(error instanceof CelError)) throw error
    }
  }
  return declared.message?.trim() || `failed rule: ${declared.rule.trim()}`
}

function failure({ declared }: Rule, schema: JsonSchema, path: string, message: string): FieldError {
  const field = `${path}${declared.fieldPath ?? ''}`.replace(/^\./, '') || '<nil>'
  switch (declared.reason) {
    case 'FieldValueForbidden':
      return forbiddenField(field, message)
    case 'FieldValueRequired':
      return required(field, message)
    case 'FieldValueDuplicate':
      return duplicate(field, schema.type ?? 'object')
    default:
      return invalidValue(field, schema.type ?? 'object', message)
  }
}
