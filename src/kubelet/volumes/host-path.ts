import type { V1HostPathVolumeSource } from '../../machinery/schema/generated/types.ts'
import type { NodeFiles } from '../files/node-files.ts'
import type { VolumeKind } from './volume.ts'

const expected = { File: 'file', Directory: 'directory', Socket: 'socket', CharDevice: 'characterDevice', BlockDevice: 'blockDevice' } as const
const words = { File: 'file', Directory: 'directory', Socket: 'socket file', CharDevice: 'character device', BlockDevice: 'block device' } as const

/** Checks what is at the path against the type that the volume names, and makes it where the type says so. */
export async function prepareHostPath(files: NodeFiles, { path, type = '' }: V1HostPathVolumeSource): Promise<string> {
  if (type === '') return path
  const kind = await files.kindOf(path)
  if (type === 'DirectoryOrCreate' || type === 'FileOrCreate') {
    const wanted = type === 'FileOrCreate' ? 'file' : 'directory'
    if (kind === undefined) await (wanted === 'file' ? files.touch(path, 0o644) : files.makeDirectory(path, 0o755))
    else if (kind !== wanted) throw new Error(`hostPath type check failed: ${path} is not a ${wanted}`)
    return path
  }
  if (type in expected) {
    const name = type as keyof typeof expected
    if (kind !== expected[name]) throw new Error(`hostPath type check failed: ${path} is not a ${words[name]}`)
    return path
  }
  throw new Error(`${type} is an invalid volume type`)
}

export const hostPathVolume: VolumeKind = {
  plugin: 'kubernetes.io~host-path',
  supports: (volume) => volume.hostPath !== undefined,
  async mount({ hostPath }, { files }) {
    if (!hostPath) throw new Error('no hostPath')
    return { path: await prepareHostPath(files, hostPath) }
  },
}
