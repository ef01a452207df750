/** Twenty watchers and two writers: whoever watches sees each change once, in order, however slowly it reads. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import * as https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ensurePki, type Pki } from '../../cluster/pki/pki.ts'
import { realClock } from '../../machinery/real-clock.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { createHttpServer, type HttpServer } from './http-server.ts'

const watchers = 20
const changes = 150

let dir: string
let pki: Pki
let t: TestServer
let http: HttpServer
let port: number

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'skiff-watchers-'))
  pki = await ensurePki(dir, { clock: realClock })
  t = await startTestServer()
  http = createHttpServer({ handle: t.server.handle, clock: realClock, certificate: pki.serving.certificate, key: pki.serving.key })
  port = await http.listen({ port: 0 })
})
after(async () => {
  await t.stop()
  await http.stop(0)
  rmSync(dir, { recursive: true })
})

interface Event {
  type: string
  object: { metadata: { name: string; resourceVersion: string } }
}

/** What a watcher has seen, as `TYPE name revision`. */
interface Watcher {
  seen: string[]
  until(count: number): Promise<void>
}

function watcher(): Watcher & { take(event: Event): void } {
  const seen: string[] = []
  let wake = () => {}
  return {
    seen,
    take({ type, object: { metadata } }) {
      seen.push(`${type} ${metadata.name} ${metadata.resourceVersion}`)
      wake()
    },
    until: (count) =>
      new Promise((resolve) => {
        wake = () => {
          if (seen.length >= count) resolve()
        }
        wake()
      }),
  }
}

async function inProcess(path: string): Promise<Watcher> {
  const made = watcher()
  const events = await t.watch(path)
  void (async () => {
    for (let next = await events.next(); !next.done; next = await events.next()) made.take(next.value as unknown as Event)
  })()
  return made
}

/** A slow one reads nothing until it is let go on. */
async function overHttp(path: string, slow: boolean): Promise<Watcher & { resume(): void; ended(): Promise<unknown> }> {
  const made = watcher()
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    https.get({ agent: false, host: '127.0.0.1', port, path, ca: pki.ca.certificate }, resolve).on('error', reject)
  })
  let rest = ''
  const read = () =>
    response.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) made.take(JSON.parse(line))
    })
  if (!slow) read()
  return { ...made, resume: () => void (slow && read()), ended: () => once(response, 'end') }
}

/** Creates, changes and deletes; half of the objects stay. Ends with the events that tell of it. */
async function write(path: string, name: string): Promise<number> {
  let events = 0
  for (let i = 0; i < changes; i++) {
    const object = `${name}-${i}`
    const created = await t.call('POST', path, { metadata: { name: object }, data: { text: 'x'.repeat(500) } })
    assert.equal(created.status, 201)
    const changed = await t.call('PUT', `${path}/${object}`, { metadata: { name: object }, data: { text: String(i) } })
    assert.equal(changed.status, 200)
    events += 2
    if (i % 2 === 0) continue
    await t.call('DELETE', `${path}/${object}`)
    events++
  }
  return events
}

const types: Readonly<Record<string, string>> = { create: 'ADDED', update: 'MODIFIED', delete: 'DELETED' }

async function expectAll(namespace: string, made: Watcher[], resume: () => void): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  const counts = await Promise.all([write(path, 'one'), write(path, 'two')])
  resume()
  const total = counts.reduce((sum, count) => sum + count, 0)
  await Promise.all(made.map((one) => one.until(total)))
  const expected = t.writes
    .filter((write) => write.namespace === namespace && write.resource === 'configmaps')
    .sort((a, b) => a.revision - b.revision)
    .map(({ verb, name, revision }) => `${types[verb]} ${name} ${revision}`)
  assert.equal(expected.length, total)
  for (const { seen } of made) assert.deepEqual(seen, expected)
}

test('in process', { timeout: 5000 }, async () => {
  const made = await Promise.all(Array.from({ length: watchers }, () => inProcess('/api/v1/namespaces/process/configmaps?watch=true')))
  await expectAll('process', made, () => {})
})

test('over HTTP, with slow ones among them', { timeout: 5000 }, async () => {
  const path = '/api/v1/namespaces/http/configmaps?watch=true'
  const made = await Promise.all(Array.from({ length: watchers }, (_, i) => overHttp(path, i % 4 === 0)))
  await expectAll('http', made, () => {
    for (const one of made) one.resume()
  })
})

test('who does not read loses its watch, not the server its memory; who reads again sees what came first, and the end', { timeout: 30_000 }, async () => {
  await t.call('POST', '/api/v1/namespaces', { metadata: { name: 'stuck' } })
  const path = '/api/v1/namespaces/stuck/configmaps'
  const cache = (await t.server.access.cached('configmaps')) as unknown as { watchers: number }
  const before = cache.watchers
  const stuck = await overHttp(`${path}?watch=true`, true)
  assert.equal(cache.watchers, before + 1)
  await t.call('POST', path, { metadata: { name: 'often' } })
  const text = 'x'.repeat(8000)
  let count = 0
  // As much as the kernel's buffers and ours take, whatever they are here.
  while (cache.watchers > before && count < 50_000) {
    await t.call('PUT', `${path}/often`, { metadata: { name: 'often' }, data: { text, count: String(count++) } })
    // The store is in memory: without a pause nothing is written to anybody.
    if (count % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(cache.watchers, before)
  const ended = stuck.ended()
  stuck.resume()
  await ended
  assert.ok(stuck.seen.length > 0 && stuck.seen.length < count, `${stuck.seen.length} of ${count} were told`)
  const revisions = stuck.seen.map((line) => Number(line.split(' ')[2]))
  for (let i = 2; i < revisions.length; i++) assert.equal(revisions[i], (revisions[i - 1] ?? 0) + 1)
})
