import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { V1ResourceSlice } from '../../machinery/schema/generated/types.ts'
import { ResourceSlice } from './resource-slice.ts'

const slice = (spec: object) => ({ metadata: { name: 'one' }, spec }) as unknown as V1ResourceSlice

test('a slice without its parts is refused, and shown where it is there all the same', () => {
  const fields = ResourceSlice.validate(slice({})).map(({ field }) => field)
  assert.deepEqual(fields, ['spec.driver', 'spec.pool.name', 'spec.pool.resourceSliceCount', 'spec'])
  for (const column of ResourceSlice.columns.slice(1, 4)) assert.equal(typeof column.value(slice({}), 0), 'string')
})

test('a whole slice is good', () => {
  const spec = { driver: 'gpu.example.com', nodeName: 'n1', pool: { name: 'n1', generation: 0, resourceSliceCount: 1 }, devices: [{ name: 'gpu-0' }] }
  assert.deepEqual(ResourceSlice.validate(slice(spec)), [])
})
