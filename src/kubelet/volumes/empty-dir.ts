import { toWhole } from '../../machinery/quantity.ts'
import { giveToGroup } from './group-ownership.ts'
import type { VolumeKind } from './volume.ts'

/** A directory that lives as long as the pod: on the node's disk, or in memory with its limit. */
export const emptyDirVolume: VolumeKind = {
  plugin: 'kubernetes.io~empty-dir',
  supports: (volume) => volume.emptyDir !== undefined,
  async mount({ emptyDir = {} }, context) {
    const path = context.directory(this.plugin)
    await context.files.makeDirectory(path, 0o777)
    if (emptyDir.medium === 'Memory')
      await context.files.mountTmpfs(path, { mode: 0o777, ...(emptyDir.sizeLimit === undefined ? {} : { sizeBytes: toWhole(emptyDir.sizeLimit) }) })
    await giveToGroup(context, path)
    return { path }
  },
}
