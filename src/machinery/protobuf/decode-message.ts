/**
 * Decodes a message of a built-in type into the JSON that it stands for: numbers of fields from a table of facts,
 * their types from the schema.
 */
import type { Schema } from '../schema/schema.ts'
import type { Struct, Structure } from '../schema/structure.ts'
import numbers from './field-numbers.json' with { type: 'json' }
import { pointerFields } from './pointer-fields.ts'
import { readFields, type WireValue } from './wire.ts'

/** By number; `inline` names the message whose fields stand in this object in JSON. */
type FieldsByNumber = Map<number, { name: string; inline: string | undefined }>

const table: Readonly<Record<string, Readonly<Record<string, string>>>> = numbers
const utf8 = new TextDecoder()
const text = (bytes: Uint8Array) => utf8.decode(bytes)

export class MessageDecoder {
  readonly #schema: Schema
  readonly #fields = new Map<string, FieldsByNumber>()

  constructor(schema: Schema) {
    this.#schema = schema
  }

  /** Undefined when the numbers of the type's fields are not known. */
  decode(model: string, bytes: Uint8Array): Record<string, unknown> | undefined {
    const struct = this.#schema.model(model)
    return this.#fieldsOf(struct) && this.#struct(struct, bytes)
  }

  #fieldsOf(struct: Struct): { fields: FieldsByNumber; package: string } | undefined {
    const definition = this.#schema.definitionOf(struct.name)
    if (!definition) return undefined
    const dot = definition.lastIndexOf('.')
    const packageName = definition.slice('io.k8s.'.length, dot)
    const fields = this.#fieldsNamed(packageName, definition.slice(dot + 1))
    return fields && { fields, package: packageName }
  }

  #fieldsNamed(packageName: string, type: string): FieldsByNumber | undefined {
    const key = `${packageName}.${type}`
    const known = this.#fields.get(key)
    if (known) return known
    const line = table[packageName]?.[type]
    if (line === undefined) return undefined
    const fields: FieldsByNumber = new Map()
    line.split(' ').forEach((entry, i) => {
      const [spec = '', number] = entry.split('#')
      const [name = '', inline] = spec.split('=')
      if (name !== '-') fields.set(number ? Number(number) : i + 1, { name, inline })
    })
    this.#fields.set(key, fields)
    return fields
  }

  #struct(struct: Struct, bytes: Uint8Array): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    const known = this.#fieldsOf(struct)
    if (known) this.#fill(object, struct, known.fields, known.package, bytes)
    return object
  }

  #fill(object: Record<string, unknown>, struct: Struct, fields: FieldsByNumber, packageName: string, bytes: Uint8Array): void {
    for (const [number, value] of readFields(bytes)) {
      const known = fields.get(number)
      if (!known) continue
      if (known.inline) {
        const inner = this.#fieldsNamed(packageName, known.inline)
        if (inner && value instanceof Uint8Array) this.#fill(object, struct, inner, packageName, value)
        continue
      }
      const field = struct.fields.get(known.name)
      if (field) this.#set(object, field.name, field.structure, value)
    }
  }

  #set(object: Record<string, unknown>, name: string, structure: Structure, value: WireValue): void {
    if (structure.kind === 'list') {
      object[name] ??= []
      ;(object[name] as unknown[]).push(...this.#items(structure.items, value))
    } else if (structure.kind === 'map' && value instanceof Uint8Array) {
      const [key, entry] = this.#entry(structure.values, value)
      object[name] ??= {}
      if (entry !== undefined) (object[name] as Record<string, unknown>)[key] = entry
    } else {
      const decoded = this.#value(structure, value)
      const empty = decoded === '' || decoded === 0 || decoded === false
      if (decoded !== undefined && (!empty || pointerFields.has(name))) object[name] = decoded
    }
  }

  /** One of a list; of numbers perhaps several packed together. */
  #items(structure: Structure, value: WireValue): unknown[] {
    const item = this.#value(structure, value)
    return item === undefined ? [] : [item]
  }

  #entry(values: Structure, bytes: Uint8Array): [string, unknown] {
    let key = ''
    let value: unknown = values.kind === 'string' ? '' : undefined
    for (const [number, part] of readFields(bytes)) {
      if (number === 1 && part instanceof Uint8Array) key = text(part)
      else if (number === 2) value = values.kind === 'list' ? this.#wrappedList(values.items, part) : this.#value(values, part)
    }
    return [key, value]
  }

  /** A list as a map's value is a message with the list in it. */
  #wrappedList(items: Structure, value: WireValue): unknown[] {
    const list: unknown[] = []
    if (value instanceof Uint8Array) for (const [number, item] of readFields(value)) if (number === 1) list.push(...this.#items(items, item))
    return list
  }

  #value(structure: Structure, value: WireValue): unknown {
    switch (structure.kind) {
      case 'boolean':
        return value !== 0
      case 'integer':
      case 'number':
        return typeof value === 'number' ? value : undefined
      case 'string':
        return stringValue(structure.format, value)
      case 'struct':
        return value instanceof Uint8Array ? this.#struct(structure, value) : undefined
      case 'any':
        return value instanceof Uint8Array ? rawJson(value) : undefined
      default:
        return undefined
    }
  }
}

function stringValue(format: string | undefined, value: WireValue): unknown {
  if (typeof value === 'number') return undefined
  switch (format) {
    case 'byte':
      return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
    case 'quantity':
      return text(bytesOf(value, 1))
    case 'date-time':
    case 'micro-time':
      return timeOf(value, format === 'micro-time')
    case 'int-or-string':
      return numberOf(value, 1) === 1 ? text(bytesOf(value, 3)) : numberOf(value, 2)
    default:
      return text(value)
  }
}

function timeOf(message: Uint8Array, micro: boolean): string | undefined {
  if (message.length === 0) return undefined
  const seconds = numberOf(message, 1)
  const nanos = numberOf(message, 2)
  // Go's zero time.
  if (seconds < -62_000_000_000) return undefined
  const plain = new Date(seconds * 1000).toISOString().slice(0, 19)
  return micro ? `${plain}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z` : `${plain}Z`
}

/** JSON in a message (`RawExtension`, `FieldsV1`, `JSON`). */
function rawJson(message: Uint8Array): unknown {
  const raw = bytesOf(message, 1)
  return raw.length === 0 ? undefined : JSON.parse(text(raw))
}

function numberOf(message: Uint8Array, wanted: number): number {
  for (const [number, value] of readFields(message)) if (number === wanted && typeof value === 'number') return value
  return 0
}

function bytesOf(message: Uint8Array, wanted: number): Uint8Array {
  for (const [number, value] of readFields(message)) if (number === wanted && value instanceof Uint8Array) return value
  return new Uint8Array()
}
