/** Turns an answer into bytes. What is shared was encoded before and is only copied into place. */
import { stringify as toYaml } from 'yaml'
import { itemBytes, wireBytes } from '../values/object-codec.ts'
import type { Event } from '../watch-cache/watch-stream.ts'
import type { Format } from './accept.ts'

const newline = Buffer.from('\n')
const comma = Buffer.from(',')
const brace = Buffer.from('{')
const listEnd = Buffer.from(']}\n')
const frameEnd = Buffer.from('}\n')
/** Lists are sent in pieces of about this size. */
const pieceSize = 256 * 1024

export interface Encoded {
  contentType: string
  /** One piece, or several that need not be in memory at once. */
  pieces: Buffer[] | Iterable<Buffer>
  /** Bytes in all, where known. */
  length: number | undefined
}

export function encodeAnswer(object: unknown, format: Format, pretty: boolean): Encoded {
  if (format === 'yaml') return whole(Buffer.from(toYaml(object, { aliasDuplicateObjects: false, lineWidth: 0 })), 'application/yaml')
  const contentType = 'application/json'
  if (pretty) return whole(Buffer.from(`${JSON.stringify(object, null, 2)}\n`), contentType)
  const shared = wireBytes(object as object)
  if (shared) return { contentType, pieces: [shared, newline], length: shared.length + 1 }
  if (isSharedList(object)) return { contentType, pieces: listPieces(object), length: undefined }
  return whole(Buffer.from(`${JSON.stringify(object)}\n`), contentType)
}

const whole = (bytes: Buffer, contentType: string): Encoded => ({ contentType, pieces: [bytes], length: bytes.length })

interface SharedList {
  kind: string
  apiVersion: string
  metadata: unknown
  items: object[]
}

const isSharedList = (object: unknown): object is SharedList => {
  const { kind, items } = object as { kind?: unknown; items?: unknown }
  return Array.isArray(items) && typeof kind === 'string' && kind.endsWith('List')
}

function* listPieces({ kind, apiVersion, metadata, items }: SharedList): Generator<Buffer> {
  let parts: Uint8Array[] = [
    Buffer.from(`{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${JSON.stringify(metadata)},"items":[`),
  ]
  let size = 0
  let first = true
  for (const item of items) {
    if (!first) parts.push(comma)
    first = false
    const bytes = itemBytes(item)
    if (bytes) parts.push(brace, bytes)
    else parts.push(Buffer.from(JSON.stringify(item)))
    size += bytes?.length ?? 0
    if (size < pieceSize) continue
    yield Buffer.concat(parts)
    parts = []
    size = 0
  }
  parts.push(listEnd)
  yield Buffer.concat(parts)
}

/** The frames of a watch, several at once: `{"type":…,"object":…}` and a line end each. */
export function encodeEvents(events: Event[]): Buffer {
  const parts: Uint8Array[] = []
  for (const { type, object } of events) {
    parts.push(frameStart(type))
    parts.push(wireBytes(object) ?? Buffer.from(JSON.stringify(object)), frameEnd)
  }
  return Buffer.concat(parts)
}

const starts: Record<string, Buffer> = Object.fromEntries(
  ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'].map((type) => [type, Buffer.from(`{"type":"${type}","object":`)]),
)
const frameStart = (type: string): Buffer => starts[type] ?? Buffer.from(`{"type":${JSON.stringify(type)},"object":`)
