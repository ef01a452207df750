/** Loads images from archives: what `docker save` writes, and OCI image layouts in a tar file; compressed or not. */
import { createReadStream, createWriteStream, mkdirSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { Digester, digestOf } from '../digest.ts'
import type { ImageRecord } from '../image-record.ts'
import type { ImageStore } from '../image-store.ts'
import type { Lease } from '../leases.ts'
import { choosePlatform, compressionOf, type Descriptor, hostPlatform, type Index, isIndex, type Manifest, mediaTypes } from '../manifest.ts'
import { readManifest } from '../read-document.ts'
import { canonicalName, parseReference } from '../reference.ts'
import { storeImage } from '../store-image.ts'
import { readTar } from '../tar/read.ts'

interface DockerManifest {
  Config: string
  RepoTags: string[] | null
  Layers: string[]
}

/**
 * `names` replaces the names in an archive of one image. Returns all images of the archive. Throws when it holds none
 * for this machine, and names the file when it is none.
 */
export async function loadImages(path: string, store: ImageStore, names: string[] = []): Promise<ImageRecord[]> {
  const lease = await store.leases.take()
  const directory = join(store.directory, `loading-${lease.id}`)
  mkdirSync(directory)
  try {
    const files = await unpack(path, directory)
    const read = async <T>(name: string): Promise<T | undefined> => {
      const file = files.get(name)
      return file === undefined ? undefined : (JSON.parse(await readFile(file, 'utf8')) as T)
    }
    const index = await read<Index>('index.json')
    const docker = await read<DockerManifest[]>('manifest.json')
    if (!index && !docker) throw new Error('it has neither index.json nor manifest.json')
    const loaded = index ? await loadLayout(store, lease, files, index, docker ?? [], names) : await loadDocker(store, lease, files, docker ?? [], names)
    if (loaded.length > 0) return loaded
    const { os, architecture } = hostPlatform()
    throw new Error(`it holds no image for ${os}/${architecture}`)
  } catch (error) {
    throw new Error(`${path} cannot be loaded: ${error instanceof Error ? error.message : error}`, { cause: error })
  } finally {
    rmSync(directory, { recursive: true, force: true })
    lease.release()
    store.collectGarbage()
  }
}

/** Name in the archive → file. Links inside the archive are followed; names are never used as paths. */
async function unpack(path: string, directory: string): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  const links = new Map<string, string>()
  let count = 0
  for await (const { entry, body } of readTar(await decompressed(path))) {
    const name = entry.name.replace(/^(\.\/)+/, '')
    if (entry.type === 'file') {
      const file = join(directory, String(count++))
      await pipeline(body(), createWriteStream(file))
      files.set(name, file)
    } else if (entry.type === 'symlink') links.set(name, new URL(entry.linkName, `file:///${name}`).pathname.slice(1))
    else if (entry.type === 'link') links.set(name, entry.linkName.replace(/^(\.\/)+/, ''))
  }
  for (const [name, target] of links) {
    const file = files.get(target)
    if (file) files.set(name, file)
  }
  return files
}

async function decompressed(path: string): Promise<AsyncIterable<Uint8Array>> {
  const start = createReadStream(path, { end: 3 })
  let first = Buffer.alloc(0)
  for await (const chunk of start) first = Buffer.concat([first, chunk])
  const source = createReadStream(path, { highWaterMark: 1 << 20 })
  const kind = compressionOf(first)
  if (kind === 'none') return source
  // Errors of the file reach the reader through the decompressor.
  const out = kind === 'gzip' ? createGunzip() : createZstdDecompress()
  source.once('error', (error) => out.destroy(error))
  return source.pipe(out)
}

