import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openApiDocuments } from '../../machinery/openapi/openapi.ts'
import { readFields } from '../../machinery/protobuf/wire.ts'
import { readBuiltInDescriptions, readBuiltInSchema } from '../../machinery/schema/built-in.ts'
import { Schema } from '../../machinery/schema/schema.ts'
import { encodeOpenApiV2 } from './openapi-protobuf.ts'

const decoder = new TextDecoder()

/** The messages at a path of field numbers. */
function at(bytes: Uint8Array, ...path: number[]): Uint8Array[] {
  const [first, ...rest] = path
  if (first === undefined) return [bytes]
  return [...readFields(bytes)].flatMap(([number, value]) => (number === first && value instanceof Uint8Array ? at(value, ...rest) : []))
}
const texts = (bytes: Uint8Array, ...path: number[]) => at(bytes, ...path).map((one) => decoder.decode(one))

test('maps are lists of names and values, and anything is YAML', () => {
  const bytes = encodeOpenApiV2({
    swagger: '2.0',
    definitions: { Item: { type: 'object', properties: { x: { type: 'integer', default: 0 } }, 'x-kubernetes-map-type': 'atomic' } },
    security: [{ BearerToken: [] }],
  })
  assert.deepEqual(texts(bytes, 1), ['2.0'])
  assert.deepEqual(texts(bytes, 9, 1, 1), ['Item'])
  assert.deepEqual(texts(bytes, 9, 1, 2, 22, 1), ['object'])
  assert.deepEqual(texts(bytes, 9, 1, 2, 25, 1, 1), ['x'])
  assert.deepEqual(texts(bytes, 9, 1, 2, 25, 1, 2, 5, 2), ['0\n'])
  assert.deepEqual(texts(bytes, 9, 1, 2, 31, 1), ['x-kubernetes-map-type'])
  assert.deepEqual(texts(bytes, 9, 1, 2, 31, 2, 2), ['"atomic"\n'])
  assert.deepEqual(texts(bytes, 12, 1, 1), ['BearerToken'])
})

test('all that the built-in kinds say has its place', () => {
  const file = readBuiltInSchema()
  const resources = file.resources.map((fact) => ({ ...fact, subresources: [] }))
  const document = openApiDocuments(new Schema(file), readBuiltInDescriptions).v2(resources)
  const bytes = encodeOpenApiV2(document)
  assert.deepEqual(texts(bytes, 8, 2, 1), Object.keys(document.paths as object))
  assert.deepEqual(texts(bytes, 9, 1, 1), Object.keys(document.definitions as object))
})
