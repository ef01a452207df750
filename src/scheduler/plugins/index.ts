/** The plugins of the default profile, in the order in which filters run: the cheap and the decisive first. */
import type { Plugin } from '../framework.ts'
import { balancedAllocation } from './balanced-allocation.ts'
import { dynamicResources } from './dynamic-resources.ts'
import { imageLocality } from './image-locality.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { nodeResourcesFit } from './node-resources-fit.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import { podTopologySpread } from './pod-topology-spread.ts'
import { taintToleration } from './taint-toleration.ts'
import { type VolumeBindingSources, volumeBinding } from './volume-binding.ts'
import { volumeRestrictions } from './volume-restrictions.ts'

export function defaultPlugins(sources: VolumeBindingSources): Plugin[] {
  return [
    nodeUnschedulable,
    nodeName,
    taintToleration,
    nodeAffinity,
    nodePorts,
    nodeResourcesFit,
    volumeRestrictions(sources.claims),
    volumeBinding(sources),
    dynamicResources,
    podTopologySpread,
    interPodAffinity,
    balancedAllocation,
    imageLocality,
  ]
}
