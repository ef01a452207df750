import { isObject } from '../patch/json-value.ts'
import { canonicalQuantity } from '../quantity.ts'
import { base64Error } from './base64-error.ts'
import type { Schema } from './schema.ts'
import type { Scalar, Struct, Structure } from './structure.ts'
import { canonicalMicroTime, canonicalTime } from './time-text.ts'

/** A value as it is after decoding into its type. */
export interface Conformed {
  /**
   * Without nulls, unknown fields and empty lists and maps, with quantities and times in their canonical form. The very value
   * that was given when nothing had to change, and its parts where they did not.
   */
  object: unknown
  /** The first error of types, in the words of upstream's decoder: the request is a bad one. */
  error: string | undefined
  /** Paths of fields that the type does not have, as strict decoding names them: `spec.containers[0].foo`. */
  unknownFields: string[]
}

interface Walk {
  schema: Schema
  error: string | undefined
  unknownFields: string[]
  /** Names of the fields on the way, for errors. */
  stack: string[]
  /** The struct whose field is being decoded. */
  struct: Struct | undefined
  /** On the way to an unknown field; list positions too. */
  path: string[]
}

export function conform(schema: Schema, structure: Structure, value: unknown): Conformed {
  const walk: Walk = { schema, error: undefined, unknownFields: [], stack: [], struct: undefined, path: [] }
  const object = visit(walk, structure, value)
  return { object: object ?? (structure.kind === 'struct' ? {} : object), error: walk.error, unknownFields: walk.unknownFields }
}

function visit(walk: Walk, structure: Structure, value: unknown): unknown {
  switch (structure.kind) {
    case 'any':
      return value
    case 'struct':
      return visitStruct(walk, structure, value)
    case 'list':
      if (!Array.isArray(value)) return mismatch(walk, value, structure)
      return visitList(walk, structure.items, value)
    case 'map':
      if (!isObject(value)) return mismatch(walk, value, structure)
      return visitMap(walk, structure.values, value)
    case 'boolean':
      return typeof value === 'boolean' ? value : mismatch(walk, value, structure)
    case 'string':
      return visitString(walk, structure, value)
    case 'integer':
      return visitInteger(walk, structure, value)
    case 'number':
      return typeof value === 'number' ? value : mismatch(walk, value, structure)
  }
}

function visitStruct(walk: Walk, struct: Struct, value: unknown): unknown {
  if (!isObject(value)) return mismatch(walk, value, struct)
  let changed: Record<string, unknown> | undefined
  const outer = walk.struct
  for (const name in value) {
    const given = value[name]
    const field = struct.fields.get(name)
    if (field === undefined) {
      if (struct.open) {
        if (changed) changed[name] = given
        continue
      }
      walk.unknownFields.push(dotted(walk.path, name))
      changed ??= copyBefore(value, name)
      continue
    }
    if (given === null && field.keepsNull) {
      if (changed) changed[name] = given
      continue
    }
    if (given === null && field.structure.kind !== 'any') {
      changed ??= copyBefore(value, name)
      continue
    }
    if (!field.required && !struct.lenient && isEmptyCollection(field.structure, given)) {
      changed ??= copyBefore(value, name)
      continue
    }
    walk.struct = struct
    walk.stack.push(name)
    walk.path.push(walk.path.length ? `.${name}` : name)
    const kept = visit(walk, field.structure, given)
    walk.stack.pop()
    walk.path.pop()
    if (changed) changed[name] = kept
    else if (kept !== given) {
      changed = copyBefore(value, name)
      changed[name] = kept
    }
  }
  walk.struct = outer
  return changed ?? value
}

function visitList(walk: Walk, items: Structure, value: unknown[]): unknown[] {
  let changed: unknown[] | undefined
  for (let i = 0; i < value.length; i++) {
    const given = value[i]
    walk.path.push(`[${i}]`)
    const kept = given === null && !walk.struct?.lenient ? zero(items) : visit(walk, items, given)
    walk.path.pop()
    if (changed) changed.push(kept)
    else if (kept !== given) {
      changed = value.slice(0, i)
      changed.push(kept)
    }
  }
  return changed ?? value
}

function visitMap(walk: Walk, values: Structure, value: Record<string, unknown>): Record<string, unknown> {
  let changed: Record<string, unknown> | undefined
  for (const name in value) {
    const given = value[name]
    walk.path.push(walk.path.length ? `.${name}` : name)
    const kept = given === null && !walk.struct?.lenient ? zero(values) : visit(walk, values, given)
    walk.path.pop()
    if (changed) changed[name] = kept
    else if (kept !== given) {
      changed = copyBefore(value, name)
      changed[name] = kept
    }
  }
  return changed ?? value
}

