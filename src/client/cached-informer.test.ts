import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../machinery/virtual-clock.ts'
import { createClient } from './api-client.ts'
import { createInformerFactory } from './informer-factory.ts'
import { silentLogger } from './logger.ts'
import { ConfigMap } from './resources.ts'
import { MemoryServer } from './testing/memory-server.ts'

function setUp() {
  const clock = new VirtualClock()
  const server = new MemoryServer(clock)
  const client = createClient(server, { userAgent: 'test' })
  const informers = createInformerFactory({ client, clock, log: silentLogger })
  const informer = informers.informer(ConfigMap)
  const heard: string[] = []
  informer.onChange(({ type, object, previous }) => heard.push(`${type} ${object.metadata.name} ${previous?.data?.v ?? ''}>${object.data?.v ?? ''}`))
  const put = async (name: string, v: string) => {
    const known = await client.find(ConfigMap, { namespace: 'default', name })
    if (known) return client.update(ConfigMap, { ...known, data: { v } })
    return client.create(ConfigMap, { metadata: { namespace: 'default', name }, data: { v } })
  }
  const remove = (name: string) => client.delete(ConfigMap, { namespace: 'default', name })
  return { clock, server, client, informers, informer, heard, put, remove }
}

test('lists, then follows; handlers that come late get what is there', async () => {
  const { clock, informers, informer, heard, put, remove } = setUp()
  await put('a', '1')
  await clock.advance(1)
  assert.ok(informer.synced)
  await put('a', '2')
  await put('b', '1')
  await remove('a')
  await clock.advance(1)
  assert.deepEqual(heard, ['added a >1', 'updated a 1>2', 'added b >1', 'deleted a 2>2'])
  const late: string[] = []
  informer.onChange(({ type, object }) => late.push(`${type} ${object.metadata.name}`))
  assert.deepEqual(late, ['added b'])
  assert.deepEqual(
    informer.inNamespace('default').map(({ metadata }) => metadata.name),
    ['b'],
  )
  informers.stop()
})

test('a watch that breaks is resumed: nothing is lost, nothing comes twice', async () => {
  const { clock, server, informers, heard, put } = setUp()
  await clock.advance(1)
  const expected: string[] = []
  for (let i = 0; i < 20; i++) {
    if (i % 3 === 0) server.breakWatches()
    await put(`m${i}`, '1')
    expected.push(`added m${i} >1`)
    await clock.advance(10)
  }
  await clock.advance(60_000)
  assert.deepEqual(heard, expected)
  assert.equal(server.requests.filter(({ method, path, query }) => method === 'GET' && path === '/api/v1/configmaps' && !query?.watch).length, 1)
  informers.stop()
})

test('a revision that is forgotten: lists again, and tells the difference', async () => {
  const { clock, server, informers, informer, heard, put, remove } = setUp()
  await put('stays', '1')
  await put('changes', '1')
  await put('goes', '1')
  await put('again', '1')
  await clock.advance(1)
  heard.length = 0
  server.goAway()
  await clock.advance(1)
  server.comeBack()
  await put('changes', '2')
  await remove('goes')
  await put('comes', '1')
  await remove('again')
  await put('again', '2')
  server.compact()
  await clock.advance(60_000)
  assert.deepEqual(heard, ['deleted goes 1>1', 'updated changes 1>2', 'added comes >1', 'deleted again 1>1', 'added again >2'])
  assert.equal(informer.list().length, 4)
  informers.stop()
})

test('a server that is away is asked with growing delays, and found again', async () => {
  const { clock, server, informers, informer, put } = setUp()
  server.goAway()
  await clock.advance(600_000)
  const { length } = server.requests
  assert.ok(length > 10 && length < 60, `${length} requests in ten minutes`)
  server.comeBack()
  await put('a', '1')
  await clock.advance(60_000)
  assert.equal(informer.list().length, 1)
  informers.stop()
})

test('a handler that throws does not keep others from hearing', async () => {
  const { clock, informers, informer, put } = setUp()
  const heard: string[] = []
  informer.onChange(() => {
    throw new Error('no')
  })
  informer.onChange(({ object }) => heard.push(object.metadata.name))
  await put('a', '1')
  await clock.advance(1)
  assert.deepEqual(heard, ['a'])
  informers.stop()
})
