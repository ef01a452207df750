/** Directories that an image declares as volumes: each container gets its own, with what the image has there. */
import { lstatSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Mount } from '../runtime.ts'
import { command } from './command.ts'
import type { ImageSettings } from './images/manifest.ts'
import { clean } from './spec/mounts.ts'
import { pathInRoot } from './spec/rootfs-path.ts'

/** Only those that the pod mounts nothing over. */
export async function imageVolumes(image: ImageSettings, mounts: Mount[], rootfs: string, data: string): Promise<Mount[]> {
  const taken = new Set(mounts.map((mount) => clean(mount.containerPath)))
  const wanted = Object.keys(image.Volumes ?? {})
    .map(clean)
    .filter((path) => !taken.has(path))
  return Promise.all(
    wanted.map(async (containerPath, index): Promise<Mount> => {
      const hostPath = join(data, 'volumes', String(index))
      const source = pathInRoot(rootfs, containerPath)
      if (lstatSync(source, { throwIfNoEntry: false })?.isDirectory()) {
        mkdirSync(join(data, 'volumes'), { recursive: true })
        await command('cp', ['-a', '--no-target-directory', source, hostPath])
      } else mkdirSync(hostPath, { recursive: true })
      return { containerPath, hostPath, readonly: false, propagation: 'private' }
    }),
  )
}
