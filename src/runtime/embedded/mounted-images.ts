/** Images that a container sees as volumes: each is mounted for it alone, and is only read (KEP-4639). */
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Mount, RuntimeError } from '../runtime.ts'
import type { RuntimeContext } from './context.ts'
import type { ImageRecord } from './images/image-record.ts'
import { isMissing } from './json-file.ts'
import { mountOverlay } from './overlay.ts'
import { pathInRoot } from './spec/rootfs-path.ts'

export const layersOf = (image: ImageRecord): string[] => image.layers.map((layer) => layer.diffId)

export function mountedImages({ images }: RuntimeContext, mounts: readonly Mount[]): ImageRecord[] {
  return mounts.flatMap(({ image }) => {
    if (!image) return []
    const found = images.find(image.id)
    if (!found) throw new RuntimeError('NotFound', `image "${image.id}" not found`)
    return [found]
  })
}

/** The mounts, those of images with the place where they stand now. Their content is pinned. */
export async function mountImages(context: RuntimeContext, containerId: string, mounts: readonly Mount[]): Promise<Mount[]> {
  const { images, paths, run } = context
  return Promise.all(
    mounts.map(async (mount, index) => {
      const [image] = mountedImages(context, [mount])
      if (!image) return mount
      const root = join(paths.mountedImages(containerId), String(index))
      await mountOverlay(images.layers, layersOf(image), join(paths.containerData(containerId), 'images', String(index)), root, run)
      const hostPath = pathInRoot(root, mount.image?.subPath ?? '')
      if (!lstatSync(hostPath, { throwIfNoEntry: false }))
        throw new RuntimeError('NotFound', `image volume has no sub path ${JSON.stringify(mount.image?.subPath)}`)
      return { ...mount, hostPath }
    }),
  )
}

/** Idempotent. */
export async function unmountImages({ paths, run }: RuntimeContext, containerId: string): Promise<void> {
  const root = paths.mountedImages(containerId)
  try {
    await Promise.all(readdirSync(root).map((name) => run('umount', ['-l', join(root, name)])))
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}
