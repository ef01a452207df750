/**
 * Objects in `application/vnd.kubernetes.protobuf`, as typed Go clients send them (kubectl create, controllers):
 * four bytes `k8s\0`, then an envelope that names the kind and holds the message. Decoded into the plain JSON that
 * the same object would be. Fields and types come from the schema, numbers from `numbers/`.
 */
import type { Schema } from '../schema/schema.ts'
import type { Structure } from '../schema/structure.ts'
import { fieldNumbers } from './numbers/index.ts'
import { integer, message, readFields, text, WireError, type WireValue } from './wire.ts'
import { meantWhenZero, meantWhenZeroIn, neverMeant } from './zero-values.ts'

export const protobufMediaType = 'application/vnd.kubernetes.protobuf'
const magic = [0x6b, 0x38, 0x73, 0x00]

interface Field {
  name: string
  type: Structure
  keepsZero: boolean
}

/** A field, or the fields of a message that is embedded there. */
type Entry = { field: Field } | { embedded: Map<number, Entry> }

type Json = Record<string, unknown>

export interface ProtobufDecoder {
  /** The object with its apiVersion and kind. Throws {@link WireError}. */
  decode(bytes: Uint8Array): Json
}

export function createProtobufDecoder(schema: Schema): ProtobufDecoder {
  const layouts = new Map<string, Map<number, Entry>>()
  const kinds = new Map<string, string>(schema.resources.map((one) => [`${one.group ? `${one.group}/` : ''}${one.version} ${one.kind}`, one.model]))

  function layoutOf(model: string): Map<number, Entry> {
    let layout = layouts.get(model)
    if (layout) return layout
    layout = new Map()
    layouts.set(model, layout)
    const fields = schema.has(model) ? schema.model(model).fields : new Map<string, never>()
    for (const part of (fieldNumbers[model] ?? '').split(', ').filter(Boolean)) {
      const [name = '', path = ''] = part.split(' ')
      const type = fields.get(name)?.structure
      if (!type) continue
      const id = `${model}.${name}`
      const keepsZero = (meantWhenZero.has(name) && !neverMeant.has(id)) || meantWhenZeroIn.has(id)
      place(layout, path.split('.').map(Number), { name, type, keepsZero })
    }
    return layout
  }

  function readMessage(bytes: Uint8Array, layout: Map<number, Entry>, into: Json): Json {
    for (const { number, value } of readFields(bytes)) {
      const entry = layout.get(number)
      if (!entry) continue
      if ('embedded' in entry) readMessage(message(value), entry.embedded, into)
      else readField(entry.field, value, into)
    }
    return into
  }

  function readField({ name, type, keepsZero }: Field, value: WireValue, into: Json): void {
    if (type.kind === 'list') {
      const list = (into[name] as unknown[] | undefined) ?? []
      into[name] = list
      list.push(readValue(type.items, value))
    } else if (type.kind === 'map') {
      const map = (into[name] as Json | undefined) ?? {}
      into[name] = map
      readEntry(type.values, message(value), map)
    } else {
      const read = readValue(type, value)
      const isZero = read === '' || read === 0 || read === false
      if (read !== undefined && (keepsZero || !isZero)) into[name] = read
    }
  }

  function readEntry(type: Structure, bytes: Uint8Array, into: Json): void {
    let key = ''
    let read: unknown = type.kind === 'string' ? '' : undefined
    for (const { number, value } of readFields(bytes)) {
      if (number === 1) key = text(value)
      // Lists as values are wrapped in a message of their own (`extra` of users).
      else if (type.kind === 'list') read = [...readFields(message(value))].map((item) => readValue(type.items, item.value))
      else read = readValue(type, value)
    }
    into[key] = read
  }

  function readValue(type: Structure, value: WireValue): unknown {
    switch (type.kind) {
      case 'string':
        return readString(type.format, value)
      case 'integer':
        return integer(value)
      case 'number':
        return typeof value === 'bigint' ? Number(value) : new DataView(value.buffer, value.byteOffset, 8).getFloat64(0, true)
      case 'boolean':
        return integer(value) !== 0
      case 'any':
        return rawJson(message(value))
      case 'struct':
        return readMessage(message(value), layoutOf(type.name), {})
      default:
        throw new WireError(`a list of ${type.kind}s`)
    }
  }

  return {
    decode(bytes) {
      if (magic.some((byte, index) => bytes[index] !== byte)) throw new WireError('the bytes k8s\\0 are missing at the beginning')
      const envelope = readEnvelope(bytes.subarray(4))
      const model = kinds.get(`${envelope.apiVersion} ${envelope.kind}`) ?? commonKinds[envelope.kind]
      if (!model) throw new WireError(`no kind "${envelope.kind}" is registered for version "${envelope.apiVersion}"`)
      return { apiVersion: envelope.apiVersion, kind: envelope.kind, ...readMessage(envelope.raw, layoutOf(model), {}) }
    },
  }
}

