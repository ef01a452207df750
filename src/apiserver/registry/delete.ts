/** DELETE of one object. */
import { conflict, modified, notFound } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import { afterRemoval, type DeleteOptions, planDeletion } from './deletion.ts'
import type { Registry } from './registry.ts'
import type { WriteRequest } from './write-request.ts'

const attempts = 6

export interface Deleted {
  object: AnyObject
  /** False: it is marked, and goes when nothing holds it any more. */
  removed: boolean
}

export async function deleteObject(registry: Registry, request: WriteRequest, namespace: string, name: string, options: DeleteOptions): Promise<Deleted> {
  const { storage, admission } = registry
  for (let attempt = 1; ; attempt++) {
    const current = await storage.current(namespace, name)
    if (!current) throw notFound(registry.about(name))
    const { object, revision } = current
    checkPreconditions(registry, object, options)
    const attributes = registry.attributes('delete', request, {
      namespace: registry.resource.namespaced ? namespace : '',
      name,
      object: undefined,
      old: object,
    })
    await admission.mutate(attributes)
    await admission.validate(attributes)
    for (const hook of registry.hooks) await hook.beforeDelete?.(object, registry.hookAttributes(request))

    const plan = planDeletion(registry, object, options)
    if (plan.kind === 'nothing') return { object, removed: false }
    if (request.dryRun) return { object: plan.kind === 'mark' ? plan.draft : object, removed: plan.kind === 'remove' }
    if (plan.kind === 'remove') {
      const removed = await storage.remove(object, revision, request)
      if (removed) {
        await afterRemoval(registry, request, removed)
        return { object: removed, removed: true }
      }
    } else {
      const marked = await storage.put(plan.draft, revision, request)
      if (marked) return { object: marked, removed: false }
    }
    if (attempt === attempts) throw modified(registry.about(name))
  }
}

export function checkPreconditions(registry: Registry, { metadata }: AnyObject, { preconditions }: DeleteOptions): void {
  if (!preconditions) return
  const { uid, resourceVersion } = preconditions
  const about = registry.about(metadata.name)
  if (uid && uid !== metadata.uid) throw conflict(about, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`)
  if (resourceVersion && resourceVersion !== metadata.resourceVersion)
    throw conflict(
      about,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`,
    )
}
