import { tolerates } from '../../apis/core/toleration.ts'
import type { Plugin } from '../framework.ts'

/** Passes over cordoned nodes, unless the pod tolerates `node.kubernetes.io/unschedulable`. */
export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  wakenBy: ['node-added', 'node-taints'],
  filter(pod, node) {
    if (!node.isUnschedulable) return undefined
    const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }
    if (pod.tolerations.some((toleration) => tolerates(toleration, taint))) return undefined
    return { reason: 'node(s) were unschedulable', unresolvable: true }
  },
}
