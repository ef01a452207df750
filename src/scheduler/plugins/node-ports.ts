import { hostPortsCollide } from '../../apis/core/host-ports.ts'
import type { Plugin } from '../framework.ts'

/** A port of the node can be given once. */
export const nodePorts: Plugin = {
  name: 'NodePorts',
  wakenBy: ['node-added', 'pod-deleted'],
  preFilter: (pod) => (pod.hostPorts.length === 0 ? 'skip' : undefined),
  filter(pod, node) {
    for (const used of node.hostPorts()) {
      if (pod.hostPorts.some((wanted) => hostPortsCollide(wanted, used))) return { reason: "node(s) didn't have free ports for the requested pod ports" }
    }
    return undefined
  },
}
