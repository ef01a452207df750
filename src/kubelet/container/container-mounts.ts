import { dirname, join } from 'node:path'
import type { V1Container, V1Pod, V1VolumeMount } from '../../machinery/schema/generated/types.ts'
import type { Mount } from '../../runtime/runtime.ts'
import type { Directories } from '../directories.ts'
import type { NodeFiles } from '../files/node-files.ts'
import { hostsFile, nodeHostsFile } from '../network/hosts-file.ts'
import { resolveSubPath } from '../volumes/sub-path.ts'
import type { MountedVolume } from '../volumes/volume.ts'
import { expand } from './expansion.ts'
import { configError, messageOf } from './start-error.ts'

const propagations = { HostToContainer: 'hostToContainer', Bidirectional: 'bidirectional' } as const

export interface MountSources {
  files: NodeFiles
  directories: Directories
  volumes: ReadonlyMap<string, MountedVolume>
  /** Ids of the images that are volumes, by the volume's name. */
  images: ReadonlyMap<string, string>
  environment: ReadonlyMap<string, string>
  podIPs: string[]
  clusterDomain: string
  attempt: number
}

/** Volumes, `/etc/hosts` and the termination message file. */
export async function containerMounts(pod: V1Pod, container: V1Container, sources: MountSources): Promise<Mount[]> {
  const mounts: Mount[] = []
  for (const mount of container.volumeMounts ?? []) {
    const volume = sources.volumes.get(mount.name)
    if (!volume) throw configError(`cannot find volume ${JSON.stringify(mount.name)} to mount into container ${JSON.stringify(container.name)}`)
    const image = sources.images.get(mount.name)
    mounts.push({
      containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      ...(image ? { hostPath: '', image: { id: image, ...partOf(mount, sources) } } : { hostPath: await hostPathOf(volume.path, mount, sources) }),
      readonly: (mount.readOnly ?? false) || (volume.readOnly ?? false),
      propagation: propagations[mount.mountPropagation as keyof typeof propagations] ?? 'private',
    })
  }
  const has = (path: string) => mounts.some((mount) => mount.containerPath === path)
  if (!has('/etc/hosts')) mounts.push(await hostsMount(pod, sources))
  const messagePath = container.terminationMessagePath ?? '/dev/termination-log'
  if (messagePath && !has(messagePath)) {
    const hostPath = join(sources.directories.container(pod.metadata.uid, container.name), String(sources.attempt))
    await sources.files.makeDirectory(dirname(hostPath), 0o755)
    await sources.files.touch(hostPath, 0o666)
    mounts.push({ containerPath: messagePath, hostPath, readonly: false, propagation: 'private' })
  }
  return mounts
}

type SubPath = Pick<V1VolumeMount, 'subPath' | 'subPathExpr'>

function partOf({ subPath, subPathExpr }: SubPath, { environment }: MountSources): { subPath?: string } {
  const path = subPathExpr === undefined ? subPath : expand(subPathExpr, environment)
  return path ? { subPath: path } : {}
}

async function hostPathOf(volume: string, mount: SubPath, sources: MountSources): Promise<string> {
  const { subPath: path } = partOf(mount, sources)
  const { files } = sources
  if (!path) return volume
  try {
    return await resolveSubPath(files, volume, path)
  } catch (error) {
    throw configError(`failed to prepare subPath for volumeMount: ${messageOf(error)}`)
  }
}

async function hostsMount(pod: V1Pod, { files, directories, podIPs, clusterDomain }: MountSources): Promise<Mount> {
  const hostPath = directories.hostsFile(pod.metadata.uid)
  const content = pod.spec.hostNetwork ? nodeHostsFile(pod, (await files.readFile('/etc/hosts'))?.toString() ?? '') : hostsFile(pod, podIPs, clusterDomain)
  await files.writeFile(hostPath, content, 0o644)
  return { containerPath: '/etc/hosts', hostPath, readonly: false, propagation: 'private' }
}
