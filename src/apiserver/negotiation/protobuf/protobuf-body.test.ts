import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiError } from '../../../machinery/errors.ts'
import { readBuiltInSchema } from '../../../machinery/schema/built-in.ts'
import { Schema } from '../../../machinery/schema/schema.ts'
import { BodyDecoder } from '../body.ts'

const decoder = new BodyDecoder(new Schema(readBuiltInSchema()))

/** Writes messages as upstream's encoder does: enough of the wire format for tests. */
const varint = (value: number): number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 128))])
const number = (field: number, value: number) => [...varint(field << 3), ...varint(value)]
const bytes = (field: number, value: number[] | string) => {
  const content = typeof value === 'string' ? [...new TextEncoder().encode(value)] : value
  return [...varint((field << 3) | 2), ...varint(content.length), ...content]
}
const envelope = (apiVersion: string, kind: string, raw: number[]) =>
  Uint8Array.from([0x6b, 0x38, 0x73, 0, ...bytes(1, [...bytes(1, apiVersion), ...bytes(2, kind)]), ...bytes(2, raw)])

const read = (body: Uint8Array) =>
  decoder.read({
    method: 'POST',
    path: '/',
    query: new URLSearchParams(),
    headers: { 'content-type': 'application/vnd.kubernetes.protobuf' },
    readBody: async () => body,
    remoteAddress: '',
    signal: new AbortController().signal,
  })

test('a secret: maps, bytes, and plain fields that are not set', async () => {
  const metadata = [
    ...bytes(1, 's'),
    ...bytes(2, ''),
    ...bytes(3, ''),
    ...number(7, 0),
    ...bytes(8, []),
    ...bytes(11, [...bytes(1, 'app'), ...bytes(2, 'web')]),
  ]
  const data = [...bytes(1, 'password'), ...bytes(2, 'hello')]
  const secret = await read(envelope('v1', 'Secret', [...bytes(1, metadata), ...bytes(2, data), ...bytes(3, 'Opaque'), ...number(5, 0)]))
  assert.deepEqual(secret, {
    kind: 'Secret',
    apiVersion: 'v1',
    metadata: { name: 's', labels: { app: 'web' } },
    data: { password: 'aGVsbG8=' },
    type: 'Opaque',
    immutable: false,
  })
})

test('a pod: fields that stand in their parent in JSON, numbers or strings, quantities, times', async () => {
  const probe = [
    ...bytes(1, bytes(2, [...bytes(1, '/ready'), ...bytes(2, [...number(1, 1), ...number(2, 0), ...bytes(3, 'http')])])),
    ...number(2, 5),
    ...number(3, 0),
  ]
  const requests = bytes(2, [...bytes(1, 'cpu'), ...bytes(2, bytes(1, '100m'))])
  const container = [...bytes(1, 'c'), ...bytes(2, 'image'), ...bytes(8, requests), ...bytes(11, probe)]
  const volume = [...bytes(1, 'tmp'), ...bytes(2, bytes(2, bytes(1, 'Memory')))]
  const spec = [...bytes(1, volume), ...bytes(2, container), ...number(4, 0), ...number(11, 0)]
  const pod = (await read(envelope('v1', 'Pod', [...bytes(1, [...bytes(1, 'p'), ...bytes(8, number(1, 1_700_000_000))]), ...bytes(2, spec)]))) as {
    metadata: object
    spec: object
  }
  assert.deepEqual(pod.metadata, { name: 'p', creationTimestamp: '2023-11-14T22:13:20Z' })
  assert.deepEqual(pod.spec, {
    volumes: [{ name: 'tmp', emptyDir: { medium: 'Memory' } }],
    containers: [
      {
        name: 'c',
        image: 'image',
        resources: { requests: { cpu: '100m' } },
        readinessProbe: { httpGet: { path: '/ready', port: 'http' }, initialDelaySeconds: 5 },
      },
    ],
    terminationGracePeriodSeconds: 0,
  })
})

test('options of a deletion, of whichever group', async () => {
  const options = await read(envelope('apps/v1', 'DeleteOptions', [...number(1, 0), ...bytes(4, 'Background')]))
  assert.deepEqual(options, { kind: 'DeleteOptions', apiVersion: 'apps/v1', gracePeriodSeconds: 0, propagationPolicy: 'Background' })
})

test('what is no message is a bad request', async () => {
  for (const body of [Uint8Array.from([1, 2, 3, 4, 5]), envelope('v1', 'Nothing', []), envelope('v1', 'Pod', [0x0a, 0x7f]), envelope('v1', 'Pod', [0x0f])])
    await assert.rejects(read(body), (error: ApiError) => error.code === 400)
})
