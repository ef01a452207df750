/**
 * Images on disk: contents, unpacked layers, names. Used by the runtime and by `skiff image`, also at the same
 * time. Pulling, loading, building and saving are functions over it, in files of their own.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../../machinery/clock.ts'
import { realClock } from '../../../machinery/real-clock.ts'
import type { Image } from '../../runtime.ts'
import { namesIn } from '../json-file.ts'
import { BlobStore } from './blob-store.ts'
import { isDigest } from './digest.ts'
import { asImage, type ImageRecord } from './image-record.ts'
import { LayerStore } from './layer-store.ts'
import { Leases } from './leases.ts'
import { canonicalName, parseReference } from './reference.ts'
import { ReferenceIndex } from './reference-index.ts'
import type { LayerSize } from './tar/layer-to-overlay.ts'
import { breakLocksOf } from './work-lock.ts'

/** Broken downloads are kept this long to be taken up again, and work that was never finished. */
const keepUnfinished = 3_600_000

export interface ImageStore {
  readonly directory: string
  readonly clock: Clock
  /** Whoever opened it, when there is one such at a time. */
  readonly owner?: string
  readonly blobs: BlobStore
  readonly layers: LayerStore
  readonly leases: Leases
  readonly references: ReferenceIndex
  /** By name, `sha256:…` or the hexadecimal part of an id (twelve digits or more). */
  find(reference: string): ImageRecord | undefined
  /** One that a container of whichever process was made of is pinned; {@link status} does not look. */
  list(): Image[]
  status(reference: string): Image | undefined
  /** Removes one name, or by id all names of an image; what nobody uses any more goes with it. */
  remove(reference: string): void
  /** Space of blobs and layers. */
  usage(): LayerSize
  /** Removes content that no name, work or container uses. */
  collectGarbage(): void
}

/** What an earlier `owner` was at when it was killed is free for this one. */
export function openImageStore(directory: string, clock: Clock = realClock, owner?: string): ImageStore {
  if (owner) breakLocksOf(directory, owner)
  const blobs = new BlobStore(directory, clock)
  const layers = new LayerStore(directory)
  const leases = new Leases(directory, clock)
  const references = new ReferenceIndex(directory)

  const byId = (text: string): ImageRecord[] => {
    const hex = text.replace(/^sha256:/, '')
    if (!/^[a-f0-9]{12,64}$/.test(hex)) return []
    return references.list().filter((record) => record.id.startsWith(`sha256:${hex}`))
  }
  const find = (reference: string): ImageRecord | undefined => {
    const [same] = byId(reference)
    if (same || isDigest(reference)) return same
    return references.get(canonicalName(parseReference(reference)))
  }
  const namesOf = (id: string) => references.list().filter((record) => record.id === id)
  const collectGarbage = () => {
    leases.exclusively((inUse, goesOn) => {
      for (const record of references.list()) {
        for (const one of [
          record.manifest.digest,
          record.id,
          record.name.slice(record.name.indexOf('@') + 1),
          ...record.layers.flatMap((layer) => [layer.digest, layer.diffId]),
        ])
          inUse.add(one)
      }
      for (const digest of blobs.list()) if (!inUse.has(digest)) blobs.remove(digest)
      for (const { diffId } of layers.list()) {
        if (inUse.has(diffId)) continue
        layers.remove(diffId)
        goesOn()
      }
      blobs.removePartial(inUse, keepUnfinished)
      layers.removeUnfinished(keepUnfinished)
      references.removeUnfinished(keepUnfinished)
      for (const name of namesIn(directory)) {
        const [, lease] = /^loading-(.*)$/.exec(name) ?? []
        if (lease !== undefined && !leases.lasts(lease)) rmSync(join(directory, name), { recursive: true, force: true })
      }
    })
  }
  return {
    directory,
    clock,
    ...(owner ? { owner } : {}),
    blobs,
    layers,
    leases,
    references,
    find,
    collectGarbage,
    usage() {
      const digests = blobs.list()
      const marks = layers.list()
      const bytes = digests.reduce((sum, digest) => sum + (blobs.size(digest) ?? 0), 0) + marks.reduce((sum, mark) => sum + mark.bytes, 0)
      return { bytes, inodes: digests.length + marks.reduce((sum, mark) => sum + mark.inodes, 0) }
    },
    status(reference) {
      const record = find(reference)
      return record && asImage(namesOf(record.id), false)
    },
    list() {
      const all = Map.groupBy(references.list(), (record) => record.id)
      const pinned = leases.pinnedImages()
      return [...all].flatMap(([id, records]) => asImage(records, pinned.has(id)) ?? [])
    },
    remove(reference) {
      const names = byId(reference)
      if (names.length > 0) for (const { name } of names) references.remove(name)
      else if (!isDigest(reference)) references.remove(canonicalName(parseReference(reference)))
      collectGarbage()
    },
  }
}
