/**
 * The Runtime contract: the verbs of the Container Runtime Interface (`runtime.v1`), in TypeScript. The kubelet
 * knows nothing else of containers. Implementations: `embedded/` (crun and conmon), `simulated/`, later `cri/`.
 * `runtime.contract.ts` is the one suite that runs over them. Sandboxes and containers outlive the process that
 * made them: `listPodSandboxes` and `listContainers` find them again after a restart (adoption).
 */
import type { Duplex, Readable, Writable } from 'node:stream'

export interface PodSandboxMetadata {
  name: string
  uid: string
  namespace: string
  attempt: number
}

export interface PortMapping {
  protocol: 'TCP' | 'UDP' | 'SCTP'
  containerPort: number
  hostPort: number
  hostIP: string
}

/** Whose namespace is used: the pod's own, the node's, the container's own, or that of another container. */
export type NamespaceMode = 'pod' | 'node' | 'container' | { target: string }

export interface PodSandboxConfig {
  metadata: PodSandboxMetadata
  hostname: string
  /** Directory for the log files of the pod's containers. */
  logDirectory: string
  dns: { servers: string[]; searches: string[]; options: string[] }
  portMappings: PortMapping[]
  labels: Record<string, string>
  annotations: Record<string, string>
  /** Path below the node's cgroup root: `/kubepods/burstable/pod<uid>`. The kubelet has made it. */
  cgroupParent: string
  network: NamespaceMode
  pid: NamespaceMode
  ipc: NamespaceMode
  sysctls: Record<string, string>
  /** What is to run its containers, by the name that a RuntimeClass gives it; absent: what usually does. */
  runtimeHandler?: string
}

export interface PodSandbox {
  id: string
  metadata: PodSandboxMetadata
  state: 'ready' | 'notReady'
  /** Milliseconds since the epoch. */
  createdAt: number
  labels: Record<string, string>
  annotations: Record<string, string>
  /** Addresses in the pod network; empty for the node's network. */
  ips: string[]
}

export interface Mount {
  containerPath: string
  /** Empty where an image is mounted. */
  hostPath: string
  /** Mounts what is in this image, or a part of it, in place of a path of the host. */
  image?: { id: string; subPath?: string }
  readonly: boolean
  propagation: 'private' | 'hostToContainer' | 'bidirectional'
}

export interface ContainerResources {
  /** Of 1024 per CPU. */
  cpuShares?: number
  /** Microseconds of each `cpuPeriod` (100000). */
  cpuQuota?: number
  cpuPeriod?: number
  /** Bytes. */
  memoryLimit?: number
  oomScoreAdj?: number
  pidsLimit?: number
}

export interface ContainerSecurity {
  privileged: boolean
  runAsUser?: number
  runAsUserName?: string
  runAsGroup?: number
  supplementalGroups: number[]
  /** Only these: not those that the image's own files give its user (KEP-3619). */
  strictGroups?: boolean
  addCapabilities: string[]
  dropCapabilities: string[]
  readonlyRootfs: boolean
  noNewPrivileges: boolean
  seccomp: { type: 'RuntimeDefault' | 'Unconfined' } | { type: 'Localhost'; path: string }
  maskedPaths?: string[]
  readonlyPaths?: string[]
  pid: NamespaceMode
}

export interface ContainerConfig {
  metadata: { name: string; attempt: number }
  /** An image reference or id that {@link Runtime.imageStatus} knows. */
  image: string
  /** As the user wrote it in the pod. */
  imageSpec: string
  command?: string[]
  args?: string[]
  workingDir?: string
  /** In order; later ones win. */
  envs: { key: string; value: string }[]
  mounts: Mount[]
  devices: { containerPath: string; hostPath: string; permissions: string }[]
  labels: Record<string, string>
  annotations: Record<string, string>
  /** File below the sandbox's log directory, in CRI log form; rotated by the runtime. */
  logPath: string
  stdin: boolean
  stdinOnce: boolean
  tty: boolean
  resources: ContainerResources
  security: ContainerSecurity
  /** Signal name; the image's, else SIGTERM. */
  stopSignal?: string
}

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown'

