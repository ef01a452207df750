import type { V1LabelSelector } from '../machinery/schema/generated/types.ts'

/** As clients know it from messages, which a Go program prints. */
export function printedSelector({ matchLabels = {}, matchExpressions = [] }: V1LabelSelector): string {
  const labels = Object.entries(matchLabels).sort(([a], [b]) => (a < b ? -1 : 1))
  const expressions = matchExpressions.map(
    ({ key, operator, values = [] }) => `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],}`,
  )
  return `&LabelSelector{MatchLabels:map[string]string{${labels.map(([key, value]) => `${key}: ${value},`).join('')}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join(',')}},}`
}
