import { tolerates } from '../../apis/core/toleration.ts'
import { normalizeByMax, type Plugin } from '../framework.ts'

/** Keeps pods off nodes whose taints they do not tolerate; prefers nodes with few PreferNoSchedule taints. */
export const taintToleration: Plugin = {
  name: 'TaintToleration',
  weight: 3,
  wakenBy: ['node-added', 'node-taints', 'pod-updated'],
  filter(pod, node) {
    if (node.taints.length === 0) return undefined
    const taint = node.taints.find(
      (one) => (one.effect === 'NoSchedule' || one.effect === 'NoExecute') && !pod.tolerations.some((toleration) => tolerates(toleration, one)),
    )
    if (!taint) return undefined
    return { reason: 'node(s) had untolerated taint(s)', unresolvable: true }
  },
  // The same for all where no node has such a taint.
  preScore(_pod, nodes) {
    for (const { taints } of nodes) for (const { effect } of taints) if (effect === 'PreferNoSchedule') return undefined
    return 'skip'
  },
  score(pod, node) {
    const tolerations = pod.tolerations.filter((toleration) => !toleration.effect || toleration.effect === 'PreferNoSchedule')
    return node.taints.filter((taint) => taint.effect === 'PreferNoSchedule' && !tolerations.some((toleration) => tolerates(toleration, taint))).length
  },
  normalize: (scores) => normalizeByMax(scores, true),
}
