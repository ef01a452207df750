/** The OCI runtime specification's `config.json`, as far as it is used. */
export interface OciMount {
  destination: string
  type?: string
  source: string
  options: string[]
}

export interface OciDevice {
  path: string
  type: 'c' | 'b'
  major: number
  minor: number
  fileMode: number
  uid: number
  gid: number
}

export interface OciDeviceRule {
  allow: boolean
  type?: 'a' | 'b' | 'c'
  major?: number
  minor?: number
  access: string
}

export interface OciProcess {
  terminal: boolean
  user: { uid: number; gid: number; additionalGids: number[]; umask?: number }
  args: string[]
  env: string[]
  cwd: string
  capabilities: { bounding: string[]; effective: string[]; permitted: string[]; inheritable: string[] }
  rlimits: { type: string; hard: number; soft: number }[]
  noNewPrivileges: boolean
  oomScoreAdj?: number
}

export interface OciResources {
  devices?: OciDeviceRule[]
  memory?: { limit?: number; swap?: number }
  cpu?: { shares?: number; quota?: number; period?: number }
  pids?: { limit: number }
  unified?: Record<string, string>
}

export interface OciNamespace {
  type: 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'cgroup'
  path?: string
}

export interface OciSeccomp {
  defaultAction: string
  defaultErrnoRet?: number
  architectures?: string[]
  syscalls?: { names: string[]; action: string; errnoRet?: number; args?: { index: number; value: number; valueTwo?: number; op: string }[] }[]
}

export interface OciSpec {
  ociVersion: string
  process: OciProcess
  root: { path: string; readonly: boolean }
  mounts: OciMount[]
  annotations: Record<string, string>
  linux: {
    namespaces: OciNamespace[]
    cgroupsPath: string
    resources: OciResources
    devices: OciDevice[]
    maskedPaths: string[]
    readonlyPaths: string[]
    seccomp?: OciSeccomp
    rootfsPropagation?: string
  }
}
