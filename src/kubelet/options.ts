import type { EventRecorder } from '../client/event-recorder.ts'
import type { V1NodeAddress, V1Taint } from '../machinery/schema/generated/types.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Cgroups } from './cgroups/cgroups.ts'
import type { NodeFiles } from './files/node-files.ts'
import type { MachineInfo } from './node/machine-info.ts'
import type { NetworkProbes } from './probes/probe.ts'
import type { KubeletServerOptions } from './server/kubelet-server.ts'

export interface KubeletOptions {
  nodeName: string
  runtime: Runtime
  addresses: V1NodeAddress[]
  /** For pods' volumes and logs. */
  rootDirectory: string
  clusterDNS: string[]
  clusterDomain: string
  /** What the node has; measured when absent. `pods` is 110 when absent. */
  capacity?: Record<string, string>
  /** Kept back from pods: capacity less this is allocatable. */
  reserved?: Record<string, string>
  /** The node object's, when this kubelet creates it. */
  podCIDR?: string
  labels?: Record<string, string>
  taints?: V1Taint[]
  providerID?: string
  machine?: MachineInfo
  /** None when absent. */
  cgroups?: Cgroups
  /** Real ones when absent; `noFiles` for simulated nodes. */
  files?: NodeFiles
  /** Probes over the network that the kubelet stands in, when absent. */
  probes?: NetworkProbes
  /** Tokens and secrets are kept in a file system in memory, mounted below the root directory. */
  secretsInMemory?: boolean
  /** The node's resolver configuration, for `dnsPolicy: Default`. */
  resolverConfigPath?: string
  server?: KubeletServerOptions
  /** Made by the kubelet when absent. */
  recorder?: EventRecorder
  parallelPulls?: number
  /** How often the runtime is listed, in case an event was lost. */
  relistSeconds?: number
  nodeStatusSeconds?: number
  imageCollection?: { highPercent: number; lowPercent: number; everySeconds: number }
}
