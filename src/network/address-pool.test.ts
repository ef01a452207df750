import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AddressPool } from './address-pool.ts'
import { contains, parseAddress, parseCidr } from './cidr.ts'

test('gives each address once, never the ends or the bridge, and rests what was released', () => {
  const pool = new AddressPool('10.244.3.0/29')
  assert.deepEqual([pool.allocate(), pool.allocate()], ['10.244.3.2', '10.244.3.3'])
  pool.release('10.244.3.2')
  assert.deepEqual([pool.allocate(), pool.allocate(), pool.allocate()], ['10.244.3.4', '10.244.3.5', '10.244.3.6'])
  assert.equal(pool.allocate(), '10.244.3.2')
  assert.throws(() => pool.allocate(), /no IP addresses available in range set: 10.244.3.2-10.244.3.6/)
})

test('goes on after what was found in use', () => {
  const pool = new AddressPool('10.244.0.0/24')
  pool.claim('10.244.0.9')
  pool.claim('192.168.0.1')
  assert.equal(pool.allocate(), '10.244.0.10')
})

test('reads blocks and addresses strictly', () => {
  assert.equal(parseCidr('10.244.0.77/24').base, parseAddress('10.244.0.0'))
  assert.ok(contains(parseCidr('10.96.0.0/12'), '10.111.255.255'))
  assert.ok(!contains(parseCidr('10.96.0.0/12'), '10.112.0.0'))
  for (const wrong of ['10.0.0.0', '10.0.0/8', '10.0.0.0/33', '010.0.0.0/8', 'fd00::/8']) assert.throws(() => parseCidr(wrong), /not an IPv4 block/)
})
