import { PersistentVolume, PersistentVolumeClaim } from '../../client/resources.ts'
import { giveToGroup } from './group-ownership.ts'
import { prepareHostPath } from './host-path.ts'
import type { VolumeContext, VolumeKind } from './volume.ts'

/** The volume that a claim is bound to: a path of this node, as `hostPath` or `local`. */
export const persistentVolumeClaimVolume: VolumeKind = {
  plugin: 'kubernetes.io~local-volume',
  supports: (volume) => volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined,
  async mount(volume, context) {
    const { pod } = context
    const claimName = volume.persistentVolumeClaim?.claimName ?? `${pod.metadata.name}-${volume.name}`
    const path = await boundPath(claimName, context)
    await giveToGroup(context, path)
    return { path, readOnly: volume.persistentVolumeClaim?.readOnly ?? false }
  },
}

async function boundPath(claimName: string, { client, pod, files }: VolumeContext): Promise<string> {
  const { namespace } = pod.metadata
  const about = `error processing PVC ${namespace}/${claimName}`
  const claim = await client.find(PersistentVolumeClaim, { name: claimName, namespace })
  if (!claim) throw new Error(`${about}: failed to fetch PVC from API server: persistentvolumeclaims ${JSON.stringify(claimName)} not found`)
  if (claim.metadata.deletionTimestamp && !claim.metadata.finalizers?.length) throw new Error(`${about}: PVC is being deleted`)
  const name = claim.spec?.volumeName
  if (claim.status?.phase !== 'Bound' || !name) throw new Error(`${about}: PVC is not bound`)
  const volume = await client.find(PersistentVolume, { name })
  if (!volume) throw new Error(`${about}: failed to fetch PV ${name} from API server: persistentvolumes ${JSON.stringify(name)} not found`)
  if (volume.spec?.claimRef?.uid !== claim.metadata.uid) throw new Error(`${about}: PV ${name} is bound to another claim than ${claim.metadata.uid}`)
  if (volume.spec.hostPath) return prepareHostPath(files, volume.spec.hostPath)
  if (volume.spec.local) {
    if ((await files.kindOf(volume.spec.local.path)) === undefined) throw new Error(`path ${JSON.stringify(volume.spec.local.path)} does not exist`)
    return volume.spec.local.path
  }
  throw new Error(`no volume plugin matched for volume ${name}`)
}
