/** Holds claims that pods use, and volumes that claims use, until they are used no more. */

import type { ResourceRef } from '../client/client.ts'
import { defineController, type ReconcileContext } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { PersistentVolume, PersistentVolumeClaim, Pod } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { V1PersistentVolume, V1PersistentVolumeClaim, V1Pod } from '../machinery/schema/generated/types.ts'

const claimFinalizer = 'kubernetes.io/pvc-protection'
const volumeFinalizer = 'kubernetes.io/pv-protection'

export const claimProtection: AnyController = defineController<V1PersistentVolumeClaim>({
  name: 'persistentvolumeclaim-protection-controller',
  reconciles: PersistentVolumeClaim,
  watches: [{ resource: Pod, keys: (pod: V1Pod) => claimNames(pod).map((name) => `${pod.metadata.namespace}/${name}`) }],
  async reconcile(claim, context) {
    if (!claim) return
    if (!claim.metadata.deletionTimestamp) return protect(PersistentVolumeClaim, claim, claimFinalizer, context)
    if (!claim.metadata.finalizers?.includes(claimFinalizer)) return
    const uses = (pod: V1Pod) => pod.spec.nodeName !== undefined && claimNames(pod).includes(claim.metadata.name)
    const { namespace } = claim.metadata
    if (context.informer(Pod).inNamespace(namespace).some(uses)) return
    // The cache may not know of a pod that was just scheduled.
    const { items } = await context.client.list(Pod, { namespace })
    if (!items.some(uses)) await unprotect(PersistentVolumeClaim, claim, claimFinalizer, context)
    return
  },
})

export const volumeProtection: AnyController = defineController<V1PersistentVolume>({
  name: 'persistentvolume-protection-controller',
  reconciles: PersistentVolume,
  async reconcile(volume, context) {
    if (!volume) return
    if (!volume.metadata.deletionTimestamp) return protect(PersistentVolume, volume, volumeFinalizer, context)
    if (volume.metadata.finalizers?.includes(volumeFinalizer) && volume.status?.phase !== 'Bound')
      await unprotect(PersistentVolume, volume, volumeFinalizer, context)
    return
  },
})

function claimNames({ metadata, spec }: V1Pod): string[] {
  return (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return [persistentVolumeClaim.claimName]
    return ephemeral ? [`${metadata.name}-${name}`] : []
  })
}

function protect<T extends KubeObject>(resource: ResourceRef<T>, object: T, finalizer: string, context: ReconcileContext): Promise<undefined> {
  const { finalizers = [] } = object.metadata
  return finalizers.includes(finalizer) ? Promise.resolve(undefined) : setFinalizers(resource, object, [...finalizers, finalizer], context)
}

function unprotect<T extends KubeObject>(resource: ResourceRef<T>, object: T, finalizer: string, context: ReconcileContext): Promise<undefined> {
  const finalizers = (object.metadata.finalizers ?? []).filter((name) => name !== finalizer)
  return setFinalizers(resource, object, finalizers, context)
}

async function setFinalizers<T extends KubeObject>(
  resource: ResourceRef<T>,
  object: T,
  finalizers: string[],
  { client }: ReconcileContext,
): Promise<undefined> {
  const { uid, resourceVersion } = object.metadata
  try {
    await client.patch(resource, object.metadata, 'merge', { metadata: { uid, resourceVersion, finalizers } })
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error
  }
}
