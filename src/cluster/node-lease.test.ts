import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leaseFor } from './node-lease.ts'

test('a node gives several signs of life while the control plane is patient, upstream\u2019s number of them when nobody says otherwise', () => {
  assert.deepEqual(leaseFor(undefined), { durationSeconds: 40, renewSeconds: 10 })
  assert.deepEqual(leaseFor(50), leaseFor(undefined))
  assert.deepEqual(leaseFor(3600), leaseFor(undefined))
  assert.deepEqual(leaseFor(5), { durationSeconds: 4, renewSeconds: 1 })
  for (let grace = 2; grace < 100; grace++) assert.ok(leaseFor(grace).renewSeconds * 3 < grace, String(grace))
})
