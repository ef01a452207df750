/** Makes and deletes the pods of a controller, with the events that tell of it. */
import type { ResourceRef } from '../client/client.ts'
import type { ReconcileContext } from '../client/controller.ts'
import { Pod } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { KubeObject, New } from '../machinery/object.ts'
import type { V1Pod, V1PodTemplateSpec } from '../machinery/schema/generated/types.ts'
import { controllerReference } from './owner-reference.ts'

export interface PodOwner {
  resource: ResourceRef
  object: KubeObject & { metadata: { namespace: string } }
}

/** Upstream makes the pod's name of the owner's; a name too long for a label is cut by the server. */
export function podFrom(template: V1PodTemplateSpec, { resource, object }: PodOwner): New<V1Pod> {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  return {
    metadata: {
      generateName: `${object.metadata.name}-`,
      namespace: object.metadata.namespace,
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [controllerReference(resource, object)],
    },
    spec: template.spec as V1Pod['spec'],
  }
}

export async function createPod(pod: New<V1Pod>, { object }: PodOwner, { client, event }: ReconcileContext): Promise<void> {
  try {
    const created = await client.create(Pod, pod)
    event(object, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`)
  } catch (error) {
    if (!isNamespaceEnding(error)) event(object, 'Warning', 'FailedCreate', `Error creating: ${error instanceof Error ? error.message : String(error)}`)
    throw error
  }
}

export async function deletePod(pod: V1Pod, { object }: PodOwner, { client, event }: ReconcileContext): Promise<void> {
  const { name, namespace, uid } = pod.metadata
  try {
    await client.delete(Pod, { name, namespace }, { preconditions: { uid } })
    event(object, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
  } catch (error) {
    if (isApiError(error, 'NotFound')) return
    event(object, 'Warning', 'FailedDelete', `Error deleting: ${error instanceof Error ? error.message : String(error)}`)
    throw error
  }
}

/** Nothing new is let into a namespace that is being deleted; the controller's own end comes with it. */
export const isNamespaceEnding = (error: unknown): boolean =>
  isApiError(error, 'Forbidden') && (error.status.details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating')
