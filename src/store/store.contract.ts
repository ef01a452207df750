/** The suite that every {@link Store} passes. `open` gives a fresh, empty store. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Compacted, FutureRevision, type Store, StoreClosed, type StoreEvent } from './store.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined) => new TextDecoder().decode(value)

async function put(store: Store, key: string, value: string, expected = 0): Promise<number> {
  const result = await store.put(key, bytes(value), expected)
  assert.ok(result.ok, `put ${key}`)
  return result.revision
}

/** Collects events until `count` came. */
function collect(store: Store, prefix: string, after: number) {
  const events: StoreEvent[] = []
  const abort = new AbortController()
  let wake = () => {}
  let failure: Error | undefined
  store.watch(prefix, {
    after,
    signal: abort.signal,
    onEvents(batch) {
      events.push(...batch)
      wake()
    },
    onError(error) {
      failure = error
      wake()
    },
  })
  return {
    events,
    abort: () => abort.abort(),
    failure: () => failure,
    async until(count: number) {
      while (events.length < count && !failure) await new Promise<void>((resolve) => (wake = resolve))
      return events
    },
  }
}

export function storeContract(name: string, open: () => Promise<Store>): void {
  const withStore = (title: string, body: (store: Store) => Promise<void>) =>
    it(title, async () => {
      const store = await open()
      try {
        await body(store)
      } finally {
        await store.close()
      }
    })

  describe(`Store contract: ${name}`, () => {
    withStore('starts at revision 1 and counts each write', async (store) => {
      assert.equal(await store.revision(), 1)
      assert.equal(await put(store, '/a', '1'), 2)
      assert.equal(await put(store, '/b', '1'), 3)
      assert.equal(await store.revision(), 3)
    })

    withStore('reads what was written, with its revisions', async (store) => {
      const created = await put(store, '/a', 'one')
      const changed = await put(store, '/a', 'two', created)
      const { kv, revision } = await store.get('/a')
      assert.equal(text(kv?.value), 'two')
      assert.equal(kv?.createRevision, created)
      assert.equal(kv?.modRevision, changed)
      assert.equal(revision, changed)
      assert.equal((await store.get('/none')).kv, undefined)
    })

    withStore('refuses a write whose comparison fails, and says what is there', async (store) => {
      const revision = await put(store, '/a', 'one')
      const again = await store.put('/a', bytes('x'), 0)
      assert.ok(!again.ok)
      assert.equal(text(again.current?.value), 'one')
      const stale = await store.put('/a', bytes('x'), revision + 5)
      assert.ok(!stale.ok)
      const absent = await store.put('/b', bytes('x'), 7)
      assert.ok(!absent.ok)
      assert.equal(absent.current, undefined)
      assert.equal(await store.revision(), revision)
      assert.equal((await store.delete('/b', 0)).ok, false)
      assert.equal((await store.delete('/a', revision + 1)).ok, false)
    })

    withStore('of many writers with the same expectation exactly one wins', async (store) => {
      const results = await Promise.all(Array.from({ length: 50 }, (_, i) => store.put('/a', bytes(String(i)), 0)))
      const winners = results.filter((result) => result.ok)
      assert.equal(winners.length, 1)
      assert.equal(await store.revision(), 2)
    })

    withStore('a key that was deleted may be created again, with a new createRevision', async (store) => {
      const first = await put(store, '/a', 'one')
      const deleted = await store.delete('/a', first)
      assert.ok(deleted.ok)
      assert.equal((await store.get('/a')).kv, undefined)
      const second = await put(store, '/a', 'two')
      assert.equal((await store.get('/a')).kv?.createRevision, second)
    })

    withStore('ranges in key order, by prefix, in pages at one revision', async (store) => {
      for (const key of ['/p/c', '/p/a', '/q/a', '/p/b', '/p', '/pz']) await put(store, key, key)
      const all = await store.range('/p/')
      assert.deepEqual(
        all.kvs.map((kv) => kv.key),
        ['/p/a', '/p/b', '/p/c'],
      )
      const page = await store.range('/p/', { limit: 2 })
      assert.equal(page.kvs.length, 2)
      assert.equal(page.remaining, 1)
      await put(store, '/p/d', 'later')
      const rest = await store.range('/p/', { limit: 2, startKey: '/p/b\0', revision: page.revision })
      assert.deepEqual(
        rest.kvs.map((kv) => kv.key),
        ['/p/c'],
      )
      assert.equal(rest.remaining, 0)
      assert.equal(rest.revision, page.revision)
      assert.equal(await store.count('/p/'), 4)
    })

    withStore('reads the past, and neither the future nor the compacted', async (store) => {
      const one = await put(store, '/a', 'one')
      const two = await put(store, '/a', 'two', one)
      const deleted = await store.delete('/a', two)
      const back = await put(store, '/a', 'three')
      assert.equal(text((await store.get('/a', one)).kv?.value), 'one')
      assert.equal(text((await store.range('/', { revision: two })).kvs[0]?.value), 'two')
      assert.equal((await store.range('/', { revision: deleted.revision })).kvs.length, 0)
      await assert.rejects(store.get('/a', back + 1), FutureRevision)
      await store.compact(two)
      await assert.rejects(store.get('/a', one), Compacted)
      assert.equal(text((await store.get('/a', two)).kv?.value), 'two', 'what was live at the compacted revision stays')
      await store.compact(back)
      assert.equal(text((await store.get('/a')).kv?.value), 'three')
      assert.equal(await store.compactedRevision(), back)
      await assert.rejects(store.compact(one), Compacted)
    })

    withStore('watches from now on', async (store) => {
      const start = await store.revision()
      const watch = collect(store, '/w/', start)
      const one = await put(store, '/w/a', 'one')
      await put(store, '/x', 'not mine')
      await put(store, '/w/a', 'two', one)
      await store.delete('/w/a', one + 2)
      const events = await watch.until(3)
      assert.deepEqual(
        events.map((event) => [event.type, event.revision, text(event.kv.value), text(event.previous?.value)]),
        [
          ['put', one, 'one', ''],
          ['put', one + 2, 'two', 'one'],
          ['delete', one + 3, 'two', 'two'],
        ],
      )
      assert.equal(events[2]?.kv.modRevision, one + 3)
      watch.abort()
    })

    withStore('watches from the past without a gap or a repetition while writes go on', async (store) => {
      const start = await store.revision()
      const writes: Promise<number>[] = []
      for (let i = 0; i < 100; i++) writes.push(put(store, `/w/${i}`, String(i)))
      await writes[20]
      const watch = collect(store, '/w/', start)
      for (let i = 100; i < 200; i++) writes.push(put(store, `/w/${i}`, String(i)))
      await Promise.all(writes)
      const events = await watch.until(200)
      assert.deepEqual(
        events.map((event) => event.revision),
        Array.from({ length: 200 }, (_, i) => start + 1 + i),
      )
      watch.abort()
    })

    withStore('an event comes before its write is answered or soon after, never without being readable', async (store) => {
      const watch = collect(store, '/', 1)
      await put(store, '/a', 'one')
      await watch.until(1)
      assert.equal(text((await store.get('/a')).kv?.value), 'one')
      watch.abort()
    })

    withStore('a watch from a compacted revision fails with Compacted', async (store) => {
      const one = await put(store, '/a', 'one')
      await put(store, '/a', 'two', one)
      const last = await put(store, '/b', 'x')
      await store.compact(last)
      const watch = collect(store, '/', one - 1)
      await watch.until(1)
      assert.ok(watch.failure() instanceof Compacted)
      const fine = collect(store, '/', last)
      await put(store, '/c', 'x')
      await fine.until(1)
      fine.abort()
    })

    withStore('deletes survive compaction as absence', async (store) => {
      const one = await put(store, '/a', 'one')
      await store.delete('/a', one)
      const last = await store.revision()
      await store.compact(last)
      assert.equal((await store.get('/a')).kv, undefined)
      assert.equal((await store.range('/')).kvs.length, 0)
      assert.equal(await put(store, '/a', 'again'), last + 1)
    })

    it('a closed store refuses, and ends its watches', async () => {
      const store = await open()
      const watch = collect(store, '/', 1)
      await store.close()
      await watch.until(1)
      assert.ok(watch.failure() instanceof StoreClosed)
      await assert.rejects(store.put('/a', bytes('x'), 0), StoreClosed)
      await assert.rejects(store.get('/a'), StoreClosed)
    })
  })
}
