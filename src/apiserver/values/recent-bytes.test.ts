import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentBytes } from './recent-bytes.ts'

test('bytes that somebody asks for are kept, the rest is forgotten and made again', () => {
  const recent = new RecentBytes(100)
  const made: string[] = []
  const wire = (name: string, encoding: ReturnType<typeof recent.encoding>) =>
    recent.wire(encoding, () => {
      made.push(name)
      return recent.allocate(40)
    })
  const wanted = recent.encoding(0)
  const unwanted = recent.encoding(0)
  const first = wire('wanted', wanted)
  wire('unwanted', unwanted)
  for (let i = 0; i < 20; i++) {
    wire('other', recent.encoding(0))
    assert.equal(wire('wanted', wanted), first)
  }
  wire('unwanted', unwanted)
  assert.deepEqual(
    made.filter((name) => name !== 'other'),
    ['wanted', 'unwanted', 'unwanted'],
  )
})

test('the stored form goes into the wire form, and is forgotten as that is', () => {
  const recent = new RecentBytes(100)
  const plain = new Uint8Array(40)
  const asked = recent.encoding(0, plain)
  const never = recent.encoding(0, plain)
  const seen: unknown[] = []
  const make = (bytes: Uint8Array | undefined) => {
    seen.push(bytes)
    return Buffer.alloc(40)
  }
  recent.wire(asked, make)
  for (let i = 0; i < 8; i++) recent.encoding(0, new Uint8Array(40))
  recent.wire(never, make)
  assert.deepEqual(seen, [plain, undefined])
  assert.equal(asked.plain, undefined)
})

test('no two share a byte', () => {
  const recent = new RecentBytes(1e6)
  const buffers = Array.from({ length: 300 }, (_, index) => recent.allocate(1000 + index).fill(index % 251))
  buffers.push(recent.allocate(100_000).fill(1))
  for (const [index, bytes] of buffers.slice(0, 300).entries()) assert.ok(bytes.length === 1000 + index && bytes.every((byte) => byte === index % 251))
})
