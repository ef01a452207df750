/** One store, several processes: two stores over one directory, in turns that would do harm. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { realClock } from '../../../machinery/real-clock.ts'
import type { ImageRecord } from './image-record.ts'
import { openImageStore } from './image-store.ts'
import { withWorkLock } from './work-lock.ts'

describe('an image store that several processes share', () => {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-shared-store-'))
  const images = join(directory, 'images')
  const one = openImageStore(images, realClock, 'one')
  const two = openImageStore(images, realClock, 'two')
  after(() => rmSync(directory, { recursive: true, force: true }))
  const diffId = (digit: string) => `sha256:${digit.repeat(64)}`

  async function layer(digit: string): Promise<string> {
    const unpacked = one.layers.begin()
    writeFileSync(join(unpacked, 'file'), digit)
    await one.layers.commit(unpacked, { diffId: diffId(digit), bytes: 1, inodes: 1 })
    return diffId(digit)
  }
  const record = (name: string, layers: string[]): ImageRecord => ({
    name: `docker.io/library/${name}`,
    manifest: { mediaType: '', digest: diffId('e'), size: 0 },
    id: diffId('f'),
    config: {} as ImageRecord['config'],
    layers: layers.map((id) => ({ mediaType: '', digest: id, size: 1, diffId: id })),
    size: 1,
    storedAt: 0,
  })
  const container = (name: string): string => {
    const holder = join(directory, 'nodes', 'two', 'containers', name)
    mkdirSync(holder, { recursive: true })
    return holder
  }

  it("spares what another process's container was made of, for as long as the container is there", async () => {
    const used = await layer('a')
    one.references.set(record('used:1', [used]), 'w')
    const holder = container('c')
    await two.leases.pin('c', { image: diffId('f'), content: [used], holder })
    assert.deepEqual(
      one.list().map(({ pinned }) => pinned),
      [true],
    )
    one.remove('used:1')
    assert.ok(one.layers.has(used))
    // A third that starts spares it too.
    openImageStore(images, realClock, 'three').collectGarbage()
    assert.ok(existsSync(join(one.layers.path(used), 'file')))
    rmSync(holder, { recursive: true })
    one.collectGarbage()
    assert.ok(!one.layers.has(used))
    assert.deepEqual(readdirSync(join(images, 'leases')), [])
  })

  it('lets nobody rely on content while another collects', async () => {
    const doomed = await layer('b')
    const lease = await two.leases.take()
    let relied = false
    let pending: Promise<void> | undefined
    one.leases.exclusively((inUse) => {
      // Said after the collector has looked, so it must wait until the collector is through.
      pending = lease.add(doomed).then(() => {
        relied = true
      })
      assert.ok(!inUse.has(doomed))
      one.layers.remove(doomed)
    })
    assert.equal(relied, false)
    await pending
    assert.ok(!two.layers.has(doomed), 'seen after waiting, not relied on before')
    assert.equal(
      two.leases.exclusively((inUse) => assert.ok(inUse.has(doomed))),
      true,
    )
    lease.release()
  })

  it('never replaces a layer that counts: it may be mounted', async () => {
    const id = await layer('c')
    const again = two.layers.begin()
    writeFileSync(join(again, 'file'), 'other')
    await two.layers.commit(again, { diffId: id, bytes: 5, inodes: 1 })
    assert.deepEqual([existsSync(again), readdirSync(one.layers.path(id))], [false, ['file']])
  })

  it('two that name an image at the same time leave one whole record', async () => {
    await Promise.all([one, two].map(async (store) => store.references.set(record('named:1', []), store.clock.uuid())))
    assert.equal(two.find('named:1')?.id, diffId('f'))
    assert.deepEqual(readdirSync(join(images, 'references')), [`${encodeURIComponent('docker.io/library/named:1')}.json`])
  })

  it('a lock broken by another is left to that one; what an owner left when it was killed, its next start breaks', async () => {
    const path = join(images, 'locks', 'work')
    await withWorkLock(one, 'work', async () => {
      // One slept for long; two has broken its lock and works.
      writeFileSync(path, 'two\nother')
    })
    assert.ok(existsSync(path))
    openImageStore(images, realClock, 'one')
    assert.ok(existsSync(path))
    openImageStore(images, realClock, 'two')
    assert.ok(!existsSync(path))
  })
})
