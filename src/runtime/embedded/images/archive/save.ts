/** Saves images as an OCI image layout in a tar file that `docker load` reads too. */
import { createWriteStream, renameSync, rmSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Digester } from '../digest.ts'
import type { ImageLayer, ImageRecord } from '../image-record.ts'
import type { ImageStore } from '../image-store.ts'
import { type Index, mediaTypes } from '../manifest.ts'
import { familiarName } from '../reference.ts'
import { endOfArchive, padding, plainFile, tarHeader } from '../tar/write.ts'

/** The file is there whole or not at all. */
export async function saveImages(references: string[], path: string, store: ImageStore): Promise<void> {
  const lease = await store.leases.take()
  const temporary = `${path}.new`
  try {
    const images = references.map((reference) => {
      const image = store.find(reference)
      if (!image) throw new Error(`no such image: ${reference}`)
      return image
    })
    await lease.add(...images.flatMap((image) => [image.manifest.digest, image.id, ...image.layers.flatMap((layer) => [layer.digest, layer.diffId])]))
    await pipeline(Readable.from(archive(images, store), { objectMode: false }), createWriteStream(temporary))
    renameSync(temporary, path)
  } finally {
    rmSync(temporary, { force: true })
    lease.release()
  }
}

async function* archive(images: ImageRecord[], store: ImageStore): AsyncGenerator<Buffer> {
  const small = function* (name: string, content: Buffer): Generator<Buffer> {
    yield tarHeader(plainFile(name, content.length))
    yield content
    yield padding(content.length)
  }
  const blobName = (digest: string) => `blobs/${digest.replace(':', '/')}`
  const index: Index = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: images.map(({ manifest, name }) => ({
      ...manifest,
      annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name },
    })),
  }
  const docker = images.map(({ id, name, layers }) => ({
    Config: blobName(id),
    RepoTags: name.includes('@') ? [] : [familiarName(name)],
    Layers: layers.map((layer) => blobName(layer.digest)),
  }))
  yield* small('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'))
  yield* small('index.json', Buffer.from(JSON.stringify(index)))
  yield* small('manifest.json', Buffer.from(JSON.stringify(docker)))
  const written = new Set<string>()
  for (const image of images) {
    for (const digest of [image.manifest.digest, image.id]) {
      if (!written.has(digest)) yield* small(blobName(digest), store.blobs.read(digest))
      written.add(digest)
    }
    for (const layer of image.layers) {
      if (written.has(layer.digest)) continue
      written.add(layer.digest)
      yield tarHeader(plainFile(blobName(layer.digest), layer.size))
      yield* contentOf(layer, store)
      yield padding(layer.size)
    }
  }
  yield endOfArchive()
}

/** A layer of our own making has no blob: its archive is made now, and must be what its digest says. */
async function* contentOf(layer: ImageLayer, store: ImageStore): AsyncGenerator<Buffer> {
  if (store.blobs.has(layer.digest)) return yield* store.blobs.stream(layer.digest)
  if (layer.digest !== layer.diffId) throw new Error(`the compressed layer ${layer.digest} is not in the store: pull the image again`)
  const digester = new Digester()
  yield* store.layers.archive(store.layers.path(layer.diffId)).pipe(digester)
  const found = digester.digest()
  if (found !== layer.digest) throw new Error(`layer ${layer.digest} was changed since it was made: its content is ${found}`)
}
