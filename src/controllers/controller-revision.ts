/** Keeps each pod template that a StatefulSet or DaemonSet has had as a ControllerRevision, so that it can be gone back to. */
import type { ResourceRef } from '../client/client.ts'
import type { ReconcileContext } from '../client/controller.ts'
import { ControllerRevision } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { V1ControllerRevision, V1LabelSelector, V1PodTemplateSpec } from '../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../machinery/selectors.ts'
import { claim } from './claim.ts'
import { deepEqual } from './deep-equal.ts'
import { controllerOf, controllerReference, isControlledBy } from './owner-reference.ts'
import { templateHash } from './pod-template-hash.ts'

export interface RevisionOwner {
  resource: ResourceRef
  object: KubeObject & { metadata: { namespace: string } }
  template: V1PodTemplateSpec
  selector: V1LabelSelector
  collisionCount: number | undefined
  /** Where a revision bears its hash; clients look for it under another name for each kind of owner. */
  hashLabel: string
  /** Writes down how often a name was taken by something else: the next hash, and so the next name, is another. */
  collided(collisionCount: number): Promise<unknown>
}

const byRevision = (a: V1ControllerRevision, b: V1ControllerRevision): number => a.revision - b.revision

export function revisionsOf({ object }: RevisionOwner, { owned }: ReconcileContext): V1ControllerRevision[] {
  return owned(ControllerRevision)
    .filter((revision) => isControlledBy(revision, object))
    .sort(byRevision)
}

/** Of these, the ones that an owner before this one left: so it goes on where that one was, and its pods stay as they are. */
function adopted(candidates: V1ControllerRevision[], { resource, object, selector, hashLabel }: RevisionOwner, { client }: ReconcileContext) {
  const matches = ({ metadata: { labels } }: V1ControllerRevision) => labels?.[hashLabel] !== undefined && matchesLabelSelector(selector, labels)
  return claim(
    candidates.filter((revision) => !controllerOf(revision)),
    { client, resource: ControllerRevision, ownerResource: resource, owner: object, matches },
  )
}

/** The revision of the present template: found, brought to the front, or made. Throws when its name is taken: the next look takes another. */
export async function currentRevision(owner: RevisionOwner, context: ReconcileContext): Promise<V1ControllerRevision> {
  const { object, template, resource } = owner
  const orphans = context
    .informer(ControllerRevision)
    .inNamespace(object.metadata.namespace)
    .filter((revision) => !controllerOf(revision))
  const known = [...revisionsOf(owner, context), ...(await adopted(orphans, owner, context))].sort(byRevision)
  // `$patch` makes it a strategic merge patch that puts the template in place: that is how clients go back to it.
  const data = { spec: { template: { ...template, $patch: 'replace' } } }
  const next = (known.at(-1)?.revision ?? 0) + 1
  const same = known.find((revision) => deepEqual(revision.data, data))
  if (same) return same.revision === next - 1 ? same : context.client.update(ControllerRevision, { ...same, revision: next })
  const hash = templateHash(template, owner.collisionCount || undefined)
  const { name, namespace, annotations } = object.metadata
  const labels = { ...template.metadata?.labels, [owner.hashLabel]: hash }
  // Annotations come along: `kubectl rollout history` shows the cause of each change from there.
  const metadata = { name: `${name}-${hash}`, namespace, labels, ...(annotations && { annotations }), ownerReferences: [controllerReference(resource, object)] }
  try {
    return await context.client.create(ControllerRevision, { metadata, data, revision: next })
  } catch (error) {
    if (!isApiError(error, 'AlreadyExists')) throw error
    const found = await context.client.get(ControllerRevision, { namespace, name: metadata.name })
    const isOurs = isControlledBy(found, object) || object.metadata.deletionTimestamp !== undefined || (await adopted([found], owner, context)).length > 0
    if (isOurs && deepEqual(found.data, data)) return found
    await owner.collided((owner.collisionCount ?? 0) + 1)
    throw new Error(`the name of controller revision ${metadata.name} is taken`, { cause: error })
  }
}

export function templateOf(revision: V1ControllerRevision): V1PodTemplateSpec {
  const { $patch: _, ...template } = (revision.data as { spec: { template: V1PodTemplateSpec & { $patch?: string } } }).spec.template
  return template
}

/** Deletes the oldest that nothing runs by, beyond the limit. */
export async function forgetRevisions(owner: RevisionOwner, live: ReadonlySet<string>, limit: number, context: ReconcileContext): Promise<void> {
  const old = revisionsOf(owner, context).filter(({ metadata }) => !live.has(metadata.name))
  for (const { metadata } of old.slice(0, Math.max(0, old.length - limit))) {
    try {
      await context.client.delete(ControllerRevision, metadata)
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error
    }
  }
}
