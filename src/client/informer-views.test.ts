import assert from 'node:assert/strict'
import { afterEach, beforeEach, it } from 'node:test'
import type { V1ConfigMap } from '../machinery/schema/generated/types.ts'
import { VirtualClock } from '../machinery/virtual-clock.ts'
import { createClient } from './api-client.ts'
import type { Client } from './client.ts'
import { createInformerFactory } from './informer-factory.ts'
import { InformerViews } from './informer-views.ts'
import { silentLogger } from './logger.ts'
import { ConfigMap } from './resources.ts'
import { MemoryServer } from './testing/memory-server.ts'

let clock: VirtualClock
let client: Client
let stop: () => void
let views: InformerViews<V1ConfigMap>

const make = (name: string, part?: string) =>
  client.create(ConfigMap, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', ...(part ? { labels: { part } } : {}) },
  })

beforeEach(async () => {
  clock = new VirtualClock()
  client = createClient(new MemoryServer(clock), { userAgent: 'test' })
  const informers = createInformerFactory({ client, clock, log: silentLogger })
  const informer = informers.informer(ConfigMap)
  views = new InformerViews({ informer, name: 'part', partOf: ({ metadata }) => metadata.labels?.part, log: silentLogger })
  stop = () => informers.stop()
  await clock.advance(10)
})
afterEach(() => stop())

it('each sees its part alone: what is there, and what comes', async () => {
  await make('one', 'a')
  await clock.advance(10)
  const told: string[] = []
  const undo = views.view('a').onChange(({ type, object }) => told.push(`${type} ${object.metadata.name}`))
  await make('two', 'a')
  await make('other', 'b')
  await clock.advance(10)
  assert.deepEqual(told, ['added one', 'added two'])
  const a = views.view('a')
  assert.deepEqual(
    a.list().map(({ metadata }) => metadata.name),
    ['one', 'two'],
  )
  assert.equal(a.get('default/other'), undefined)
  assert.equal(a.get('default/one')?.metadata.name, 'one')
  await client.delete(ConfigMap, { name: 'one', namespace: 'default' })
  await clock.advance(10)
  assert.equal(told.at(-1), 'deleted one')
  undo()
  await make('three', 'a')
  await clock.advance(10)
  assert.equal(told.at(-1), 'deleted one')
})

it('what comes into a part that was in none is added there', async () => {
  await make('one')
  await clock.advance(10)
  const told: string[] = []
  views.view('a').onChange(({ type, previous }) => told.push(`${type} ${previous === undefined}`))
  await client.patch(ConfigMap, { name: 'one', namespace: 'default' }, 'merge', { metadata: { labels: { part: 'a' } } })
  await clock.advance(10)
  await client.patch(ConfigMap, { name: 'one', namespace: 'default' }, 'merge', { metadata: { labels: { more: 'x' } } })
  await clock.advance(10)
  assert.deepEqual(told, ['added true', 'updated false'])
})

it('one whose handler fails does not keep the others from hearing', async () => {
  let heard = 0
  views.view('a').onChange(() => {
    throw new Error('no')
  })
  views.view('a').onChange(() => heard++)
  await make('one', 'a')
  await clock.advance(10)
  assert.equal(heard, 1)
})
