/** What is kept of an image for each of its names. */
import type { Image } from '../../runtime.ts'
import type { Descriptor, ImageConfig } from './manifest.ts'

export interface ImageRecord {
  /** `docker.io/library/postgres:15` or `…@sha256:…`. */
  name: string
  manifest: Descriptor
  /** Digest of the config: the image's id. */
  id: string
  config: ImageConfig
  /** In order, lowest first. */
  layers: ImageLayer[]
  /** Bytes of config and layers as transported. */
  size: number
  /** Milliseconds since the epoch. */
  storedAt: number
  /** What it was built from, for images of our own making. */
  recipe?: string
}

export interface ImageLayer extends Descriptor {
  diffId: string
}

/** The names of one image, as the Runtime contract shows them. */
export function asImage(records: ImageRecord[], pinned: boolean): Image | undefined {
  const [first] = records
  if (!first) return undefined
  const names = records.map((record) => record.name)
  return {
    id: first.id,
    repoTags: names.filter((name) => !name.includes('@')),
    repoDigests: names.filter((name) => name.includes('@')),
    size: first.size,
    user: userOf(first.config.config?.User),
    pinned,
  }
}

function userOf(text = ''): { uid?: number; username?: string } {
  const [user = ''] = text.split(':')
  if (user === '') return {}
  return /^\d+$/.test(user) ? { uid: Number(user) } : { username: user }
}
