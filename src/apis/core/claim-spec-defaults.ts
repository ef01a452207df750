import type { V1PersistentVolumeClaimSpec } from '../../machinery/schema/generated/types.ts'
import { canonicalAmounts } from '../resource-list.ts'

/** Of a claim itself, and of templates of claims in StatefulSets and ephemeral volumes. */
export function claimSpecDefaults(spec: V1PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= 'Filesystem'
  spec.resources ??= {}
  canonicalAmounts(spec.resources.requests)
  canonicalAmounts(spec.resources.limits)
}
