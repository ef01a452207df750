/** Which autoscalers have which pods, by the selectors of their targets: a pod that several have is scaled by none of them. */
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import type { LabelSelector } from '../../machinery/selectors.ts'

/** Pods by namespace and label, so that many autoscalers in one namespace need not look at all its pods each. */
export const byLabel = 'namespace and label'
export const labelKeys = ({ metadata }: V1Pod): string[] => Object.entries(metadata.labels ?? {}).map(([key, value]) => `${metadata.namespace}/${key}=${value}`)

/** A label that all pods of the selector have, as in {@link labelKeys}; undefined where it names none. */
export function labelKeyOf(namespace: string, { requirements }: LabelSelector): string | undefined {
  const exact = requirements.find(({ operator, values }) => (operator === '=' || operator === '==' || operator === 'in') && values?.length === 1)
  return exact && `${namespace}/${exact.key}=${exact.values?.[0]}`
}

interface Claim {
  selector: LabelSelector
  /** {@link labelKeyOf}, or the namespace. */
  place: string
}

export class SelectorClaims {
  /** By the key of the autoscaler. */
  readonly #claims = new Map<string, Claim>()
  readonly #places = new Map<string, Set<string>>()

  claim(key: string, namespace: string, selector: LabelSelector): void {
    this.release(key)
    const place = labelKeyOf(namespace, selector) ?? namespace
    this.#claims.set(key, { selector, place })
    this.#places.set(place, (this.#places.get(place) ?? new Set()).add(key))
  }

  release(key: string): void {
    const claim = this.#claims.get(key)
    if (!claim) return
    this.#claims.delete(key)
    const keys = this.#places.get(claim.place)
    keys?.delete(key)
    if (keys?.size === 0) this.#places.delete(claim.place)
  }

  /** Keys of those that have any of the pods, in order. */
  claimants(pods: readonly V1Pod[]): string[] {
    const found = new Set<string>()
    for (const pod of pods)
      for (const place of [...labelKeys(pod), pod.metadata.namespace])
        for (const key of this.#places.get(place) ?? []) if (this.#claims.get(key)?.selector.matches(pod.metadata.labels)) found.add(key)
    return [...found].sort()
  }
}
