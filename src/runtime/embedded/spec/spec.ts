/** Puts `config.json` together. */
import type { ContainerConfig, Mount, NamespaceMode } from '../../runtime.ts'
import type { CgroupVersion } from '../cgroups/hierarchy.ts'
import type { ImageSettings } from '../images/manifest.ts'
import { devicesOf } from './devices.ts'
import type { HostLimits } from './host-limits.ts'
import { protectedPaths } from './masked-paths.ts'
import { mountsOf, rootfsPropagation, type SandboxFiles } from './mounts.ts'
import { namespacesOf, type SandboxNamespaces } from './namespaces.ts'
import type { OciSpec } from './oci.ts'
import { processOf } from './process.ts'
import { resourcesOf } from './resources.ts'
import { seccompOf } from './seccomp.ts'
import type { ProcessUser } from './user.ts'

export interface SpecInput {
  config: ContainerConfig
  image: ImageSettings
  user: ProcessUser
  /** The user's directory, told where neither the image nor the pod tells another. */
  home: string
  hostname: string
  rootfs: string
  cgroupsPath: string
  namespaces: SandboxNamespaces
  pidPath(of: 'pod' | { target: string }): string
  files: SandboxFiles
  imageVolumes: Mount[]
  cgroups: CgroupVersion
  host: HostLimits
}

export function specOf(input: SpecInput): { spec: OciSpec; notices: string[] } {
  const { config } = input
  const { security } = config
  const { process, notices } = processOf(config, input)
  const { devices, rules } = devicesOf(config)
  const seccomp = seccompOf(security, process.capabilities.bounding, input.host)
  const propagation = rootfsPropagation(config.mounts)
  const pid: NamespaceMode = security.pid
  const spec: OciSpec = {
    ociVersion: '1.0.2',
    process,
    root: { path: input.rootfs, readonly: security.readonlyRootfs },
    mounts: mountsOf({ mounts: config.mounts, privileged: security.privileged, readonlyRootfs: security.readonlyRootfs }, input.files, input.imageVolumes),
    annotations: {},
    linux: {
      namespaces: namespacesOf(input.namespaces, pid, input.cgroups.version, input.pidPath),
      cgroupsPath: input.cgroupsPath,
      resources: resourcesOf(config.resources, input.cgroups, rules),
      devices,
      ...protectedPaths(security),
      ...(seccomp ? { seccomp } : {}),
      ...(propagation ? { rootfsPropagation: propagation } : {}),
    },
  }
  return { spec, notices }
}
