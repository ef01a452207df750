/** Node selectors: which nodes a pod, a volume or a DaemonSet asks for. Decided in the same way by all who ask. */
import type { V1Node, V1NodeSelector, V1NodeSelectorRequirement, V1NodeSelectorTerm, V1PodSpec } from '../../machinery/schema/generated/types.ts'

/** What a selector looks at. */
export interface SelectableNode {
  name: string
  labels: Readonly<Record<string, string>>
}

export const selectableNode = ({ metadata }: Pick<V1Node, 'metadata'>): SelectableNode => ({ name: metadata.name, labels: metadata.labels ?? {} })

function matchesRequirement({ operator, values = [] }: V1NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
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
      // Whole numbers alone can be compared; anything else fits nothing.
      const [have, bound] = [Number(value), Number(values[0])]
      if (value === undefined || !Number.isInteger(have) || !Number.isInteger(bound)) return false
      return operator === 'Gt' ? have > bound : have < bound
    }
    default:
      return false
  }
}

export function matchesNodeSelectorTerm({ matchExpressions = [], matchFields = [] }: V1NodeSelectorTerm, { name, labels }: SelectableNode): boolean {
  // A term that says nothing matches nothing.
  if (matchExpressions.length === 0 && matchFields.length === 0) return false
  return (
    matchExpressions.every((requirement) => matchesRequirement(requirement, labels[requirement.key])) &&
    matchFields.every((requirement) => matchesRequirement(requirement, requirement.key === 'metadata.name' ? name : undefined))
  )
}

/** Whether any term of a node selector fits the node. */
export function matchesNodeSelector(selector: V1NodeSelector, node: SelectableNode): boolean {
  return selector.nodeSelectorTerms.some((term) => matchesNodeSelectorTerm(term, node))
}

export function matchesNodeLabels(wanted: Readonly<Record<string, string>> | undefined, node: SelectableNode): boolean {
  for (const key in wanted) if (node.labels[key] !== wanted[key]) return false
  return true
}

/** The pod's `nodeSelector` and required node affinity. */
export function podFitsNode(spec: Pick<V1PodSpec, 'nodeSelector' | 'affinity'>, node: SelectableNode): boolean {
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return matchesNodeLabels(spec.nodeSelector, node) && (!required || matchesNodeSelector(required, node))
}