async function loadLayout(
  store: ImageStore,
  lease: Lease,
  files: Map<string, string>,
  index: Index,
  docker: DockerManifest[],
  names: string[],
): Promise<ImageRecord[]> {
  const fileOf = (digest: string) => files.get(`blobs/${digest.replace(':', '/')}`)
  const fetch = async ({ digest }: Descriptor) => {
    const file = fileOf(digest)
    if (!store.blobs.has(digest)) await keep(store, file, digest)
  }
  const records: ImageRecord[] = []
  for (const one of index.manifests) {
    const found = await manifestOf(one, fileOf)
    if (!found) continue
    await fetch(found.descriptor)
    const tags = docker.filter(({ Config }) => Config.endsWith(found.manifest.config.digest.slice(7))).flatMap(({ RepoTags }) => RepoTags ?? [])
    const said = [one.annotations?.['io.containerd.image.name'] ?? one.annotations?.['org.opencontainers.image.ref.name']].flatMap((name) => name ?? [])
    const all = namesFor(names, tags.length > 0 ? tags : said, one.digest)
    records.push(await storeImage({ store, lease, names: all, ...found, fetch }))
  }
  return records
}

/** Undefined for manifests of other platforms and of things that are no images. */
async function manifestOf(
  descriptor: Descriptor,
  fileOf: (digest: string) => string | undefined,
): Promise<{ descriptor: Descriptor; manifest: Manifest } | undefined> {
  const file = fileOf(descriptor.digest)
  if (!file) return undefined
  const document = readManifest(await readFile(file))
  if (!isIndex(document)) return { descriptor, manifest: document }
  const chosen = choosePlatform(document)
  return chosen && manifestOf(chosen, fileOf)
}

/** Docker's older form has no manifest: one is written for it. */
async function loadDocker(store: ImageStore, lease: Lease, files: Map<string, string>, images: DockerManifest[], names: string[]): Promise<ImageRecord[]> {
  const records: ImageRecord[] = []
  for (const image of images) {
    const blobs = new Map<string, string>()
    const describe = async (name: string, mediaType: string): Promise<Descriptor> => {
      const file = files.get(name)
      if (!file) throw new Error(`the archive lacks ${name}`)
      const digester = new Digester()
      digester.resume()
      await pipeline(createReadStream(file), digester)
      const digest = digester.digest()
      blobs.set(digest, file)
      return { mediaType, digest, size: digester.bytes }
    }
    const config = await describe(image.Config, mediaTypes.config)
    const layers: Descriptor[] = []
    for (const layer of image.Layers) layers.push(await describe(layer, mediaTypes.layer))
    const manifest: Manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers }
    const content = JSON.stringify(manifest)
    const descriptor: Descriptor = { mediaType: mediaTypes.manifest, digest: digestOf(content), size: Buffer.byteLength(content) }
    await lease.add(descriptor.digest)
    await store.blobs.put(content)
    const fetch = async ({ digest }: Descriptor) => {
      if (!store.blobs.has(digest)) await keep(store, blobs.get(digest), digest)
    }
    records.push(await storeImage({ store, lease, names: namesFor(names, image.RepoTags ?? [], descriptor.digest), descriptor, manifest, fetch }))
  }
  return records
}

function namesFor(wanted: string[], found: string[], digest: string): string[] {
  const all = wanted.length > 0 ? wanted : found
  // An image without a name can be used by its id: it is kept under a name of its own.
  return all.length > 0 ? all.map((name) => canonicalName(parseReference(name))) : [`docker.io/library/loaded@${digest}`]
}

async function keep(store: ImageStore, file: string | undefined, digest: string): Promise<void> {
  if (!file) throw new Error(`the archive lacks ${digest}`)
  const digester = new Digester()
  const partial = `${store.blobs.partialPath(digest)}-${store.clock.uuid()}`
  await pipeline(Readable.from(createReadStream(file)), digester, createWriteStream(partial))
  const found = digester.digest()
  if (found !== digest) throw new Error(`the archive is damaged: unexpected digest ${found}, expected ${digest}`)
  await store.blobs.adopt(partial, digest)
}
