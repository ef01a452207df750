/** Turns directories into layers, and layers into a named image. No archive is written: it is made when it is asked for. */
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { directorySize } from '../directory-size.ts'
import { Digester, digestOf } from '../images/digest.ts'
import type { ImageLayer, ImageRecord } from '../images/image-record.ts'
import type { ImageStore } from '../images/image-store.ts'
import type { Lease } from '../images/leases.ts'
import { hostPlatform, type ImageConfig, type ImageSettings, type Manifest, mediaTypes } from '../images/manifest.ts'
import { canonicalName, parseReference } from '../images/reference.ts'
import { withLayerLock } from '../images/work-lock.ts'

/** Takes over a directory of {@link LayerStore.begin}, in overlayfs's form, as a layer. */
export async function addLayer(store: ImageStore, directory: string, lease: Lease): Promise<ImageLayer> {
  const digester = new Digester()
  await pipeline(
    store.layers.archive(directory),
    digester,
    new Writable({
      write(_chunk, _encoding, done) {
        done()
      },
    }),
  )
  const diffId = digester.digest()
  await lease.add(diffId)
  const size = await directorySize(directory)
  await withLayerLock(store, diffId, () => store.layers.commit(directory, { diffId, ...size }))
  // An uncompressed archive's digest is its diff id.
  return { mediaType: mediaTypes.layer, digest: diffId, diffId, size: digester.bytes }
}

export interface Assembly {
  name: string
  layers: ImageLayer[]
  /** What made each layer. */
  history: string[]
  settings: ImageSettings
  /** Key of the recipe, by which the same build is found again. */
  recipe?: string
}

export async function assembleImage(store: ImageStore, assembly: Assembly, lease: Lease): Promise<ImageRecord> {
  const created = new Date(store.clock.now()).toISOString()
  const config: ImageConfig = {
    created,
    ...hostPlatform(),
    config: assembly.settings,
    rootfs: { type: 'layers', diff_ids: assembly.layers.map((layer) => layer.diffId) },
    history: assembly.history.map((created_by) => ({ created, created_by })),
  }
  const configText = JSON.stringify(config)
  const id = digestOf(configText)
  await lease.add(id)
  await store.blobs.put(configText)
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: id, size: Buffer.byteLength(configText) },
    layers: assembly.layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  }
  const manifestText = JSON.stringify(manifest)
  const digest = digestOf(manifestText)
  await lease.add(digest)
  await store.blobs.put(manifestText)
  const record: ImageRecord = {
    name: canonicalName(parseReference(assembly.name)),
    manifest: { mediaType: mediaTypes.manifest, digest, size: Buffer.byteLength(manifestText) },
    id,
    config,
    layers: assembly.layers,
    size: assembly.layers.reduce((sum, layer) => sum + layer.size, Buffer.byteLength(configText)),
    storedAt: store.clock.now(),
    ...(assembly.recipe ? { recipe: assembly.recipe } : {}),
  }
  store.references.set(record, store.clock.uuid())
  return record
}
