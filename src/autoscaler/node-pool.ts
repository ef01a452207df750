/** A NodePool: nodes that are alike, as many of them as are needed. Its rules stand in `node-pool-definition.ts`. */
import type { ResourceRef } from '../client/client.ts'
import type { StoredMeta } from '../machinery/object.ts'
import type { V1Condition, V1Taint } from '../machinery/schema/generated/types.ts'

export type NodePoolKind = 'Local' | 'Simulated' | 'External'

export interface NodeTemplate {
  /** By resource name; amounts may be written as numbers. */
  capacity?: Record<string, string | number>
  labels?: Record<string, string>
  taints?: V1Taint[]
}

/** How nodes of a simulated pool live. */
export interface SimulatedNodeLife {
  /** From the wish for a node until it registers. */
  startSeconds?: number
  /** Of a hundred nodes, how many never come up. */
  failurePercent?: number
}

export interface ExternalNodeGroup {
  /** `host:port` of the provider; that of the autoscaler's cloud config when absent. */
  address?: string
  /** The provider's name of the group; the pool's own name when absent. */
  group?: string
  /** A Secret in kube-system with `tls.crt`, `tls.key` and `ca.crt`; without it the connection is not encrypted. */
  tlsSecretName?: string
}

/** What is not said here, the autoscaler's own settings say. */
export interface ScaleDownSettings {
  disabled?: boolean
  /** A node of which more is requested stays. */
  utilizationPercent?: number
  /** So long a node is not needed before it goes. */
  unneededSeconds?: number
  /** The same for a node that is not ready. */
  unreadySeconds?: number
  /** After nodes were added anywhere, none of this pool goes for so long. */
  delayAfterAddSeconds?: number
}

export interface NodePoolSpec {
  kind: NodePoolKind
  minSize: number
  maxSize: number
  template?: NodeTemplate
  simulated?: SimulatedNodeLife
  external?: ExternalNodeGroup
  scaleDown?: ScaleDownSettings
  /** A node that is not ready after so long is given up. */
  provisionSeconds?: number
  /** Once the pool is deleted, disruption budgets of its pods hold its nodes up for so long at most. */
  drainSeconds?: number
}

export interface NodePoolStatus {
  observedGeneration?: number
  /** Nodes that are there, ready or not. */
  size?: number
  /** Nodes that there are to be. */
  targetSize?: number
  ready?: number
  conditions?: V1Condition[]
}

export interface NodePool {
  apiVersion?: string
  kind?: string
  metadata: StoredMeta
  spec: NodePoolSpec
  status?: NodePoolStatus
}

export const NodePool: ResourceRef<NodePool> = { group: 'skiff.dev', version: 'v1', kind: 'NodePool', plural: 'nodepools', namespaced: false }

/** A pool that is deleted goes when its nodes are gone. */
export const poolFinalizer = 'skiff.dev/remove-nodes'

export const defaultDrainSeconds = 600

/** On each node of a pool: the pool's name. */
export const poolLabel = 'skiff.dev/node-pool'

/** On a node that is being taken out: the pool's name. What it says still holds when the autoscaler was killed meanwhile. */
export const leavingAnnotation = 'skiff.dev/leaving-node-pool'

/** Beside it, where somebody had cordoned the node before: it stays cordoned when it is let in again. */
export const cordonedBeforeAnnotation = 'skiff.dev/cordoned-before'
