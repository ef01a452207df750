/** Whether a pod of a DaemonSet belongs on a node, by what it asks of nodes and tolerates of them. */
import type { V1Node, V1NodeSelectorRequirement, V1NodeSelectorTerm, V1PodSpec, V1Taint, V1Toleration } from '../machinery/schema/generated/types.ts'
import { equalityMatches } from './label-match.ts'

export function tolerates({ key, operator = 'Equal', value = '', effect }: V1Toleration, taint: V1Taint): boolean {
  if (effect && effect !== taint.effect) return false
  if (!key) return operator === 'Exists'
  return key === taint.key && (operator === 'Exists' || value === (taint.value ?? ''))
}

/** `run`: a pod is to be made there; `stay`: one that is there may stay. */
export function nodeFit(spec: V1PodSpec, tolerations: readonly V1Toleration[], node: V1Node): { run: boolean; stay: boolean } {
  const untolerated = (node.spec.taints ?? []).filter((taint) => !tolerations.some((toleration) => tolerates(toleration, taint)))
  const wanted = isWanted(spec, node)
  return {
    run: wanted && untolerated.every(({ effect }) => effect === 'PreferNoSchedule'),
    stay: wanted && untolerated.every(({ effect }) => effect !== 'NoExecute'),
  }
}

function isWanted(spec: V1PodSpec, { metadata }: V1Node): boolean {
  if (spec.nodeName && spec.nodeName !== metadata.name) return false
  if (!equalityMatches(spec.nodeSelector ?? {}, metadata.labels)) return false
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  return !terms || terms.some((term) => termMatches(term, metadata.labels ?? {}, metadata.name))
}

function termMatches({ matchExpressions = [], matchFields = [] }: V1NodeSelectorTerm, labels: Record<string, string>, name: string): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false
  return (
    matchExpressions.every((expression) => expressionMatches(expression, labels[expression.key])) &&
    matchFields.every((field) => expressionMatches(field, field.key === 'metadata.name' ? name : undefined))
  )
}

function expressionMatches({ operator, values = [] }: V1NodeSelectorRequirement, value: string | undefined): boolean {
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
      return value !== undefined && Number(value) > Number(values[0])
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0])
    default:
      return false
  }
}
