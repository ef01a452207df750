import type { V1NodeSelector, V1NodeSelectorRequirement, V1NodeSelectorTerm } from '../../machinery/schema/generated/types.ts'
import { normalizeByMax, type Plugin } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'

function matchesRequirement(requirement: V1NodeSelectorRequirement, value: string | undefined): boolean {
  const values = requirement.values ?? []
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
    case 'Lt': {
      const [have, bound] = [Number(value), Number(values[0])]
      if (value === undefined || !Number.isInteger(have) || !Number.isInteger(bound)) return false
      return requirement.operator === 'Gt' ? have > bound : have < bound
    }
    default:
      return false
  }
}

function matchesTerm(term: V1NodeSelectorTerm, labels: Record<string, string>, name: string): boolean {
  const { matchExpressions = [], matchFields = [] } = term
  // A term that says nothing matches nothing.
  if (matchExpressions.length === 0 && matchFields.length === 0) return false
  return (
    matchExpressions.every((requirement) => matchesRequirement(requirement, labels[requirement.key])) &&
    matchFields.every((requirement) => matchesRequirement(requirement, requirement.key === 'metadata.name' ? name : undefined))
  )
}

/** Whether any term of a node selector fits the node. */
export function matchesNodeSelector(selector: V1NodeSelector, node: { labels: Record<string, string>; name: string }): boolean {
  return selector.nodeSelectorTerms.some((term) => matchesTerm(term, node.labels, node.name))
}

export function matchesNodeLabels(wanted: Record<string, string> | undefined, node: NodeInfo): boolean {
  for (const key in wanted) if (node.labels[key] !== wanted[key]) return false
  return true
}

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
    return preferred.reduce((sum, { weight, preference }) => sum + (matchesTerm(preference, node.labels, node.name) ? weight : 0), 0)
  },
  normalize: (scores) => normalizeByMax(scores),
}
