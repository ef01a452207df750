import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { VirtualClock } from '../machinery/virtual-clock.ts'
import { openTraceLog, type WriteToRecord } from './trace-log.ts'

const write = (revision: number, resource: string, name: string, seen?: number[]): WriteToRecord => ({
  revision,
  resource,
  namespace: 'shop',
  name,
  verb: 'create',
  subresource: '',
  user: { name: 'system:admin' },
  userAgent: 'kubectl/v1.36.0',
  at: 1000 + revision,
  requestId: `r${revision}`,
  cause: seen && { component: `${resource}-writer`, seen, spans: [{ name: 'work', start: 1000 + revision, end: 1001 + revision }] },
})

describe('trace log', () => {
  it('follows a write to what was done because of it', () => {
    const log = openTraceLog(':memory:', new VirtualClock())
    log.record(write(10, 'deployments.apps', 'web'))
    log.record(write(11, 'replicasets.apps', 'web-1', [10]))
    log.record(write(12, 'pods', 'web-1-a', [11]))
    log.record(write(13, 'pods', 'web-1-b', [10, 11]))
    assert.deepEqual(
      log.effectsOf(11).map((effect) => effect.revision),
      [12, 13],
    )
    assert.deepEqual(
      log.effectsOf(10).map((effect) => `${effect.component} ${effect.name}`),
      ['replicasets.apps-writer web-1', 'pods-writer web-1-b'],
    )
    assert.deepEqual(log.write(13)?.seen, [10, 11])
    assert.equal(log.write(99), undefined)
    assert.equal(log.writesOf('pods', 'shop', 'web-1-a')[0]?.requestId, 'r12')
    assert.deepEqual(
      log.writesAfter(11).map((one) => one.revision),
      [12, 13],
    )
    log.close()
  })

  it('keeps spans with the write that carried them, and those that none carries', () => {
    const log = openTraceLog(':memory:', new VirtualClock())
    log.record(write(12, 'pods', 'a', [11]))
    const [carried] = write(12, 'pods', 'a', [11]).cause?.spans ?? []
    log.record({ ...write(13, 'events', 'a', [11]), cause: { component: 'pods-writer', seen: [11], spans: carried ? [carried] : [] } })
    assert.equal(log.spansBetween(0, 2000).length, 1, 'a span that several writes carry is kept once')
    log.recordSpan('kube-proxy', { name: 'rules loaded', start: 2000, end: 2005, about: 'shop/web', attributes: { services: 1 } })
    assert.equal(log.spansOf(12)[0]?.component, 'pods-writer')
    assert.deepEqual(
      log.spansBetween(2000, 2001).map((span) => [span.component, span.about, span.attributes?.services, span.revision]),
      [['kube-proxy', 'shop/web', 1, undefined]],
    )
    log.close()
  })

  it('answers with what was written since it was last asked', () => {
    const log = openTraceLog(':memory:', new VirtualClock())
    const revisions = (writes: { revision: number }[]) => writes.map(({ revision }) => revision)
    log.record(write(10, 'pods', 'a'))
    assert.deepEqual(revisions(log.writesOf('pods', 'shop', 'a')), [10])
    assert.deepEqual(revisions(log.effectsOf(10)), [])
    log.record(write(12, 'pods', 'b', [10]))
    log.record(write(11, 'pods', 'a', [10]))
    assert.deepEqual(revisions(log.writesOf('pods', 'shop', 'a')), [10, 11])
    assert.deepEqual(revisions(log.effectsOf(10)), [11, 12])
    assert.deepEqual(revisions(log.writesAfter(9, 2)), [10, 11])
    log.close()
  })

  it('finds a write that was told of late', () => {
    const log = openTraceLog(':memory:', new VirtualClock())
    log.record(write(10, 'pods', 'a'))
    log.record(write(12, 'pods', 'c'))
    assert.equal(log.write(12)?.name, 'c')
    log.record(write(11, 'pods', 'b'))
    log.record(write(13, 'pods', 'd'))
    assert.deepEqual(
      [10, 11, 12, 13].map((revision) => log.write(revision)?.name),
      ['a', 'b', 'c', 'd'],
    )
    assert.deepEqual(
      log.writesAfter(11).map(({ name }) => name),
      ['c', 'd'],
    )
    log.close()
  })

  it('forgets what another store did, and what is long ago', () => {
    const directory = mkdtempSync(join(tmpdir(), 'skiff-trace-'))
    const file = join(directory, 'trace.db')
    const before = openTraceLog(file, new VirtualClock())
    before.record(write(5, 'pods', 'old'))
    assert.equal(before.write(5)?.name, 'old')
    before.record(write(20, 'pods', 'lost', [5]))
    before.close()

    const log = openTraceLog(file, new VirtualClock())
    log.record(write(10, 'pods', 'new'))
    assert.deepEqual(
      log.writesAfter(0).map(({ name }) => name),
      ['old', 'new'],
    )
    assert.equal(log.write(20), undefined)
    assert.deepEqual(log.effectsOf(5), [])
    log.record(write(100_000, 'pods', 'oldest'))
    assert.equal(log.write(100_000)?.name, 'oldest')
    for (let revision = 600_000; revision < 600_000 + 10_001; revision++) log.record(write(revision, 'pods', 'newer', [10]))
    assert.equal(log.effectsOf(10).length, 10_001)
    assert.equal(log.write(10), undefined)
    assert.equal(log.write(100_000)?.name, 'oldest')
    assert.deepEqual(log.writesOf('pods', 'shop', 'new'), [])
    log.close()
    rmSync(directory, { recursive: true })
  })

  it('loses what cannot be written, and nothing but that', () => {
    const directory = mkdtempSync(join(tmpdir(), 'skiff-trace-'))
    const file = join(directory, 'trace.db')
    const log = openTraceLog(file, new VirtualClock())
    const other = new DatabaseSync(file)
    other.exec('BEGIN IMMEDIATE')
    log.record(write(10, 'pods', 'lost'))
    assert.equal(log.write(10), undefined)
    other.exec('COMMIT')
    log.record(write(11, 'pods', 'kept'))
    assert.equal(log.write(11)?.name, 'kept')
    other.close()
    log.close()
    rmSync(directory, { recursive: true })
  })

  it('is kept in memory when its file cannot be used', () => {
    const directory = mkdtempSync(join(tmpdir(), 'skiff-trace-'))
    const file = join(directory, 'trace.db')
    writeFileSync(file, 'not a database'.repeat(100))
    const log = openTraceLog(file, new VirtualClock())
    log.record(write(10, 'pods', 'kept'))
    assert.equal(log.write(10)?.name, 'kept')
    log.close()
    rmSync(directory, { recursive: true })
  })
})
