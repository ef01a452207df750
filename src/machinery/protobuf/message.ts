/** Messages that are declared here, field by field, with the numbers that their protocol gives them; written and read as proto3 does. */
import { readFields, type WireValue } from './wire.ts'

type Kind = 'string' | 'int' | 'double' | 'bool' | 'bytes' | 'strings' | MessageCodec<object>

export interface Field {
  number: number
  /** `strings`: a map of texts to texts. */
  kind: Kind
  many?: true
}

export interface MessageCodec<T extends object> {
  encode(value: Partial<T>): Uint8Array
  /** What is not there is empty, zero or false; a message that is not there is undefined. */
  decode(bytes: Uint8Array): T
}

const utf8 = { to: new TextEncoder(), from: new TextDecoder() }

export function message<T extends object>(fields: { [K in keyof T]-?: Field }): MessageCodec<T> {
  const entries = Object.entries(fields) as [string, Field][]
  const byNumber = new Map(entries.map(([name, field]) => [field.number, { name, ...field }]))
  return {
    encode(value) {
      const parts: Uint8Array[] = []
      for (const [name, { number, kind, many }] of entries) {
        const content = (value as Record<string, unknown>)[name]
        if (content === undefined) continue
        if (kind === 'strings')
          for (const [key, text] of Object.entries(content as Record<string, string>)) parts.push(delimited(number, pair.encode({ key, text })))
        else for (const one of many ? (content as unknown[]) : [content]) parts.push(...encodeOne(number, kind, one, many))
      }
      return Buffer.concat(parts)
    },
    decode(bytes) {
      const value: Record<string, unknown> = {}
      for (const [name, { kind, many }] of entries) value[name] = many ? [] : emptyOf(kind)
      for (const [number, content] of readFields(bytes)) {
        const field = byNumber.get(number)
        if (!field) continue
        if (field.kind === 'strings') {
          const { key, text } = pair.decode(asBytes(content))
          ;(value[field.name] as Record<string, string>)[key] = text
        } else if (field.many) (value[field.name] as unknown[]).push(decodeOne(field.kind, content))
        else value[field.name] = decodeOne(field.kind, content)
      }
      return value as T
    },
  }
}

const pair = {
  encode: ({ key, text }: { key: string; text: string }) => Buffer.concat([delimited(1, utf8.to.encode(key)), delimited(2, utf8.to.encode(text))]),
  decode(bytes: Uint8Array) {
    const found = { key: '', text: '' }
    for (const [number, content] of readFields(bytes)) {
      if (number === 1) found.key = utf8.from.decode(asBytes(content))
      else if (number === 2) found.text = utf8.from.decode(asBytes(content))
    }
    return found
  },
}

function emptyOf(kind: Kind): unknown {
  if (kind === 'string') return ''
  if (kind === 'int' || kind === 'double') return 0
  if (kind === 'bool') return false
  if (kind === 'bytes') return new Uint8Array()
  return kind === 'strings' ? {} : undefined
}

function encodeOne(number: number, kind: Kind, value: unknown, isKept: boolean | undefined): Uint8Array[] {
  // Of a field that is not repeated, what is empty is the same as nothing.
  if (!isKept && (value === '' || value === 0 || value === false)) return []
  if (kind === 'string') return [delimited(number, utf8.to.encode(value as string))]
  if (kind === 'bytes') return (value as Uint8Array).length === 0 && !isKept ? [] : [delimited(number, value as Uint8Array)]
  if (kind === 'int' || kind === 'bool') return [Buffer.from([...varint(number * 8), ...varint(Number(value))])]
  if (kind === 'double') {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(value as number)
    return [Buffer.from(varint(number * 8 + 1)), bytes]
  }
  return [delimited(number, (kind as MessageCodec<object>).encode(value as object))]
}

function decodeOne(kind: Kind, content: WireValue): unknown {
  if (kind === 'int' || kind === 'double') return Number(content)
  if (kind === 'bool') return content !== 0
  const bytes = asBytes(content)
  if (kind === 'string') return utf8.from.decode(bytes)
  return kind === 'bytes' ? bytes : (kind as MessageCodec<object>).decode(bytes)
}

function asBytes(content: WireValue): Uint8Array {
  if (typeof content === 'number') throw new RangeError('a number where a text or a message belongs')
  return content
}

function delimited(number: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes])
}

/** As an int64: what is negative takes ten bytes. */
function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)))
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  return [...bytes, Number(rest)]
}