export interface Container {
  id: string
  sandboxId: string
  metadata: { name: string; attempt: number }
  image: string
  imageRef: string
  state: ContainerState
  createdAt: number
  labels: Record<string, string>
  annotations: Record<string, string>
}

export interface ContainerStatus extends Container {
  startedAt: number | undefined
  finishedAt: number | undefined
  exitCode: number | undefined
  /** `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`, … */
  reason: string
  message: string
  logPath: string
  /** The user the process runs as, once started. */
  user?: { uid: number; gid: number; supplementalGroups: number[] }
  resources: ContainerResources
  mounts: Mount[]
}

export interface Image {
  /** `sha256:…` of the config. */
  id: string
  repoTags: string[]
  repoDigests: string[]
  /** Bytes, compressed layers and config. */
  size: number
  /** From the image's config. */
  user: { uid?: number; username?: string }
  pinned: boolean
}

export interface RegistryAuth {
  username?: string
  password?: string
  identityToken?: string
  registryToken?: string
}

/** What a control group tells beyond sums. Fields are absent where the kernel does not count them, or sets no limit. */
export interface UsageDetails {
  cpu: {
    userNanoSeconds?: number
    systemNanoSeconds?: number
    /** Periods in which it wanted to run, those in which its quota was used up, and for how long. */
    periods?: number
    throttledPeriods?: number
    throttledNanoSeconds?: number
    shares?: number
    /** Microseconds. */
    quota?: number
    period?: number
  }
  memory: {
    cacheBytes?: number
    mappedFileBytes?: number
    maxUsageBytes?: number
    limitBytes?: number
    /** Times that the limit was reached, and that the kernel killed something because of it. */
    limitReached?: number
    oomKills?: number
  }
  /** Of the group itself, without those below it. */
  processes?: number
  threads?: number
  /** By name (`vda`). */
  devices: { device: string; readBytes: number; writtenBytes: number; reads: number; writes: number }[]
}

export interface ContainerStats {
  id: string
  name: string
  /** Milliseconds since the epoch. */
  at: number
  cpu: { usageCoreNanoSeconds: number; usageNanoCores?: number }
  memory: { usageBytes: number; workingSetBytes: number; rssBytes: number; pageFaults: number; majorPageFaults: number; swapUsageBytes?: number }
  rootfs: { usedBytes: number; inodesUsed: number }
  logs: { usedBytes: number }
  /** Where they were asked for. */
  details?: UsageDetails
}

export interface SandboxStats {
  id: string
  metadata: PodSandboxMetadata
  at: number
  cpu: { usageCoreNanoSeconds: number }
  memory: { usageBytes: number; workingSetBytes: number; rssBytes: number; swapUsageBytes?: number }
  network: { interfaces: InterfaceStats[] }
  pids: number
  containers: ContainerStats[]
  /** Where they were asked for. */
  details?: UsageDetails
}

export interface InterfaceStats {
  name: string
  rxBytes: number
  rxPackets?: number
  rxErrors: number
  rxDropped?: number
  txBytes: number
  txPackets?: number
  txErrors: number
  txDropped?: number
}

/** All that runs for the node's pods, those that have ended included: processor time never goes back. */
export interface NodeStats {
  at: number
  cpu: { usageCoreNanoSeconds: number }
  memory: { usageBytes: number; workingSetBytes: number; rssBytes: number; swapUsageBytes?: number }
  pids: number
  /** How many processes the machine can have, where `/proc/sys` says more. */
  pidMax?: number
  /** Limits on processes in the node's control group and those that it lies in, and how many run below each. */
  pidLimits?: { limit: number; used: number }[]
}

/** The caller's ends of an exec or attach session. */
export interface SessionStreams {
  stdin?: Readable
  stdout?: Writable
  stderr?: Writable
  tty: boolean
  /** New terminal sizes. */
  onResize?(listener: (size: { columns: number; rows: number }) => void): void
  signal: AbortSignal
}

export type RuntimeEvent =
  | { type: 'containerCreated' | 'containerStarted' | 'containerStopped' | 'containerDeleted'; containerId: string; sandboxId: string; at: number }
  | { type: 'sandboxStopped' | 'sandboxDeleted'; sandboxId: string; at: number }

