/**
 * The Swagger 2.0 document as protocol buffers, as kubectl asks for it: gnostic's messages, of which this knows
 * those fields that our documents have. Each encoder writes one field of a message, by its number.
 */
import type { Json } from '../../machinery/openapi/dialect.ts'

export const openApiV2Protobuf = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

type Encode = (number: number, value: unknown) => Uint8Array[]
/** By the name in the document: the number in the message, and how it is written. */
type Fields = Readonly<Record<string, readonly [number, Encode]>>

export function encodeOpenApiV2(document: Json): Uint8Array {
  return Buffer.concat(contents(documentFields, undefined, document))
}

const delimited = (number: number, chunks: readonly Uint8Array[]): Uint8Array[] => [
  varints(
    (number << 3) | 2,
    chunks.reduce((size, chunk) => size + chunk.byteLength, 0),
  ),
  ...chunks,
]

function varints(...values: number[]): Uint8Array {
  const bytes: number[] = []
  for (let value of values) {
    for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80)
    bytes.push(value)
  }
  return Uint8Array.from(bytes)
}

const text: Encode = (number, value) => (value === '' ? [] : delimited(number, [Buffer.from(String(value))]))
const flag: Encode = (number, value) => (value === true ? [varints(number << 3, 1)] : [])
const whole: Encode = (number, value) => [varints(number << 3, Number(value))]
const double: Encode = (number, value) => {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(Number(value))
  return [varints((number << 3) | 1), bytes]
}
const each = (encode: Encode): Encode => {
  return (number, values) => (values as unknown[]).flatMap((value) => encode(number, value))
}
/** Anything at all stands as its YAML, and JSON is that. */
const anything: Encode = (number, value) => delimited(number, text(2, `${JSON.stringify(value)}\n`))
/** A map is a repeated message of a name and a value. */
const named = (encode: Encode): Encode => {
  return (number, values) => Object.entries(values as Json).flatMap(([name, value]) => delimited(number, [...text(1, name), ...encode(2, value)]))
}
/** A message with one field. */
const within = (inner: number, encode: Encode): Encode => {
  return (number, value) => delimited(number, encode(inner, value))
}
/** A message; names that begin with x- go to its field `extensions`. */
const message = (fields: Fields, extensions?: number): Encode => {
  return (number, value) => delimited(number, contents(fields, extensions, value as Json))
}

function contents(fields: Fields, extensions: number | undefined, values: Json): Uint8Array[] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (extensions !== undefined && name.startsWith('x-')) return named(anything)(extensions, { [name]: value })
    const field = fields[name]
    if (!field) throw new Error(`the protobuf form of OpenAPI has no place for ${name}`)
    return field[1](field[0], value)
  })
}

const schema: Encode = (number, value) => message(schemaFields, 31)(number, value)

const schemaFields: Fields = {
  $ref: [1, text],
  format: [2, text],
  title: [3, text],
  description: [4, text],
  default: [5, anything],
  multipleOf: [6, double],
  maximum: [7, double],
  exclusiveMaximum: [8, flag],
  minimum: [9, double],
  exclusiveMinimum: [10, flag],
  maxLength: [11, whole],
  minLength: [12, whole],
  pattern: [13, text],
  maxItems: [14, whole],
  minItems: [15, whole],
  uniqueItems: [16, flag],
  maxProperties: [17, whole],
  minProperties: [18, whole],
  required: [19, each(text)],
  enum: [20, each(anything)],
  additionalProperties: [21, (number, value) => (typeof value === 'boolean' ? within(2, flag) : within(1, schema))(number, value)],
  type: [22, within(1, text)],
  items: [23, within(1, schema)],
  allOf: [24, each(schema)],
  properties: [25, within(1, named(schema))],
  example: [30, anything],
}

const bodyParameter = message({ description: [1, text], name: [2, text], in: [3, text], required: [4, flag], schema: [5, schema] }, 6)
const queryParameter = message(
  { required: [1, flag], in: [2, text], description: [3, text], name: [4, text], type: [6, text], format: [7, text], uniqueItems: [20, flag] },
  23,
)
const pathParameter = message(
  { required: [1, flag], in: [2, text], description: [3, text], name: [4, text], type: [5, text], format: [6, text], uniqueItems: [19, flag] },
  22,
)

const parameter: Encode = (number, value) => {
  const place = (value as { in?: string }).in
  if (place === 'body') return within(1, within(1, bodyParameter))(number, value)
  return within(1, within(2, place === 'path' ? within(4, pathParameter) : within(3, queryParameter)))(number, value)
}

const response = message({ description: [1, text], schema: [2, within(1, schema)] }, 5)
const responses = within(1, named(within(1, response)))

const operation = message(
  {
    tags: [1, each(text)],
    summary: [2, text],
    description: [3, text],
    operationId: [5, text],
    produces: [6, each(text)],
    consumes: [7, each(text)],
    parameters: [8, each(parameter)],
    responses: [9, responses],
    schemes: [10, each(text)],
    deprecated: [11, flag],
  },
  13,
)

const pathItem = message(
  {
    get: [2, operation],
    put: [3, operation],
    post: [4, operation],
    delete: [5, operation],
    options: [6, operation],
    head: [7, operation],
    patch: [8, operation],
    parameters: [9, each(parameter)],
  },
  10,
)

const apiKey = message({ type: [1, text], name: [2, text], in: [3, text], description: [4, text] }, 5)

const documentFields: Fields = {
  swagger: [1, text],
  info: [2, message({ title: [1, text], version: [2, text] })],
  paths: [8, within(2, named(pathItem))],
  definitions: [9, within(1, named(schema))],
  security: [12, each(within(1, named(within(1, each(text)))))],
  securityDefinitions: [13, within(1, named(within(2, apiKey)))],
}
