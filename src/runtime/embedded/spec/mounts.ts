/** What a container sees besides its image: kernel file systems, the pod's files, volumes. */
import type { Mount } from '../../runtime.ts'
import type { OciMount } from './oci.ts'

export interface SandboxFiles {
  shm: string
  resolvConf: string
  hostname: string
}

const propagation = { private: 'rprivate', hostToContainer: 'rslave', bidirectional: 'rshared' } as const

export function mountsOf(wish: { mounts: Mount[]; privileged: boolean; readonlyRootfs: boolean }, files: SandboxFiles, imageVolumes: Mount[]): OciMount[] {
  const kernel: OciMount[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
    { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', wish.privileged ? 'rw' : 'ro'] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'nodev', 'relatime', wish.privileged ? 'rw' : 'ro'] },
  ]
  const bind = (destination: string, source: string, readonly: boolean, options: string[] = []): OciMount => ({
    destination,
    type: 'bind',
    source,
    options: ['rbind', ...options, readonly ? 'ro' : 'rw'],
  })
  const taken = new Set(wish.mounts.map((mount) => clean(mount.containerPath)))
  const own = [
    bind('/dev/shm', files.shm, false, ['rprivate', 'nosuid', 'nodev', 'noexec']),
    bind('/etc/resolv.conf', files.resolvConf, wish.readonlyRootfs, ['rprivate']),
    bind('/etc/hostname', files.hostname, wish.readonlyRootfs, ['rprivate']),
  ].filter((mount) => !taken.has(mount.destination))
  const volumes = [...imageVolumes, ...wish.mounts].map((mount) =>
    // What an image holds is data here: nothing of it is run.
    bind(clean(mount.containerPath), mount.hostPath, mount.readonly, [propagation[mount.propagation], ...(mount.image ? ['nosuid', 'nodev', 'noexec'] : [])]),
  )
  // A mount below another one must come after it.
  const depth = (mount: OciMount) => mount.destination.split('/').length
  volumes.sort((a, b) => depth(a) - depth(b))
  return [...kernel.filter((mount) => !taken.has(mount.destination)), ...own, ...volumes]
}

export const clean = (path: string): string =>
  `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`

/** A mount that passes its own mounts back needs a root that lets them through. */
export function rootfsPropagation(mounts: Mount[]): string | undefined {
  if (mounts.some((mount) => mount.propagation === 'bidirectional')) return 'rshared'
  return mounts.some((mount) => mount.propagation === 'hostToContainer') ? 'rslave' : undefined
}
