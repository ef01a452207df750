/** A further node of this machine: what was asked for, what was chosen for it, and how it stands. */
import type { V1Taint } from '../../machinery/schema/generated/types.ts'

export interface LocalNodeRequest {
  /** A DNS label: it names the node, its directory and its cgroup. */
  name: string
  /** The NodePool it belongs to; `default` when absent. */
  pool?: string
  labels?: Record<string, string>
  taints?: V1Taint[]
  /** `cpu`, `memory`, …; what it leaves out is the machine's. */
  capacity?: Record<string, string>
}

/** Kept in `nodes/NAME/node.json` of the data directory: it comes again with the cluster's next start. */
export interface LocalNodeRecord extends LocalNodeRequest {
  /** Says which block of pods and which address are its own. */
  index: number
  /** As it was last asked for. */
  wanted: 'running' | 'stopped'
}

export interface LocalNodeState {
  name: string
  pool: string
  address: string
  podCIDR: string
  providerID: string
  state: 'running' | 'stopped'
  /** False after a partition: its link is cut, its processes go on. */
  connected: boolean
  /** Its first process, in the numbering of the cluster. */
  pid: number | undefined
}

export const localProviderID = (name: string): string => `skiff://local/${name}`
