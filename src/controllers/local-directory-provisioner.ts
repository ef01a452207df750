/**
 * The provisioner of the StorageClass `standard`: a volume is a directory. Works as upstream's external provisioners
 * do, by the API alone, and can stand beside others.
 */

import { defineController, type ReconcileContext } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { New } from '../machinery/object.ts'
import type { V1PersistentVolume, V1PersistentVolumeClaim, V1StorageClass } from '../machinery/schema/generated/types.ts'
import { provisionedBy, selectedNode, storageProvisioner } from './volume-annotations.ts'
import { classOf, referenceToClaim, type Volume, type VolumeClaim } from './volume-match.ts'

export const localDirectoryProvisioner = 'skiff.dev/local-directory'
const name = localDirectoryProvisioner

/** Where the directories are; this is all that the provisioner knows of the world outside the API. */
export interface VolumeDirectories {
  /** Makes the directory of that name, or finds it made. `node`: absent if it is reachable from every node. */
  make(volume: string, node: string | undefined): Promise<{ path: string; node?: string }>
  /** Removes it with all that is in it; it is no error if it is not there. */
  remove(volume: string, node: string | undefined): Promise<void>
}

const hostnameLabel = 'kubernetes.io/hostname'
/** Nodes of one machine have it in common, and reach each other's directories. */
export const machineLabel = 'topology.skiff.dev/machine'

export function volumeProvisioner(directories: VolumeDirectories): AnyController[] {
  const provision = defineController<V1PersistentVolumeClaim>({
    name,
    reconciles: PersistentVolumeClaim,
    reads: [PersistentVolume, Node],
    watches: [
      {
        resource: StorageClass,
        keys: ({ metadata }: V1StorageClass, _previous, { informer }) =>
          informer(PersistentVolumeClaim)
            .list()
            .filter((claim) => classOf(claim) === metadata.name)
            .map(({ metadata: { namespace, name: claim } }) => `${namespace}/${claim}`),
      },
    ],
    async reconcile(claim, context) {
      const storageClass = claim && classToProvision(claim, context)
      if (!claim || !storageClass) return
      try {
        await makeVolume(claim, storageClass, directories, context)
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        const message = `failed to provision volume with StorageClass "${storageClass.metadata.name}": ${why}`
        if (!context.signal.aborted) context.event(claim, 'Warning', 'ProvisioningFailed', message)
        throw error
      }
    },
  })
  const reclaim = defineController<V1PersistentVolume>({
    name,
    reconciles: PersistentVolume,
    async reconcile(volume, context) {
      if (!volume || volume.metadata.annotations?.[provisionedBy] !== name) return
      if (volume.status?.phase !== 'Released' || volume.spec.persistentVolumeReclaimPolicy !== 'Delete') return
      try {
        await directories.remove(volume.metadata.name, nodeOf(volume))
      } catch (error) {
        context.event(volume, 'Warning', 'VolumeFailedDelete', error instanceof Error ? error.message : String(error))
        throw error
      }
      const { uid } = volume.metadata
      await context.client.delete(PersistentVolume, volume.metadata, { preconditions: { uid } }).catch((error: unknown) => {
        if (!isApiError(error, 'NotFound')) throw error
      })
    },
  })
  return [provision, reclaim]
}

/** The claim's class, if a volume of ours is wanted now. */
function classToProvision(claim: VolumeClaim, { cached }: ReconcileContext): V1StorageClass | undefined {
  const { annotations = {}, deletionTimestamp } = claim.metadata
  if (deletionTimestamp || claim.spec.volumeName || annotations[storageProvisioner] !== name) return undefined
  const storageClass = cached(StorageClass, classOf(claim))
  if (storageClass?.provisioner !== name || cached(PersistentVolume, volumeName(claim))) return undefined
  return storageClass.volumeBindingMode !== 'WaitForFirstConsumer' || annotations[selectedNode] ? storageClass : undefined
}

/** The same each time: a volume that was made before a crash is found again, not made twice. */
const volumeName = (claim: VolumeClaim): string => `pvc-${claim.metadata.uid}`

async function makeVolume(claim: VolumeClaim, storageClass: V1StorageClass, directories: VolumeDirectories, context: ReconcileContext): Promise<void> {
  const { client, event, key, clock, span } = context
  event(claim, 'Normal', 'Provisioning', `External provisioner is provisioning volume for claim "${key}"`)
  if (claim.spec.volumeMode === 'Block') throw new Error('a directory is no block device: volumeMode must be Filesystem')
  if (claim.spec.dataSource || claim.spec.dataSourceRef) throw new Error('a volume cannot be made from a data source')
  const volume = volumeName(claim)
  const start = clock.now()
  const { path, node } = await directories.make(volume, claim.metadata.annotations?.[selectedNode])
  span({ name: 'make directory', start, end: clock.now(), about: key, attributes: { path } })
  try {
    await client.create(PersistentVolume, persistentVolume(volume, claim, storageClass, path, placeOf(claim, node, context)))
  } catch (error) {
    if (isApiError(error, 'AlreadyExists')) return
    throw error
  }
  event(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${volume}`)
}

/** The label and value that nodes have from which the volume can be reached; undefined: all of them. */
interface Place {
  key: string
  value: string
}

/** `only`: the node that alone has the directory; where it is none, all of the machine have it that the claim's node is of. */
function placeOf(claim: VolumeClaim, only: string | undefined, { cached, informer }: ReconcileContext): Place | undefined {
  const labelOf = (node: string, key: string) => cached(Node, node)?.metadata.labels?.[key]
  const chosen = claim.metadata.annotations?.[selectedNode]
  const machine = only || !chosen ? undefined : labelOf(chosen, machineLabel)
  if (machine !== undefined) return { key: machineLabel, value: machine }
  // Where others tell their machine, one that does not is a machine of its own.
  const areMachinesTold = () =>
    informer(Node)
      .list()
      .some(({ metadata }) => metadata.labels?.[machineLabel] !== undefined)
  const node = only ?? (chosen && areMachinesTold() ? chosen : undefined)
  return node ? { key: hostnameLabel, value: labelOf(node, hostnameLabel) ?? node } : undefined
}

function persistentVolume(volume: string, claim: VolumeClaim, storageClass: V1StorageClass, path: string, place: Place | undefined): New<Volume> {
  const onlyThere = (one: Place) => ({ nodeSelectorTerms: [{ matchExpressions: [{ key: one.key, operator: 'In', values: [one.value] }] }] })
  return {
    metadata: { name: volume, annotations: { [provisionedBy]: name } },
    spec: {
      accessModes: claim.spec.accessModes,
      capacity: { storage: claim.spec.resources?.requests?.storage ?? '0' },
      claimRef: referenceToClaim(claim),
      hostPath: { path, type: 'DirectoryOrCreate' },
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      storageClassName: storageClass.metadata.name,
      volumeMode: 'Filesystem',
      ...(storageClass.mountOptions ? { mountOptions: storageClass.mountOptions } : {}),
      ...(place ? { nodeAffinity: { required: onlyThere(place) } } : {}),
    },
  }
}

/** By the host name in its node affinity: it is the node's name, unless somebody gave it another. */
const nodeOf = (volume: Volume): string | undefined =>
  volume.spec.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.find(({ key }) => key === hostnameLabel)?.values?.[0]
