/** Claims and volumes stay for as long as something uses them, and claims grow only where their class allows. */
import { compareQuantities } from '../../machinery/quantity.ts'
import type { V1PersistentVolumeClaim, V1StorageClass } from '../../machinery/schema/generated/types.ts'
import type { AdmissionPlugin, ServerAccess } from '../contracts.ts'
import { isWriteOf, refused } from './refuse.ts'

const finalizers: Record<string, string> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
}

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  handles: ({ verb, resource, subresource }) => verb === 'create' && resource.group === '' && subresource === '' && resource.plural in finalizers,
  mutate({ object, resource }) {
    const finalizer = finalizers[resource.plural]
    if (!object || !finalizer || object.metadata.finalizers?.includes(finalizer)) return
    object.metadata.finalizers = [...(object.metadata.finalizers ?? []), finalizer]
  },
}

const requested = (claim: V1PersistentVolumeClaim) => claim.spec?.resources?.requests?.storage ?? '0'

export const persistentVolumeClaimResize = (server: ServerAccess): AdmissionPlugin => ({
  name: 'PersistentVolumeClaimResize',
  handles: (attributes) => attributes.verb === 'update' && isWriteOf(attributes, 'persistentvolumeclaims'),
  async validate(attributes) {
    const claim = attributes.object as unknown as V1PersistentVolumeClaim
    const stored = attributes.old as unknown as V1PersistentVolumeClaim
    if (compareQuantities(requested(claim), requested(stored)) <= 0) return
    const name = claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? claim.spec?.storageClassName
    const found = name ? ((await server.cached('storageclasses.storage.k8s.io')).get('', name) as V1StorageClass | undefined) : undefined
    if (!found?.allowVolumeExpansion)
      throw refused(attributes, 'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize')
  },
})
