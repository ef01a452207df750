/**
 * Brings claims and volumes together. Each names the other; the volume's side is written first, and from any point in
 * between the next reconcile goes on.
 */

import { defineController, type Read, type ReconcileContext } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../client/resources.ts'
import { keyOf } from '../machinery/object.ts'
import type { V1PersistentVolume, V1PersistentVolumeClaim, V1Pod, V1StorageClass } from '../machinery/schema/generated/types.ts'
import { deepEqual } from './deep-equal.ts'
import { betaStorageProvisioner, bindCompleted, boundByController, selectedNode, storageProvisioner } from './volume-annotations.ts'
import { bestVolume, classOf, isFor, mismatch, referenceToClaim, type Volume, type VolumeClaim } from './volume-match.ts'

const name = 'persistentvolume-controller'
/** Claims that wait for a volume that no event announces. */
const resyncSeconds = 15

export const persistentVolumeClaimBinder: AnyController = defineController<V1PersistentVolumeClaim>({
  name,
  reconciles: PersistentVolumeClaim,
  resyncSeconds,
  watches: [
    { resource: PersistentVolume, keys: claimsOf },
    {
      resource: StorageClass,
      keys: ({ metadata }: V1StorageClass, _previous, { informer }) =>
        informer(PersistentVolumeClaim)
          .list()
          .filter((claim) => classOf(claim) === metadata.name && !claim.spec.volumeName)
          .map(keyOf),
    },
  ],
  reads: [Pod],
  async reconcile(claim, context) {
    if (!claim) return
    if (claim.metadata.annotations?.[bindCompleted] !== undefined) return keepBound(claim, context)
    if (claim.metadata.deletionTimestamp) return
    return claim.spec.volumeName ? bindToNamed(claim, claim.spec.volumeName, context) : findVolume(claim, context)
  },
})

/** The claim that a volume names, and those that could have it now that it is free. */
function claimsOf(volume: V1PersistentVolume, previous: V1PersistentVolume | undefined, { informer }: Read): string[] {
  const named = [volume, previous].flatMap((one) => (one?.spec.claimRef ? [`${one.spec.claimRef.namespace}/${one.spec.claimRef.name}`] : []))
  const wanting = informer(PersistentVolumeClaim)
    .list()
    .filter((claim) => claim.spec.volumeName === volume.metadata.name || (!claim.spec.volumeName && !volume.spec.claimRef && !mismatch(volume, claim)))
  return [...new Set([...named, ...wanting.map(keyOf)])]
}

