/** A definition that is deleted takes its objects with it: it waits for the last of them, held by a finalizer. */
import { isApiError } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { V1CustomResourceDefinition } from '../../machinery/schema/generated/types.ts'
import type { CachedObjects, ServerAccess } from '../contracts.ts'
import { internalRequest, pathOf } from '../internal-request.ts'
import { withCondition } from './names.ts'

export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

const definitions = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }

/** The draft of a definition that gets its deletionTimestamp. */
export function markForCleanup(draft: AnyObject, now: number): void {
  const definition = draft as unknown as V1CustomResourceDefinition
  const { metadata } = definition
  if (!metadata.finalizers?.includes(cleanupFinalizer)) metadata.finalizers = [...(metadata.finalizers ?? []), cleanupFinalizer]
  const conditions = withCondition(
    definition.status?.conditions ?? [],
    {
      type: 'Terminating',
      status: 'True',
      reason: 'InstanceDeletionPending',
      message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
    },
    now,
  )
  definition.status = { ...definition.status, conditions }
}

/** Asks for the deletion of every object, and lets the definition go when there is none left. `instances`: undefined when it never served any. */
export async function cleanUp(server: ServerAccess, definition: V1CustomResourceDefinition, instances: CachedObjects | undefined): Promise<void> {
  const { metadata, spec } = definition
  if (!metadata.finalizers?.includes(cleanupFinalizer)) return
  const at = { group: spec.group, version: spec.versions.find((version) => version.served)?.name ?? '', plural: spec.names.plural }
  const left = instances ? [...instances.list()] : []
  await Promise.all(
    left
      .filter((object) => !object.metadata.deletionTimestamp)
      .map((object) => gone(() => internalRequest(server, 'DELETE', pathOf(at, object.metadata.namespace, object.metadata.name)))),
  )
  // What its own finalizers hold comes back here when it goes.
  if (instances && !instances.list()[Symbol.iterator]().next().done) return
  const finalizers = metadata.finalizers.filter((name) => name !== cleanupFinalizer)
  await gone(() => internalRequest(server, 'PUT', pathOf(definitions, '', metadata.name), { ...definition, metadata: { ...metadata, finalizers } }))
}

/** It went by itself, or changes under us: then we are called again. */
async function gone(step: () => Promise<unknown>): Promise<void> {
  try {
    await step()
  } catch (error) {
    if (!isApiError(error, 'NotFound') && !isApiError(error, 'Conflict')) throw error
  }
}
