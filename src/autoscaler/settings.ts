/** How the autoscaler decides where a pool does not say otherwise. Names and defaults as cluster-autoscaler's flags. */
import type { NodePool, ScaleDownSettings } from './node-pool.ts'

export interface AutoscalerSettings {
  scanIntervalMs: number
  /** Several pods that become unschedulable in so short a time are one decision. */
  gatherMs: number
  /** The same where less is needed than before: nothing waits for it. */
  gatherLessMs: number
  expanders: readonly ExpanderName[]
  /** Pools whose nodes are alike, but for where they are, grow in turn. */
  balanceSimilarNodeGroups: boolean
  /** Labels that may differ between nodes that are alike, beside those of places. */
  balancingIgnoreLabels: readonly string[]
  maxNodesTotal: number
  /** Cores and bytes of the whole cluster; absent: no limit. */
  maxCores?: number
  maxMemoryBytes?: number
  maxNodesPerScaleUp: number
  /** Less important pods are not reason enough for a node, and do not keep one. */
  expendablePodsPriorityCutoff: number
  scaleDownEnabled: boolean
  scaleDownUtilizationThreshold: number
  scaleDownUnneededMs: number
  scaleDownUnreadyMs: number
  scaleDownDelayAfterAddMs: number
  scaleDownDelayAfterDeleteMs: number
  scaleDownDelayAfterFailureMs: number
  maxNodeProvisionMs: number
  maxScaleDownParallelism: number
  maxDrainParallelism: number
  maxGracefulTerminationSeconds: number
  maxPodEvictionMs: number
  evictionRetryMs: number
  skipNodesWithSystemPods: boolean
  skipNodesWithLocalStorage: boolean
  /** Where more nodes are not ready, by number and by share of all, nothing is decided: something else is wrong. */
  okTotalUnreadyCount: number
  maxTotalUnreadyPercentage: number
  initialBackoffMs: number
  maxBackoffMs: number
  backoffResetMs: number
}

export type ExpanderName = 'random' | 'least-waste' | 'priority'

const minute = 60_000

export const defaultSettings: AutoscalerSettings = {
  scanIntervalMs: 10_000,
  gatherMs: 200,
  gatherLessMs: 1000,
  expanders: ['least-waste'],
  balanceSimilarNodeGroups: false,
  balancingIgnoreLabels: [],
  maxNodesTotal: 0,
  maxNodesPerScaleUp: 1000,
  expendablePodsPriorityCutoff: -10,
  scaleDownEnabled: true,
  scaleDownUtilizationThreshold: 0.5,
  scaleDownUnneededMs: 10 * minute,
  scaleDownUnreadyMs: 20 * minute,
  scaleDownDelayAfterAddMs: 10 * minute,
  scaleDownDelayAfterDeleteMs: 0,
  scaleDownDelayAfterFailureMs: 3 * minute,
  maxNodeProvisionMs: 15 * minute,
  maxScaleDownParallelism: 10,
  maxDrainParallelism: 1,
  maxGracefulTerminationSeconds: 600,
  maxPodEvictionMs: 2 * minute,
  evictionRetryMs: 10_000,
  skipNodesWithSystemPods: true,
  skipNodesWithLocalStorage: true,
  okTotalUnreadyCount: 3,
  maxTotalUnreadyPercentage: 45,
  initialBackoffMs: 5 * minute,
  maxBackoffMs: 30 * minute,
  backoffResetMs: 180 * minute,
}

/** What holds for one pool. */
export interface PoolSettings {
  scaleDownEnabled: boolean
  utilizationThreshold: number
  unneededMs: number
  unreadyMs: number
  delayAfterAddMs: number
  provisionMs: number
}

export function poolSettings(pool: NodePool, provider: ScaleDownSettings & { provisionSeconds?: number }, settings: AutoscalerSettings): PoolSettings {
  const said = { ...provider, ...pool.spec.scaleDown, provisionSeconds: pool.spec.provisionSeconds ?? provider.provisionSeconds }
  const ms = (seconds: number | undefined, otherwise: number) => (seconds === undefined ? otherwise : seconds * 1000)
  return {
    scaleDownEnabled: settings.scaleDownEnabled && said.disabled !== true,
    utilizationThreshold: said.utilizationPercent === undefined ? settings.scaleDownUtilizationThreshold : said.utilizationPercent / 100,
    unneededMs: ms(said.unneededSeconds, settings.scaleDownUnneededMs),
    unreadyMs: ms(said.unreadySeconds, settings.scaleDownUnreadyMs),
    delayAfterAddMs: ms(said.delayAfterAddSeconds, settings.scaleDownDelayAfterAddMs),
    provisionMs: ms(said.provisionSeconds, settings.maxNodeProvisionMs),
  }
}