function visitString(walk: Walk, structure: Scalar & { kind: 'string' }, value: unknown): unknown {
  switch (structure.format) {
    case undefined:
      return typeof value === 'string' ? value : mismatch(walk, value, structure)
    case 'int-or-string':
      if (typeof value === 'string') return value
      return visitInteger(walk, { kind: 'integer', format: 'int32' }, value)
    case 'quantity':
      if (typeof value !== 'string' && typeof value !== 'number')
        return fail(walk, value, "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
      return attempt(walk, value, () => canonicalQuantity(typeof value === 'string' ? value.trim() : value))
    case 'date-time':
    case 'micro-time': {
      if (typeof value !== 'string') return mismatch(walk, value, structure)
      const canonical = structure.format === 'date-time' ? canonicalTime : canonicalMicroTime
      return attempt(walk, value, () => canonical(value))
    }
    case 'byte': {
      if (typeof value !== 'string') return mismatch(walk, value, structure)
      const wrong = base64Error(value)
      if (wrong !== undefined) return fail(walk, value, wrong)
      return /[\r\n]/.test(value) ? value.replace(/[\r\n]/g, '') : value
    }
  }
}

const int32 = 2 ** 31

function visitInteger(walk: Walk, structure: Scalar & { kind: 'integer' }, value: unknown): unknown {
  if (typeof value !== 'number') return mismatch(walk, value, structure)
  const fits = Number.isInteger(value) && (structure.format !== 'int32' || (value >= -int32 && value < int32))
  return fits ? value : mismatch(walk, value, structure, `number ${value}`)
}

/** What Go has where JSON says null inside a list or map. */
function zero(structure: Structure): unknown {
  switch (structure.kind) {
    case 'string':
      return structure.format === 'quantity' ? '0' : structure.format === 'int-or-string' ? 0 : structure.format ? null : ''
    case 'integer':
    case 'number':
      return 0
    case 'boolean':
      return false
    case 'struct':
      return {}
    default:
      return null
  }
}

function attempt(walk: Walk, value: unknown, canonical: () => string): unknown {
  try {
    const text = canonical()
    return text
  } catch (error) {
    return fail(walk, value, error instanceof Error ? error.message : String(error))
  }
}

function fail(walk: Walk, value: unknown, message: string): unknown {
  walk.error ??= message
  return value
}

function mismatch(walk: Walk, value: unknown, wanted: Structure, word = wordOf(value)): unknown {
  if (walk.struct?.lenient && (wanted.kind !== 'struct' || wanted.lenient)) return value
  const type = goType(walk, wanted)
  const where = walk.struct ? `Go struct field ${shortName(walk, walk.struct)}.${walk.stack.join('.')}` : 'Go value'
  return fail(walk, value, `json: cannot unmarshal ${word} into ${where} of type ${type}`)
}

function wordOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  return value === null ? 'null' : typeof value
}

const shortName = (walk: Walk, struct: Struct): string => walk.schema.goType(struct).replace(/^.*\./, '')

function goType(walk: Walk, structure: Structure): string {
  switch (structure.kind) {
    case 'list':
      return `[]${goType(walk, structure.items)}`
    case 'map':
      return `map[string]${goType(walk, structure.values)}`
    case 'struct':
      return walk.schema.goType(structure)
    case 'any':
      return 'interface {}'
    case 'boolean':
      return 'bool'
    case 'integer':
      return structure.format ?? 'int64'
    case 'number':
      return 'float64'
    case 'string':
      return structure.format === 'byte' ? '[]uint8' : 'string'
  }
}

/** Lists and maps that need not be there are not there when they are empty: upstream's types tell no difference. */
function isEmptyCollection(structure: Structure, value: unknown): boolean {
  if (structure.kind === 'list') return Array.isArray(value) && value.length === 0
  if (structure.kind !== 'map' || !isObject(value)) return false
  for (const _ in value) return false
  return true
}

const dotted = (path: string[], name: string): string => (path.length ? `${path.join('')}.${name}` : name)

function copyBefore(value: Record<string, unknown>, name: string): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const key in value) {
    if (key === name) break
    copy[key] = value[key]
  }
  return copy
}
