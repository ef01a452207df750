/**
 * `matchLabelKeys` and `mismatchLabelKeys` of affinity terms and spread constraints: what they mean of this pod's
 * labels becomes part of the selector when the pod is created, so that whoever reads the pod later need not know them.
 */
import type { V1LabelSelector, V1LabelSelectorRequirement, V1Pod } from '../../machinery/schema/generated/types.ts'

function requirements(keys: readonly string[] | undefined, operator: 'In' | 'NotIn', labels: Readonly<Record<string, string>>): V1LabelSelectorRequirement[] {
  return (keys ?? []).flatMap((key) => {
    const value = labels[key]
    return value === undefined ? [] : [{ key, operator, values: [value] }]
  })
}

interface Selecting {
  labelSelector?: V1LabelSelector
  matchLabelKeys?: string[]
  mismatchLabelKeys?: string[]
}

function withKeys<T extends Selecting>(term: T, labels: Readonly<Record<string, string>>): T {
  const { labelSelector, matchLabelKeys, mismatchLabelKeys } = term
  if (!labelSelector) return term
  const added = [...requirements(matchLabelKeys, 'In', labels), ...requirements(mismatchLabelKeys, 'NotIn', labels)]
  if (added.length === 0) return term
  return { ...term, labelSelector: { ...labelSelector, matchExpressions: [...(labelSelector.matchExpressions ?? []), ...added] } }
}

/** Changes the pod, which is still a draft. */
export function mergeLabelKeys({ metadata, spec }: V1Pod): void {
  const labels = metadata.labels ?? {}
  if (spec.topologySpreadConstraints) spec.topologySpreadConstraints = spec.topologySpreadConstraints.map((constraint) => withKeys(constraint, labels))
  for (const affinity of [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity]) {
    if (!affinity) continue
    const { requiredDuringSchedulingIgnoredDuringExecution: required, preferredDuringSchedulingIgnoredDuringExecution: preferred } = affinity
    if (required) affinity.requiredDuringSchedulingIgnoredDuringExecution = required.map((term) => withKeys(term, labels))
    if (preferred)
      affinity.preferredDuringSchedulingIgnoredDuringExecution = preferred.map((one) => ({ ...one, podAffinityTerm: withKeys(one.podAffinityTerm, labels) }))
  }
}
