import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { RuntimeError } from '../../../runtime.ts'
import { digestOf } from '../digest.ts'
import { openImageStore } from '../image-store.ts'
import { hostPlatform, mediaTypes } from '../manifest.ts'
import { cuttingProxy, Pusher, startRegistry, type TestRegistry, tarOf, tokenRegistry } from '../testing/registry.ts'
import { pullImage } from './pull.ts'

const skip = process.getuid?.() !== 0 ? 'needs root' : spawnSync('docker-registry', ['--version']).error ? 'needs docker-registry' : false

const small = tarOf([
  { name: 'etc/', type: 'directory', mode: 0o755 },
  { name: 'etc/motd', content: 'hello', uid: 7, gid: 8, mode: 0o4755 },
  { name: 'etc/link', type: 'link', linkName: 'etc/motd' },
])
const upper = tarOf([{ name: 'etc/', type: 'directory', mode: 0o755 }, { name: 'etc/.wh.motd' }, { name: 'etc/new', content: 'new' }])
const large = tarOf([{ name: 'noise', content: randomBytes(1_500_000).toString('latin1') }])

describe('pulling from a registry', { skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-pull-'))
  let registry: TestRegistry
  let stores = 0
  const newStore = () => openImageStore(join(directory, `store-${stores++}`))
  const errImagePull = (pattern: RegExp) => (error: unknown) => error instanceof RuntimeError && error.code === 'ErrImagePull' && pattern.test(error.message)

  before(async () => {
    registry = await startRegistry(join(directory, 'registry'))
    await new Pusher(registry.address, 'team/app').image(
      '1',
      [
        { tar: small, compression: 'gzip' },
        { tar: upper, compression: 'zstd' },
      ],
      { config: { User: 'app', Cmd: ['run'] } },
    )
    await new Pusher(registry.address, 'large').image('latest', [{ tar: large, compression: 'none' }])
  })
  after(async () => {
    await registry.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  it('unpacks gzip and zstd layers into overlay form and knows the image by name, digest and id', async () => {
    const store = newStore()
    const seen: [number, number][] = []
    const record = await pullImage(`${registry.address}/team/app:1`, { store, onProgress: (bytes, total) => seen.push([bytes, total]) })
    const image = store.status(`${registry.address}/team/app:1`)
    assert.deepEqual(image?.repoTags, [`${registry.address}/team/app:1`])
    assert.deepEqual(image?.repoDigests, [`${registry.address}/team/app@${record.manifest.digest}`])
    assert.deepEqual(image?.user, { username: 'app' })
    assert.equal(store.status(record.id)?.id, record.id)
    assert.equal(store.status(`${registry.address}/team/app@${record.manifest.digest}`)?.id, record.id)
    const last = seen.at(-1)
    assert.equal(last?.[0], last?.[1])
    const [lower = '', top = ''] = record.layers.map((layer) => store.layers.path(layer.diffId))
    const file = lstatSync(join(lower, 'etc/motd'))
    assert.deepEqual([file.uid, file.gid, file.mode & 0o7777, file.nlink], [7, 8, 0o4755, 2])
    assert.equal(lstatSync(join(top, 'etc/motd')).isCharacterDevice(), true)
    assert.equal(readFileSync(join(top, 'etc/new'), 'utf8'), 'new')
  })

  it('fetches shared layers once, and removing one image keeps what the other needs', async () => {
    const store = newStore()
    await new Pusher(registry.address, 'other').image('2', [{ tar: small, compression: 'gzip' }])
    const first = await pullImage(`${registry.address}/team/app:1`, { store })
    await pullImage(`${registry.address}/other:2`, { store })
    assert.equal(store.layers.list().length, 2)
    store.remove(first.id)
    assert.deepEqual(
      store.layers.list().map((mark) => mark.diffId),
      [digestOf(small)],
    )
    store.remove(`${registry.address}/other:2`)
    store.remove(`${registry.address}/other@${store.list()[0]?.repoDigests[0]?.split('@')[1]}`)
    assert.deepEqual([store.layers.list(), store.blobs.list(), store.list()], [[], [], []])
  })

  it('chooses the manifest of this platform out of an index', async () => {
    const pusher = new Pusher(registry.address, 'many')
    const ours = await pusher.image('ours', [{ tar: small, compression: 'gzip' }])
    const theirs = await pusher.image('theirs', [{ tar: upper, compression: 'gzip' }])
    const index = await pusher.document(
      '1',
      {
        schemaVersion: 2,
        mediaType: mediaTypes.index,
        manifests: [
          { ...theirs, platform: { os: 'linux', architecture: 's390x' } },
          { ...ours, platform: hostPlatform() },
        ],
      },
      mediaTypes.index,
    )
    const store = newStore()
    const record = await pullImage(`${registry.address}/many:1`, { store })
    assert.equal(record.manifest.digest, ours.digest)
    assert.deepEqual(store.status(record.id)?.repoDigests, [`${registry.address}/many@${index.digest}`])
    assert.equal((await pullImage(`${registry.address}/many@${index.digest}`, { store })).id, record.id)
    await pusher.document(
      '2',
      { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [{ ...theirs, platform: { os: 'linux', architecture: 's390x' } }] },
      mediaTypes.index,
    )
    await assert.rejects(pullImage(`${registry.address}/many:2`, { store }), errImagePull(/no match for platform in manifest/))
  })

  it('goes on where a connection broke, also in the next process', async () => {
    const proxy = await cuttingProxy(registry.address, 3, 600_000)
    const store = newStore()
    const record = await pullImage(`${proxy.address}/large`, { store })
    assert.equal(record.layers[0]?.diffId, digestOf(large))
    assert.ok(proxy.connections() >= 3)

    const next = newStore()
    writeFileSync(next.blobs.partialPath(digestOf(large)), large.subarray(0, 1_000_000))
    let least = Number.POSITIVE_INFINITY
    await pullImage(`${proxy.address}/large`, { store: next, onProgress: (bytes) => (least = bytes > 10_000 ? Math.min(least, bytes) : least) })
    assert.ok(least > 1_000_000, `began at ${least}`)
    await proxy.stop()
  })

  it('leaves nothing that counts when it dies', async () => {
    const proxy = await cuttingProxy(registry.address, 1000, 300_000)
    const store = newStore()
    const controller = new AbortController()
    const dying = pullImage(`${proxy.address}/large`, {
      store,
      signal: controller.signal,
      onProgress: (bytes) => bytes > 100_000 && controller.abort(new Error('enough')),
    })
    await assert.rejects(dying, /enough/)
    assert.deepEqual([store.list(), store.layers.list()], [[], []])
    assert.deepEqual(
      readdirSync(store.layers.directory).filter((name) => !name.startsWith('new-')),
      [],
    )
    await proxy.stop()
  })

  it('refuses content that is not what its digest says', async () => {
    const pusher = new Pusher(registry.address, 'wrong')
    await pusher.image('1', [{ tar: upper, compression: 'gzip' }], { rootfs: { type: 'layers', diff_ids: [digestOf('something else')] } })
    const store = newStore()
    await assert.rejects(pullImage(`${registry.address}/wrong:1`, { store }), errImagePull(/wrong diff id calculated on extraction/))
    const digest = `sha256:${'0'.repeat(64)}`
    writeFileSync(store.blobs.partialPath(digestOf(large)), Buffer.alloc(large.length))
    await assert.rejects(pullImage(`${registry.address}/large`, { store }), errImagePull(/unexpected commit digest/))
    await pullImage(`${registry.address}/large`, { store })
    await assert.rejects(pullImage(`${registry.address}/large@${digest}`, { store }), errImagePull(/not found/))
    assert.equal(store.list().length, 1)
  })

  it('says what is missing in the words that users know', async () => {
    const store = newStore()
    const proxy = await cuttingProxy(registry.address, 0, 0)
    const closed = proxy.address
    await proxy.stop()
    await assert.rejects(
      pullImage(`${registry.address}/nothing:1`, { store }),
      errImagePull(/^failed to pull and unpack image "[^"]+\/nothing:1": failed to resolve reference "[^"]+": .*nothing:1: not found$/),
    )
    await assert.rejects(pullImage(`${closed}/x`, { store }), errImagePull(/failed to do request: .*ECONNREFUSED/))
    await assert.rejects(pullImage('Not a name', { store }), (error) => error instanceof RuntimeError && error.code === 'InvalidImageName')
  })

  it('asks a mirror first, and the registry when the mirror does not have it', async () => {
    const proxy = await cuttingProxy(registry.address, 0, 0)
    const registries = { mirrors: { 'images.invalid': [`http://${proxy.address}`] } }
    const record = await pullImage('images.invalid/team/app:1', { store: newStore(), registries })
    assert.equal(record.name, 'images.invalid/team/app:1')
    const fallback = { mirrors: { [registry.address]: [`http://${registry.address}/nowhere`] } }
    await pullImage(`${registry.address}/team/app:1`, { store: newStore(), registries: fallback })
    await proxy.stop()
  })

  it('logs in where it must', async () => {
    const locked = await startRegistry(join(directory, 'locked'), true)
    try {
      await new Pusher(locked.address, 'secret', true).image('1', [{ tar: small, compression: 'gzip' }])
      const store = newStore()
      const name = `${locked.address}/secret:1`
      await assert.rejects(pullImage(name, { store }), errImagePull(/pull access denied/))
      await assert.rejects(pullImage(name, { store, auth: { username: 'u', password: 'no' } }), errImagePull(/pull access denied/))
      await pullImage(name, { store, auth: { username: 'u', password: 'pw' } })
    } finally {
      await locked.stop()
    }
  })

  it('fetches a token where the registry says so', async () => {
    const guarded = await tokenRegistry(registry.address)
    const name = `${guarded.address}/team/app:1`
    await assert.rejects(pullImage(name, { store: newStore() }), errImagePull(/pull access denied.*unauthorized: authentication required/))
    await pullImage(name, { store: newStore(), auth: { username: 'u', password: 'pw' } })
    assert.deepEqual(new Set(guarded.scopes), new Set(['repository:team/app:pull']))
    assert.equal(guarded.scopes.length, 2)
    await pullImage(name, { store: newStore(), auth: { registryToken: 'good' } })
    await guarded.stop()
  })

  /** A registry that answers as it likes. */
  async function answering<T>(answer: (request: IncomingMessage, response: ServerResponse) => unknown, work: (address: string) => Promise<T>): Promise<T> {
    const server = createServer(answer)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      return await work(`127.0.0.1:${(server.address() as AddressInfo).port}`)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }

  it('gives up a registry that says nothing, at once or in the middle, and needs no second attempt for that', { timeout: 20_000 }, async () => {
    const blob = Buffer.alloc(1000)
    const descriptor = { mediaType: mediaTypes.config, digest: digestOf(blob), size: blob.length }
    const asked: string[] = []
    const silent = (answer: (request: IncomingMessage, response: ServerResponse) => unknown) =>
      answering(
        (request, response) => {
          asked.push(request.url ?? '')
          answer(request, response)
        },
        (address) => pullImage(`${address}/silent:1`, { store: newStore(), longestSilenceMs: 300 }),
      )
    const nothingCame = errImagePull(/^failed to pull and unpack image "[^"]+\/silent:1": .*nothing came from the registry for 0\.3 seconds$/)
    await assert.rejects(
      silent(() => {}),
      nothingCame,
    )
    assert.equal(asked.length, 1)
    const middle = silent(({ url = '' }, response) => {
      if (url.includes('/manifests/')) response.end(JSON.stringify({ schemaVersion: 2, config: descriptor, layers: [] }))
      else response.writeHead(200, { 'content-length': blob.length }).write(blob.subarray(500))
    })
    await assert.rejects(middle, nothingCame)
    assert.equal(asked.length, 3)
  })

  it('tells a place of tokens that is out of order from a refusal, and asks it again', async () => {
    const withTokens = (answer: (response: ServerResponse, attempt: number) => unknown) => {
      let attempt = 0
      return answering(
        ({ url = '', headers: { authorization, host } }, response) => {
          if (url.startsWith('/token')) return answer(response, attempt++)
          if (authorization === 'Bearer good') return response.writeHead(404).end()
          return response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token",service="test"` }).end()
        },
        (address) => pullImage(`${address}/guarded:1`, { store: newStore() }),
      )
    }
    const good = JSON.stringify({ token: 'good' })
    const notFound = errImagePull(/guarded:1: not found$/)
    await assert.rejects(
      withTokens((response, attempt) => (attempt < 2 ? response.writeHead(500).end() : response.end(good))),
      notFound,
    )
    await assert.rejects(
      withTokens((response, attempt) => (attempt < 2 ? response.destroy() : response.end(good))),
      notFound,
    )
    await assert.rejects(
      withTokens((response) => response.end('<html>')),
      errImagePull(/failed to authorize: failed to fetch anonymous token: the answer of http:\S+\/token holds none$/),
    )
    await assert.rejects(
      withTokens((response) => response.writeHead(503).end()),
      (error) =>
        error instanceof RuntimeError &&
        error.code === 'RegistryUnavailable' &&
        /failed to fetch anonymous token: unexpected status from GET request to http:\S+: 503$/.test(error.message),
    )
    await assert.rejects(
      withTokens((response) => response.writeHead(403).end()),
      errImagePull(/pull access denied/),
    )
  })

  it('says what is wrong with documents that are none, and takes no path for a digest', async () => {
    const digest = `sha256:${'0'.repeat(64)}`
    const outside = join(directory, 'outside')
    const config = Buffer.from(JSON.stringify({ rootfs: { type: 'layers', diff_ids: [`../../../../../../..${outside}`] } }))
    const described = { mediaType: mediaTypes.config, digest: digestOf(config), size: config.length }
    const wrong: [unknown, RegExp][] = [
      ['<html>', /: the manifest is not JSON: /],
      ['null', /: the manifest is not a JSON object$/],
      [{ layers: [] }, /: unexpected media type: neither a manifest nor an index of version 2$/],
      [{ config: {}, layers: [] }, /: the manifest names content by what is no digest$/],
      [{ config: { digest, size: 1 }, layers: [{ digest: `sha256:../../..${outside}`, size: 1 }] }, /: the manifest names content by what is no digest$/],
      [{ config: { digest }, layers: [] }, /: the manifest tells no size of sha256:0+$/],
      [{ manifests: [{ platform: hostPlatform() }] }, /: the manifest names content by what is no digest$/],
      [{ config: described, layers: [{ digest, size: 1 }] }, /: the image's config names layers by what is no digest$/],
    ]
    for (const [manifest, expected] of wrong)
      await answering(
        ({ url = '' }, response) => response.end(url.includes('/blobs/') ? config : typeof manifest === 'string' ? manifest : JSON.stringify(manifest)),
        (address) => assert.rejects(pullImage(`${address}/wrong:1`, { store: newStore() }), errImagePull(expected)),
      )
  })

  it('two pulls of one image at once are one', async () => {
    const store = newStore()
    const [one, two] = await Promise.all([pullImage(`${registry.address}/large`, { store }), pullImage(`${registry.address}/large`, { store })])
    assert.equal(one.id, two.id)
  })
})
