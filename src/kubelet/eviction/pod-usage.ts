/** What a pod uses of what the node can run short of. */
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import type { SandboxStats } from '../../runtime/runtime.ts'

export interface DiskUsage {
  bytes: number
  inodes: number
}

export interface PodUsage {
  memoryBytes: number
  processes: number
  containers: { name: string; memoryBytes: number; rootfs: DiskUsage; logBytes: number }[]
  /** Directories on the node's disk that go with the pod, by volume. */
  volumes: ReadonlyMap<string, DiskUsage>
}

export function podUsage(stats: SandboxStats | undefined, volumes: ReadonlyMap<string, DiskUsage>): PodUsage | undefined {
  if (!stats) return undefined
  return {
    memoryBytes: stats.memory.workingSetBytes,
    processes: stats.pids,
    containers: stats.containers.map(({ name, memory, rootfs, logs }) => ({
      name,
      memoryBytes: memory.workingSetBytes,
      rootfs: { bytes: rootfs.usedBytes, inodes: rootfs.inodesUsed },
      logBytes: logs.usedBytes,
    })),
    volumes,
  }
}

/** Writable layers, logs and directories together. */
export function diskUsage({ containers, volumes }: PodUsage): DiskUsage {
  const total = { bytes: 0, inodes: 0 }
  for (const { rootfs, logBytes } of containers) {
    total.bytes += rootfs.bytes + logBytes
    total.inodes += rootfs.inodes
  }
  for (const { bytes, inodes } of volumes.values()) {
    total.bytes += bytes
    total.inodes += inodes
  }
  return total
}

/** Directories whose space counts as the pod's own: those in memory are counted there. */
export const diskDirectories = (pod: V1Pod) =>
  (pod.spec.volumes ?? []).flatMap(({ name, emptyDir }) => (emptyDir && emptyDir.medium !== 'Memory' ? [{ name, emptyDir }] : []))
