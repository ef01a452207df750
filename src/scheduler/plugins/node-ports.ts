import type { Plugin } from '../framework.ts'
import type { HostPort } from '../pod-info.ts'

const collide = (a: HostPort, b: HostPort) => a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0')

/** A port of the node can be given once. */
export const nodePorts: Plugin = {
  name: 'NodePorts',
  wakenBy: ['node-added', 'pod-deleted'],
  preFilter: (pod) => (pod.hostPorts.length === 0 ? 'skip' : undefined),
  filter(pod, node) {
    for (const used of node.hostPorts()) {
      if (pod.hostPorts.some((wanted) => collide(wanted, used))) return { reason: "node(s) didn't have free ports for the requested pod ports" }
    }
    return undefined
  },
}
