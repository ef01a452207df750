import type { EventRecorder } from '../client/event-recorder.ts'
import type { Informer } from '../client/informer.ts'
import type { V1Node, V1NodeAddress, V1Pod, V1Service, V1Taint } from '../machinery/schema/generated/types.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Cgroups } from './cgroups/cgroups.ts'
import type { EvictionOptions } from './eviction/node-eviction.ts'
import type { NodeFiles } from './files/node-files.ts'
import type { ImageCollectionSettings } from './images/image-collector.ts'
import type { MachineInfo } from './node/machine-info.ts'
import type { NetworkProbes } from './probes/probe.ts'
import type { WatchedObjects } from './referenced-objects.ts'
import type { KubeletServerOptions, LentServerOptions } from './server/kubelet-server.ts'

/** Where the kubelet reads what the API has for its node. */
export interface KubeletSources {
  /** Those that are bound to the node. */
  pods: Informer<V1Pod>
  services: Informer<V1Service>
  /** The node's own object is in it. */
  nodes: Informer<V1Node>
}

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
  /** Informers of its own when absent. */
  sources?: KubeletSources
  /** What pods refer to, watched by another; the kubelet's own when absent. */
  objects?: WatchedObjects
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
  /** In its place one whose connections are handed to {@link Kubelet.accept}. */
  lentServer?: LentServerOptions
  /** Made by the kubelet when absent. */
  recorder?: EventRecorder
  parallelPulls?: number
  /** How often the runtime is listed, in case an event was lost. */
  relistSeconds?: number
  /** How often a pod is looked at to which nothing has happened; 60 when absent. */
  resyncSeconds?: number
  /** A pod's status waits so long before it is written, and what comes meanwhile goes with it; 0 when absent. */
  statusSettleMs?: number
  /** How often it is looked for what pods that are gone have left; 60 when absent. */
  upkeepSeconds?: number
  /** How often it is looked whether the node's status has changed; 10 when absent. */
  nodeLookSeconds?: number
  /** The heartbeat; 40 and 10 when absent, as upstream. */
  lease?: { durationSeconds: number; renewSeconds: number }
  nodeStatusSeconds?: number
  /** Upstream's thresholds when absent; none without real files. */
  eviction?: EvictionOptions
  imageCollection?: ImageCollectionSettings
}
