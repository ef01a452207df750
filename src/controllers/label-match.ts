/** Selectors of labels beyond what `machinery/selectors.ts` has. */
import type { V1LabelSelector } from '../machinery/schema/generated/types.ts'

/** For the plain selectors of Services and ReplicationControllers. */
export function equalityMatches(selector: Record<string, string>, labels: Record<string, string> | undefined): boolean {
  return Object.entries(selector).every(([name, value]) => labels?.[name] === value)
}

export const isEmptySelector = (selector: V1LabelSelector | undefined): boolean =>
  !selector || (Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0)
