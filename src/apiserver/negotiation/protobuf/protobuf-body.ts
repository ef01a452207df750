/** `application/vnd.kubernetes.protobuf`: four magic bytes, then an envelope that names the kind. kubectl and most controllers send it. */
import { badRequest } from '../../../machinery/errors.ts'
import { MessageDecoder } from '../../../machinery/protobuf/decode-message.ts'
import { readFields } from '../../../machinery/protobuf/wire.ts'
import type { Schema } from '../../../machinery/schema/schema.ts'

export const protobufMediaType = 'application/vnd.kubernetes.protobuf'

const magic = [0x6b, 0x38, 0x73, 0x00]
const utf8 = new TextDecoder()

/** `modelOf` finds the schema's model of a kind. */
export function decodeProtobuf(bytes: Uint8Array, schema: Schema, modelOf: (apiVersion: string, kind: string) => string | undefined): unknown {
  if (!magic.every((byte, i) => bytes[i] === byte)) throw badRequest('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  try {
    const { apiVersion, kind, raw } = openEnvelope(bytes.subarray(magic.length))
    const model = modelOf(apiVersion, kind)
    const object = model && new MessageDecoder(schema).decode(model, raw)
    if (!object) throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}" in protobuf; send it as JSON`)
    return { kind, apiVersion, ...object }
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) throw badRequest(`proto: ${error.message}`)
    throw error
  }
}

function openEnvelope(bytes: Uint8Array): { apiVersion: string; kind: string; raw: Uint8Array } {
  const envelope = { apiVersion: '', kind: '', raw: new Uint8Array() as Uint8Array }
  for (const [number, value] of readFields(bytes)) {
    if (!(value instanceof Uint8Array)) continue
    if (number === 2) envelope.raw = value
    if (number !== 1) continue
    for (const [field, text] of readFields(value)) {
      if (!(text instanceof Uint8Array)) continue
      if (field === 1) envelope.apiVersion = utf8.decode(text)
      else if (field === 2) envelope.kind = utf8.decode(text)
    }
  }
  return envelope
}
