/** How a node of this machine will look, before it is made: what is decided about it has to hold for the real one. */
import { statfsSync } from 'node:fs'
import { guestThresholds, leftForNode } from '../../kubelet/eviction/node-eviction.ts'
import { readThresholds } from '../../kubelet/eviction/thresholds.ts'
import { machineLabels, readMachineInfo } from '../../kubelet/node/machine-info.ts'
import { nodeAllocatable, nodeCapacity } from '../../kubelet/node/node-resources.ts'
import type { KubeletSettings } from '../../kubelet/settings.ts'
import type { LocalNodeRequest } from './local-node.ts'

export interface LocalNodesAlike {
  /** Lies on the disk whose size the node tells. */
  imagesDir: string
  labels: Record<string, string>
  kubelet: KubeletSettings | undefined
}

export function expectedLocalNode({ name, pool = 'default', labels, capacity: asked }: LocalNodeRequest, alike: LocalNodesAlike) {
  const machine = readMachineInfo()
  const { blocks, bsize } = statfsSync(alike.imagesDir)
  const capacity = nodeCapacity({ ...machine, diskBytes: blocks * bsize }, asked)
  return {
    capacity,
    allocatable: nodeAllocatable(capacity, {}, leftForNode(readThresholds({ ...guestThresholds, ...alike.kubelet?.eviction }), capacity)),
    labels: { ...machineLabels(name, machine), ...alike.labels, 'skiff.dev/node-pool': pool, ...labels },
  }
}
