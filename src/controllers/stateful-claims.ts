/** To whom the claims of a StatefulSet belong, as `persistentVolumeClaimRetentionPolicy` says: with whom they go. */
import type { Client } from '../client/client.ts'
import { PersistentVolumeClaim, Pod, StatefulSet } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { V1OwnerReference, V1PersistentVolumeClaim, V1Pod, V1StatefulSet } from '../machinery/schema/generated/types.ts'
import { deepEqual } from './deep-equal.ts'
import { controllerReference } from './owner-reference.ts'

/** `isSurplus`: the set has fewer replicas by now. Others' references stay. */
function wantedOwners(set: V1StatefulSet, claim: V1PersistentVolumeClaim, pod: V1Pod | undefined, isSurplus: boolean): V1OwnerReference[] {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {}
  const isOurs = ({ kind, uid, name }: V1OwnerReference) => uid === set.metadata.uid || (kind === 'Pod' && name === pod?.metadata.name)
  const owners = (claim.metadata.ownerReferences ?? []).filter((owner) => !isOurs(owner))
  if (isSurplus && whenScaled === 'Delete') return pod ? [...owners, controllerReference(Pod, pod)] : owners
  return whenDeleted === 'Delete' ? [...owners, controllerReference(StatefulSet, set)] : owners
}

export async function settleOwners(
  client: Client,
  set: V1StatefulSet,
  claim: V1PersistentVolumeClaim,
  pod: V1Pod | undefined,
  isSurplus: boolean,
): Promise<void> {
  const ownerReferences = wantedOwners(set, claim, pod, isSurplus)
  if (deepEqual(ownerReferences, claim.metadata.ownerReferences ?? [])) return
  const { uid, resourceVersion } = claim.metadata
  try {
    await client.patch(PersistentVolumeClaim, claim.metadata, 'merge', { metadata: { uid, resourceVersion, ownerReferences } })
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error
  }
}

/** It goes, or will go with a pod that is gone: a new pod must not begin with it. */
export function isLeaving(claim: V1PersistentVolumeClaim, podName: string): boolean {
  if (claim.metadata.deletionTimestamp) return true
  return (claim.metadata.ownerReferences ?? []).some(({ kind, name }) => kind === 'Pod' && name === podName)
}
