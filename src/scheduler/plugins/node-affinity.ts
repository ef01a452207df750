import { matchesNodeLabels, matchesNodeSelector, matchesNodeSelectorTerm } from '../../apis/core/node-selector.ts'
import { normalizeByMax, type Plugin } from '../framework.ts'

/** `nodeSelector` and node affinity: required terms filter, preferred terms add their weights. */
export const nodeAffinity: Plugin = {
  name: 'NodeAffinity',
  weight: 2,
  wakenBy: ['node-added', 'node-labels', 'pod-updated'],
  preFilter: (pod) => (pod.nodeSelector || pod.requiredNodeAffinity ? undefined : 'skip'),
  filter(pod, node) {
    const fits = matchesNodeLabels(pod.nodeSelector, node) && (!pod.requiredNodeAffinity || matchesNodeSelector(pod.requiredNodeAffinity, node))
    return fits ? undefined : { reason: "node(s) didn't match Pod's node affinity/selector", unresolvable: true }
  },
  preScore: (pod) => (pod.pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.length ? undefined : 'skip'),
  score(pod, node) {
    const preferred = pod.pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    return preferred.reduce((sum, { weight, preference }) => sum + (matchesNodeSelectorTerm(preference, node) ? weight : 0), 0)
  },
  normalize: (scores) => normalizeByMax(scores),
}
