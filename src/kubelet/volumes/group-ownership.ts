import { join } from 'node:path'
import type { VolumeContext } from './volume.ts'

/** Gives a volume to the pod's `fsGroup`: all below it belongs to the group and may be written by it. */
export async function giveToGroup({ pod, files }: VolumeContext, path: string): Promise<void> {
  const group = pod.spec.securityContext?.fsGroup
  if (group === undefined || !files.keeps) return
  const walk = async (at: string): Promise<void> => {
    const isLink = (await files.readLink(at).catch(() => undefined)) !== undefined
    await files.setGroup(at, group)
    if (isLink) return
    if ((await files.kindOf(at)) === 'directory') {
      await files.addMode(at, 0o2770)
      for (const name of await files.list(at)) await walk(join(at, name))
    } else await files.addMode(at, 0o660)
  }
  await walk(path)
}
