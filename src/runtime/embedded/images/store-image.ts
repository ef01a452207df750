/** From a manifest whose contents are at hand, or are fetched one by one, to an image that containers can be made of. */
import { RuntimeError } from '../../runtime.ts'
import type { ImageLayer, ImageRecord } from './image-record.ts'
import type { ImageStore } from './image-store.ts'
import type { Lease } from './leases.ts'
import { compressionOf, type Descriptor, type Manifest } from './manifest.ts'
import { readConfig } from './read-document.ts'
import { withLayerLock } from './work-lock.ts'

const atOnce = 4

export interface StoreImageOptions {
  store: ImageStore
  lease: Lease
  names: string[]
  descriptor: Descriptor
  manifest: Manifest
  /** Resolves when the blob is in the store. */
  fetch(blob: Descriptor): Promise<void>
  signal?: AbortSignal
}

export async function storeImage(options: StoreImageOptions): Promise<ImageRecord> {
  const { store, lease, manifest, descriptor } = options
  await lease.add(descriptor.digest, manifest.config.digest)
  await options.fetch(manifest.config)
  const config = readConfig(store.blobs.read(manifest.config.digest))
  const diffIds = config.rootfs.diff_ids
  if (diffIds.length !== manifest.layers.length) throw new RuntimeError('ErrImagePull', 'mismatched image rootfs and manifest layers')
  const layers = manifest.layers.map(({ mediaType, digest, size }, index): ImageLayer => ({ mediaType, digest, size, diffId: diffIds[index] ?? '' }))
  await lease.add(...layers.flatMap((layer) => [layer.digest, layer.diffId]))
  await inParallel(layers, (layer) => unpackLayer(options, layer))
  const size = layers.reduce((sum, layer) => sum + layer.size, manifest.config.size)
  const record = { manifest: descriptor, id: manifest.config.digest, config, layers, size, storedAt: store.clock.now() }
  const records = options.names.map((name): ImageRecord => ({ name, ...record }))
  for (const one of records) store.references.set(one, store.clock.uuid())
  return records[0] ?? { name: '', ...record }
}

function unpackLayer(options: StoreImageOptions, layer: ImageLayer): Promise<void> {
  const { store, signal } = options
  return withLayerLock(store, layer.diffId, async () => {
    if (store.layers.has(layer.diffId)) return
    await options.fetch(layer)
    const start = Buffer.alloc(4)
    for await (const chunk of store.blobs.stream(layer.digest)) {
      Buffer.from(chunk).copy(start)
      break
    }
    await store.layers.unpack(layer.diffId, store.blobs.stream(layer.digest), compressionOf(start), signal)
  })
}

/** A few at once: a slow connection and a slow disk do not wait for each other. Nothing goes on in the back when one has failed. */
async function inParallel<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  let failed = false
  const workers = Array.from({ length: Math.min(items.length, atOnce) }, async () => {
    for (const item of queue) {
      if (failed) return
      try {
        await work(item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  })
  const settled = await Promise.allSettled(workers)
  for (const one of settled) if (one.status === 'rejected') throw one.reason
}