async function findVolume(claim: VolumeClaim, context: ReconcileContext): Promise<undefined> {
  const { cached, informer, event } = context
  const storageClass = classOf(claim) ? cached(StorageClass, classOf(claim)) : undefined
  const delayed = storageClass?.volumeBindingMode === 'WaitForFirstConsumer'
  const chosen = claim.metadata.annotations?.[selectedNode] !== undefined
  const volume = bestVolume(informer(PersistentVolume).list(), claim, delayed)
  if (volume) return bind(volume, claim, context)
  if (delayed && !chosen) {
    const waiting = informer(Pod)
      .inNamespace(claim.metadata.namespace)
      .filter((pod) => !pod.spec.nodeName && usesClaim(pod, claim))
      .map(({ metadata }) => metadata.name)
    const pods = waiting.length === 1 ? `pod ${waiting[0]}` : `pods ${waiting.join(',')}`
    if (waiting.length > 0) event(claim, 'Normal', 'WaitForPodScheduled', `waiting for ${pods} to be scheduled`)
    else event(claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
  } else if (classOf(claim)) {
    await askProvisioner(claim, storageClass, context)
  } else {
    event(claim, 'Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set')
  }
  return setPhase(claim, 'Pending', context)
}

const usesClaim = (pod: V1Pod, claim: VolumeClaim): boolean =>
  (pod.spec.volumes ?? []).some(({ persistentVolumeClaim, ephemeral, name: volume }) =>
    persistentVolumeClaim ? persistentVolumeClaim.claimName === claim.metadata.name : ephemeral && `${pod.metadata.name}-${volume}` === claim.metadata.name,
  )

/** Provisioners are programs of their own: they find their work by an annotation. */
async function askProvisioner(claim: VolumeClaim, storageClass: V1StorageClass | undefined, { client, event }: ReconcileContext): Promise<void> {
  if (!storageClass) return event(claim, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${classOf(claim)}" not found`)
  const { provisioner } = storageClass
  if (provisioner.startsWith('kubernetes.io/')) return event(claim, 'Warning', 'ProvisioningFailed', `no volume plugin matched name: ${provisioner}`)
  event(
    claim,
    'Normal',
    'ExternalProvisioning',
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
  )
  if (claim.metadata.annotations?.[storageProvisioner] === provisioner) return
  const annotations = { [betaStorageProvisioner]: provisioner, [storageProvisioner]: provisioner }
  await client.patch(PersistentVolumeClaim, claim.metadata, 'merge', { metadata: { uid: claim.metadata.uid, annotations } })
}

async function bindToNamed(claim: VolumeClaim, volumeName: string, context: ReconcileContext): Promise<undefined> {
  const volume = context.cached(PersistentVolume, volumeName)
  if (!volume) return setPhase(claim, 'Pending', context)
  const { claimRef } = volume.spec
  if (!claimRef) {
    const why = mismatch(volume, claim)
    if (!why) return bind(volume, claim, context)
    context.event(claim, 'Warning', 'VolumeMismatch', `Cannot bind to requested volume "${volumeName}": ${why}`)
    return setPhase(claim, 'Pending', context)
  }
  if (isFor(claimRef, claim)) return bind(volume, claim, context)
  context.event(claim, 'Warning', 'FailedBinding', `volume "${volumeName}" already bound to a different claim.`)
  return setPhase(claim, 'Pending', context)
}

async function keepBound(claim: VolumeClaim, context: ReconcileContext): Promise<undefined> {
  const { volumeName } = claim.spec
  if (!volumeName) return lose(claim, 'ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!', context)
  const volume = context.cached(PersistentVolume, volumeName) ?? (await context.client.find(PersistentVolume, { name: volumeName }))
  if (!volume) return lose(claim, 'ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!', context)
  const { claimRef } = volume.spec
  if (!claimRef || isFor(claimRef, claim)) return bind(volume, claim, context)
  return lose(claim, 'ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly', context)
}

async function lose(claim: VolumeClaim, reason: string, message: string, context: ReconcileContext): Promise<undefined> {
  if (claim.status?.phase !== 'Lost') context.event(claim, 'Warning', reason, message)
  return setPhase(claim, 'Lost', context)
}

async function setPhase(claim: VolumeClaim, phase: 'Pending' | 'Lost', { client }: ReconcileContext): Promise<undefined> {
  if (claim.status?.phase === phase) return
  await client.updateStatus(PersistentVolumeClaim, { ...claim, status: { ...claim.status, phase } })
}

/** In four steps, each of which may find itself done already. */
async function bind(volume: Volume, claim: VolumeClaim, context: ReconcileContext): Promise<undefined> {
  const { client } = context
  let boundVolume = volume
  if (volume.spec.claimRef?.uid !== claim.metadata.uid) {
    // A reference that a user wrote is kept when the claim goes; ours is not.
    const annotations = volume.spec.claimRef ? volume.metadata.annotations : { ...volume.metadata.annotations, [boundByController]: 'yes' }
    const metadata = { ...volume.metadata, ...(annotations ? { annotations } : {}) }
    boundVolume = await client.update(PersistentVolume, { ...volume, metadata, spec: { ...volume.spec, claimRef: referenceToClaim(claim) } })
  }
  if (boundVolume.status?.phase !== 'Bound')
    await client.updateStatus(PersistentVolume, { ...boundVolume, status: { ...boundVolume.status, phase: 'Bound', reason: undefined, message: undefined } })

  let boundClaim = claim
  const annotations: Record<string, string> = { ...claim.metadata.annotations, [bindCompleted]: 'yes' }
  if (!claim.spec.volumeName) annotations[boundByController] = 'yes'
  if (claim.spec.volumeName !== volume.metadata.name || !deepEqual(annotations, claim.metadata.annotations)) {
    const spec = { ...claim.spec, volumeName: volume.metadata.name }
    boundClaim = await client.update(PersistentVolumeClaim, { ...claim, metadata: { ...claim.metadata, annotations }, spec })
  }
  const { accessModes, capacity } = volume.spec
  const known = boundClaim.status
  // A volume that was made larger is shown larger only when its file system is.
  const status = { ...known, phase: 'Bound', accessModes, capacity: known?.phase === 'Bound' && known.capacity ? known.capacity : capacity }
  if (!deepEqual(status, known)) await client.updateStatus(PersistentVolumeClaim, { ...boundClaim, status })
}
