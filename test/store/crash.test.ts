/** `kill -9` in the middle of a thousand concurrent writes, a hundred times, over one database. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { StoreEvent } from '../../src/store/store.ts'

const rounds = 100

/** Runs the writer until it has told of some writes, kills it, and returns what it told. */
function writeAndKill(path: string, round: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'crash-writer.ts'), path, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    // Each round dies after another number of answers, so that every moment of a commit has its turn.
    const enough = 2000 + ((round * 7919) % 5000) * 20
    child.stdout.on('data', (chunk) => {
      out += chunk
      if (out.length > enough) child.kill('SIGKILL')
    })
    child.on('error', reject)
    child.on('close', (_code, signal) => {
      if (signal !== 'SIGKILL') return reject(new Error(`the writer ended by itself: ${signal}`))
      // A line that was cut by the kill was not acknowledged to anybody.
      resolve(out.slice(0, out.lastIndexOf('\n')).split('\n'))
    })
  })
}

it(`loses no acknowledged write, gives no revision twice, and its history is complete (${rounds} kills)`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skiff-crash-'))
  try {
    const path = join(folder, 'state.db')
    const acknowledged = new Map<number, string>()
    for (let round = 0; round < rounds; round++) {
      for (const line of await writeAndKill(path, round)) {
        const [key = '', revision = ''] = line.split(' ')
        assert.ok(!acknowledged.has(Number(revision)), `revision ${revision} was given twice`)
        acknowledged.set(Number(revision), key)
      }
    }
    const store = await openSqliteStore(path)
    const last = await store.revision()
    const stop = new AbortController()
    let events: StoreEvent[] = []
    store.watch('/', {
      after: 1,
      signal: stop.signal,
      onEvents: (batch) => {
        events = events.concat(batch)
      },
      onError: assert.fail,
    })
    assert.deepEqual(
      [events.length, events[0]?.revision, events.at(-1)?.revision],
      [last - 1, 2, last],
      'the history has each revision once, from the first to the last',
    )
    const stored = new Map(events.map((event) => [event.revision, event.key]))
    for (const [revision, key] of acknowledged) assert.equal(stored.get(revision), key, `write ${revision} was acknowledged and lost`)
    assert.ok(acknowledged.size > rounds * 20, `only ${acknowledged.size} writes were told of`)
    stop.abort()
    await store.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
})
