import { join } from 'node:path'
import type { NodeFiles } from '../files/node-files.ts'
import type { VolumeContext } from './volume.ts'

/** What the group is added of a volume's files and directories: files that are made later in a directory belong to its group. */
const bits = {
  write: { file: 0o660, directory: 0o2770 },
  read: { file: 0o440, directory: 0o2550 },
} as const

/** Gives a volume to the pod's `fsGroup`: all below it belongs to the group and may be written by it. */
export async function giveToGroup({ pod, files }: VolumeContext, path: string): Promise<void> {
  const group = pod.spec.securityContext?.fsGroup
  if (group !== undefined && files.keeps) await giveTree(files, path, group, 'write')
}

export async function giveTree(files: NodeFiles, path: string, group: number, access: keyof typeof bits): Promise<void> {
  const isLink = (await files.readLink(path).catch(() => undefined)) !== undefined
  await files.setGroup(path, group)
  if (isLink) return
  const isDirectory = (await files.kindOf(path)) === 'directory'
  await files.addMode(path, bits[access][isDirectory ? 'directory' : 'file'])
  if (isDirectory) for (const name of await files.list(path)) await giveTree(files, join(path, name), group, access)
}
