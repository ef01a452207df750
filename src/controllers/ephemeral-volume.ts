/** Makes the claims of a pod's ephemeral volumes; they go with the pod. */
import { defineController } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { PersistentVolumeClaim, Pod } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { V1Pod } from '../machinery/schema/generated/types.ts'
import { controllerReference } from './owner-reference.ts'
import { isNamespaceEnding } from './pod-control.ts'
import { isActive } from './pod-state.ts'

export const ephemeralVolumeController: AnyController = defineController<V1Pod>({
  name: 'ephemeral-volume-controller',
  reconciles: Pod,
  reads: [PersistentVolumeClaim],
  async reconcile(pod, { cached, client, event, metrics }) {
    if (!pod || !isActive(pod)) return
    const { namespace, uid } = pod.metadata
    for (const { name: volume, ephemeral } of pod.spec.volumes ?? []) {
      const template = ephemeral?.volumeClaimTemplate
      if (!template) continue
      const name = `${pod.metadata.name}-${volume}`
      const existing = cached(PersistentVolumeClaim, `${namespace}/${name}`)
      if (existing) {
        // Of an earlier pod of the same name, or of somebody else: its data is not for this one.
        if (existing.metadata.ownerReferences?.some((owner) => owner.controller && owner.uid === uid)) continue
        throw new Error(`PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`)
      }
      const { labels, annotations } = template.metadata ?? {}
      const ownerReferences = [controllerReference(Pod, pod)]
      metrics.counter('ephemeral_volume_controller_create_total', 'Claims of ephemeral volumes that were to be made.').of().add()
      try {
        await client.create(PersistentVolumeClaim, {
          metadata: { name, namespace, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}), ownerReferences },
          spec: template.spec,
        })
      } catch (error) {
        if (isNamespaceEnding(error) || isApiError(error, 'AlreadyExists')) continue
        metrics.counter('ephemeral_volume_controller_create_failures_total', 'Claims of ephemeral volumes that could not be made.').of().add()
        event(pod, 'Warning', 'FailedCreate', `ephemeral volume ${volume}: create PVC ${name}: ${error instanceof Error ? error.message : String(error)}`)
        throw error
      }
    }
  },
})