/** Kinds that belong to every version, or to subresources. */
const commonKinds: Readonly<Record<string, string>> = {
  DeleteOptions: 'V1DeleteOptions',
  Scale: 'V1Scale',
  Eviction: 'V1Eviction',
  Binding: 'V1Binding',
  TokenRequest: 'AuthenticationV1TokenRequest',
}

function place(layout: Map<number, Entry>, path: number[], field: Field): void {
  const [number = 0, ...rest] = path
  if (rest.length === 0) {
    layout.set(number, { field })
    return
  }
  const found = layout.get(number)
  const embedded = found && 'embedded' in found ? found.embedded : new Map<number, Entry>()
  layout.set(number, { embedded })
  place(embedded, rest, field)
}

function readEnvelope(bytes: Uint8Array): { apiVersion: string; kind: string; raw: Uint8Array } {
  const envelope = { apiVersion: '', kind: '', raw: new Uint8Array() }
  for (const { number, value } of readFields(bytes)) {
    if (number === 2) envelope.raw = new Uint8Array(message(value))
    if (number !== 1) continue
    for (const part of readFields(message(value))) {
      if (part.number === 1) envelope.apiVersion = text(part.value)
      if (part.number === 2) envelope.kind = text(part.value)
    }
  }
  return envelope
}

/** Strings that are messages on the wire: times, quantities, ports that may be names. */
function readString(format: string | undefined, value: WireValue): unknown {
  if (format === 'byte') return Buffer.from(message(value)).toString('base64')
  if (format === 'date-time' || format === 'micro-time') return readTime(message(value), format === 'micro-time')
  if (format === 'int-or-string') return readIntOrString(message(value))
  if (format === 'quantity') return readQuantity(message(value))
  return text(value)
}

function readQuantity(bytes: Uint8Array): string {
  for (const { number, value } of readFields(bytes)) if (number === 1) return text(value)
  return ''
}

function readTime(bytes: Uint8Array, micro: boolean): string | undefined {
  let seconds = 0
  let nanos = 0
  for (const { number, value } of readFields(bytes)) {
    if (number === 1) seconds = integer(value)
    if (number === 2) nanos = integer(value)
  }
  // Go's zero time: not set.
  if (bytes.length === 0 || seconds < -60_000_000_000) return undefined
  const iso = new Date(seconds * 1000).toISOString().slice(0, 19)
  return micro ? `${iso}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z` : `${iso}Z`
}

function readIntOrString(bytes: Uint8Array): number | string {
  let isText = false
  let number_ = 0
  let string = ''
  for (const { number, value } of readFields(bytes)) {
    if (number === 1) isText = integer(value) === 1
    if (number === 2) number_ = integer(value)
    if (number === 3) string = text(value)
  }
  return isText ? string : number_
}

function rawJson(bytes: Uint8Array): unknown {
  for (const { number, value } of readFields(bytes)) if (number === 1) return JSON.parse(text(value))
  return undefined
}
