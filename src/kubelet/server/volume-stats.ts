/** How full a pod's volumes are. */
import { statfs } from 'node:fs/promises'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import type { DirectoryUsage } from '../eviction/directory-usage.ts'
import type { PodServices } from '../pod/pod-services.ts'

export interface FileSystemStats {
  availableBytes: number
  capacityBytes: number
  usedBytes: number
  inodes: number
  inodesFree: number
  inodesUsed: number
}

export interface VolumeStats extends FileSystemStats {
  name: string
  pvcRef?: { name: string; namespace: string }
}

/** Undefined where nothing is mounted. */
export async function fileSystemStats(path: string): Promise<FileSystemStats | undefined> {
  try {
    const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path)
    return {
      availableBytes: bavail * bsize,
      capacityBytes: blocks * bsize,
      usedBytes: (blocks - bfree) * bsize,
      inodes: files,
      inodesFree: ffree,
      inodesUsed: files - ffree,
    }
  } catch {
    return undefined
  }
}

export async function volumeStats(pod: V1Pod, { volumes }: Pick<PodServices, 'volumes'>, usage: DirectoryUsage): Promise<VolumeStats[]> {
  const { uid, namespace } = pod.metadata
  const found: VolumeStats[] = []
  const walked = await usage.of(pod)
  for (const { name, emptyDir, persistentVolumeClaim } of pod.spec.volumes ?? []) {
    const path = emptyDir || persistentVolumeClaim ? volumes.pathOf(uid, name) : undefined
    const stats = path === undefined ? undefined : await fileSystemStats(path)
    if (!stats) continue
    // A directory on the node's disk: what is in it is its own, the room is everybody's.
    const own = walked.get(name)
    const pvcRef = persistentVolumeClaim && { name: persistentVolumeClaim.claimName, namespace }
    found.push({ name, ...stats, ...(own ? { usedBytes: own.bytes, inodesUsed: own.inodes } : {}), ...(pvcRef ? { pvcRef } : {}) })
  }
  return found
}
