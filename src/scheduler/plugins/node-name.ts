import type { Plugin } from '../framework.ts'

/** A pod that names its node fits there alone. */
export const nodeName: Plugin = {
  name: 'NodeName',
  wakenBy: ['node-added'],
  preFilter: (pod) => (pod.pod.spec.nodeName ? undefined : 'skip'),
  filter(pod, node) {
    const wanted = pod.pod.spec.nodeName
    return wanted && wanted !== node.name ? { reason: "node(s) didn't match the requested node name", unresolvable: true } : undefined
  },
}
