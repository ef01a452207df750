/** What becomes of a volume: available, bound, released when its claim is gone, and then what its policy says. */

import { defineController, type ReconcileContext } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { PersistentVolume, PersistentVolumeClaim } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import type { V1PersistentVolume, V1PersistentVolumeClaim } from '../machinery/schema/generated/types.ts'
import { boundByController, provisionedBy } from './volume-annotations.ts'
import type { Volume, VolumeClaim } from './volume-match.ts'

export const persistentVolumeLifecycle: AnyController = defineController<V1PersistentVolume>({
  name: 'persistentvolume-controller',
  reconciles: PersistentVolume,
  workers: 1,
  watches: [
    {
      resource: PersistentVolumeClaim,
      keys: ({ spec }: V1PersistentVolumeClaim, previous) => [...new Set([spec.volumeName, previous?.spec.volumeName].filter((name) => name !== undefined))],
    },
  ],
  async reconcile(volume, context) {
    if (!volume) return
    const { claimRef } = volume.spec
    // Without a uid it is kept for a claim that is still to come.
    if (!claimRef?.uid) return setPhase(volume, 'Available', context)
    const claim = await claimOf(volume, context)
    if (!claim) return release(volume, context)
    if (claim.spec.volumeName === volume.metadata.name) return setPhase(volume, 'Bound', context)
    // The binder has not come to it yet.
    if (!claim.spec.volumeName) return
    return giveBack(volume, context)
  },
})

/** The claim of that uid; the server is asked before it is believed that there is none: a volume may be wiped for it. */
async function claimOf(volume: Volume, { cached, client }: ReconcileContext): Promise<VolumeClaim | undefined> {
  const { namespace = '', name = '', uid } = volume.spec.claimRef ?? {}
  const known = cached(PersistentVolumeClaim, `${namespace}/${name}`)
  if (known?.metadata.uid === uid) return known
  const phase = volume.status?.phase
  if (!known && (phase === 'Released' || phase === 'Failed')) return undefined
  const current = await client.find(PersistentVolumeClaim, { namespace, name })
  return current?.metadata.uid === uid ? current : undefined
}

/** What happens to it then is the provisioner's task, which deletes what it made if the policy says so. */
async function release(volume: Volume, context: ReconcileContext): Promise<undefined> {
  const phase = volume.status?.phase
  if (phase !== 'Released' && phase !== 'Failed') await setPhase(volume, 'Released', context)
  const { persistentVolumeReclaimPolicy } = volume.spec
  const provisioned = volume.metadata.annotations?.[provisionedBy]
  if (persistentVolumeReclaimPolicy === 'Delete' && !provisioned && phase !== 'Failed') {
    const message = `error getting deleter volume plugin for volume "${volume.metadata.name}": no deletable volume plugin matched`
    context.event(volume, 'Warning', 'VolumeFailedDelete', message)
    await setPhase(volume, 'Failed', context, message)
  }
}

/** The claim took another volume: this one is free again, or was made for the claim in vain. */
async function giveBack(volume: Volume, context: ReconcileContext): Promise<undefined> {
  const { annotations = {} } = volume.metadata
  if (annotations[provisionedBy] && volume.spec.persistentVolumeReclaimPolicy === 'Delete') return release(volume, context)
  const { [boundByController]: ours, ...others } = annotations
  const { uid: _, resourceVersion: __, ...byName } = volume.spec.claimRef ?? {}
  const spec = { ...volume.spec, claimRef: ours ? undefined : byName }
  const free = await context.client.update(PersistentVolume, { ...volume, metadata: { ...volume.metadata, annotations: others }, spec })
  return setPhase(free, 'Available', context)
}

async function setPhase(volume: Volume, phase: string, { client, clock }: ReconcileContext, message?: string): Promise<undefined> {
  if (volume.status?.phase === phase) return
  const status = { phase, lastPhaseTransitionTime: timestamp(clock.now()), ...(message ? { message } : {}) }
  await client.updateStatus(PersistentVolume, { ...volume, status })
}
