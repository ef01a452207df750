import { chmod, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { VolumeDirectories } from '../controllers/local-directory-provisioner.ts'

/** Directories below the data directory, reachable from every node of this machine. */
export function localVolumes(root: string): VolumeDirectories {
  // The name comes from the API: it must not lead anywhere else.
  const pathOf = (volume: string) => {
    if (!/^[a-z0-9][a-z0-9.-]*$/.test(volume)) throw new Error(`'${volume}' cannot be the name of a volume's directory`)
    return join(root, volume)
  }
  return {
    async make(volume) {
      const path = pathOf(volume)
      // Any user of a container may write, as with the directories of other local provisioners.
      const made = await mkdir(path, { recursive: true })
      // The mode must not depend on the umask of who started us.
      if (made !== undefined) await chmod(path, 0o777)
      return { path }
    },
    remove: (volume) => rm(pathOf(volume), { recursive: true, force: true }),
  }
}