export interface Runtime {
  version(): Promise<{ runtimeName: string; runtimeVersion: string; runtimeApiVersion: string }>
  status(): Promise<{ conditions: { type: 'RuntimeReady' | 'NetworkReady'; status: boolean; reason: string; message: string }[] }>

  runPodSandbox(config: PodSandboxConfig): Promise<string>
  /** Stops its containers with no grace. Idempotent. */
  stopPodSandbox(id: string): Promise<void>
  removePodSandbox(id: string): Promise<void>
  listPodSandboxes(): Promise<PodSandbox[]>
  podSandboxStatus(id: string): Promise<PodSandbox | undefined>

  createContainer(sandboxId: string, config: ContainerConfig, sandbox: PodSandboxConfig): Promise<string>
  startContainer(id: string): Promise<void>
  /** Sends the stop signal, and SIGKILL after `timeoutSeconds`. Resolves when it has ended. Idempotent. */
  stopContainer(id: string, timeoutSeconds: number): Promise<void>
  removeContainer(id: string): Promise<void>
  listContainers(filter?: { sandboxId?: string }): Promise<Container[]>
  containerStatus(id: string): Promise<ContainerStatus | undefined>
  updateContainerResources(id: string, resources: ContainerResources): Promise<void>
  reopenContainerLog(id: string): Promise<void>

  /** Throws {@link RuntimeError} `DeadlineExceeded` when the time is over; the command is killed. */
  execSync(id: string, command: string[], timeoutMs: number): Promise<{ exitCode: number; stdout: Uint8Array; stderr: Uint8Array }>
  exec(id: string, command: string[], streams: SessionStreams): Promise<{ exitCode: number }>
  attach(id: string, streams: SessionStreams): Promise<void>
  /** A connection to a port inside the sandbox's network. */
  portForward(sandboxId: string, port: number): Promise<Duplex>

  listImages(): Promise<Image[]>
  imageStatus(reference: string): Promise<Image | undefined>
  /** Returns the image's id. Errors carry upstream's reasons (ErrImagePull, RegistryUnavailable, InvalidImageName). */
  pullImage(
    reference: string,
    auth: RegistryAuth | undefined,
    options?: { signal?: AbortSignal; onProgress?(bytes: number, total: number): void },
  ): Promise<string>
  removeImage(reference: string): Promise<void>
  imageFsInfo(): Promise<{ mountpoint: string; usedBytes: number; inodesUsed: number; capacityBytes: number; availableBytes: number }>

  /** `details` cost the reading of some more files of each. */
  stats(options?: { details?: boolean }): Promise<SandboxStats[]>
  /** Absent: what the pods that are there use together is all that can be told. */
  nodeStats?(): Promise<NodeStats>
  /** Life-cycle events from now on; what happened before is found by listing. */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>
  close(): Promise<void>
}

export class RuntimeError extends Error {
  readonly code:
    | 'NotFound'
    | 'AlreadyExists'
    | 'InvalidArgument'
    | 'DeadlineExceeded'
    | 'FailedPrecondition'
    | 'Unavailable'
    | 'Unknown'
    | 'ErrImagePull'
    | 'InvalidImageName'
    | 'RegistryUnavailable'
    | 'ErrImageNeverPull'
    | 'CreateContainerError'
    | 'RunContainerError'
  constructor(code: RuntimeError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RuntimeError'
    this.code = code
  }
}

/**
 * Gives sandboxes their network: implemented in `network/`, used by the embedded runtime. `netnsPath` is a bound
 * network namespace (`/run/…/netns/ID`).
 */
export interface PodNetwork {
  attach(sandbox: { id: string; namespace: string; name: string; netnsPath: string; portMappings: PortMapping[] }): Promise<{ ips: string[] }>
  /** Idempotent. */
  detach(sandbox: { id: string; netnsPath: string }): Promise<void>
  /** Sandboxes that are still there; everything else it remembers is released. For adoption. */
  retain(sandboxIds: string[]): Promise<void>
}
