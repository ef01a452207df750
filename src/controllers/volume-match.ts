/** Which volume fits a claim. */
import { compareQuantities } from '../machinery/quantity.ts'
import type { V1ObjectReference, V1PersistentVolume, V1PersistentVolumeClaim } from '../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../machinery/selectors.ts'

export type Volume = V1PersistentVolume
export type VolumeClaim = V1PersistentVolumeClaim

export const classOf = (object: Volume | VolumeClaim): string => object.spec.storageClassName ?? ''

/** The volume is this claim's; by name alone where a user wrote it before the claim was there. */
export function isFor(reference: V1ObjectReference | undefined, { metadata }: VolumeClaim): boolean {
  return reference?.name === metadata.name && reference.namespace === metadata.namespace && (!reference.uid || reference.uid === metadata.uid)
}

export function referenceToClaim({ metadata }: VolumeClaim): V1ObjectReference {
  const { namespace, name, uid, resourceVersion } = metadata
  return { kind: 'PersistentVolumeClaim', namespace, name, uid, apiVersion: 'v1', resourceVersion }
}

/** What keeps the volume from serving the claim, leaving aside who has it; undefined if nothing does. */
export function mismatch(volume: Volume, claim: VolumeClaim): string | undefined {
  if (compareQuantities(volume.spec.capacity?.storage ?? '0', claim.spec.resources?.requests?.storage ?? '0') < 0) return 'requested PV is too small'
  if (classOf(volume) !== classOf(claim)) return 'storageClassName does not match'
  if ((volume.spec.volumeMode ?? 'Filesystem') !== (claim.spec.volumeMode ?? 'Filesystem')) return 'incompatible volumeMode'
  if (!(claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode))) return 'incompatible accessMode'
  if ((volume.spec.volumeAttributesClassName ?? '') !== (claim.spec.volumeAttributesClassName ?? '')) return 'incompatible volumeAttributesClassName'
  return undefined
}

/** The one that was meant for the claim, or else the smallest that is free and fits. `onlyMeant`: the scheduler picks. */
export function bestVolume(volumes: readonly Volume[], claim: VolumeClaim, onlyMeant: boolean): Volume | undefined {
  const meant = volumes.find((volume) => isFor(volume.spec.claimRef, claim) && !mismatch(volume, claim))
  if (meant || onlyMeant) return meant
  const fitting = volumes.filter(
    (volume) =>
      !volume.spec.claimRef &&
      !volume.metadata.deletionTimestamp &&
      volume.status?.phase === 'Available' &&
      !mismatch(volume, claim) &&
      (!claim.spec.selector || matchesLabelSelector(claim.spec.selector, volume.metadata.labels)),
  )
  const size = (volume: Volume) => volume.spec.capacity?.storage ?? '0'
  return fitting.sort((a, b) => compareQuantities(size(a), size(b)) || (a.metadata.name < b.metadata.name ? -1 : 1))[0]
}
