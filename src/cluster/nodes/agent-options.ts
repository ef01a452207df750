/** What the process of a node is told, in the file that its environment variable `SKIFF_AGENT` names. Keys lie in files of their own. */
import type { KubeletSettings } from '../../kubelet/settings.ts'
import type { V1Taint } from '../../machinery/schema/generated/types.ts'
import type { NodeLease } from '../node-lease.ts'

export interface AgentOptions {
  nodeName: string
  /** The node's own, on the link of all nodes. */
  address: string
  podCIDR: string
  /** How the API server is reached from inside the node: `https://10.89.0.1:6443`. */
  server: string
  /** Everything that the node keeps; its credentials in `pki/`. */
  dataDir: string
  /** Images may be those of the whole machine. */
  imagesDir: string
  cgroupRoot: string
  providerID: string
  labels: Record<string, string>
  taints: V1Taint[]
  capacity: Record<string, string>
  /** The machine's. */
  pidMax: number
  /** Of its kubelet, where not as usual. */
  kubelet?: KubeletSettings
  /** The kubelet's own when absent. */
  lease?: NodeLease
  /** False: another Service proxy serves the node. */
  proxy: boolean
  /** Of a machine that joined: how it reaches the nodes of other machines. */
  overlay?: { machineAddress: string; peers: string[] }
  /** Whether it has a way out of its own; absent: by way of the first node. */
  egress?: 'on' | 'off'
}
