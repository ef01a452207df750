/**
 * Which objects a controller has by its selector: those it controls already, orphans that match (adopted), and
 * not those that match no longer (released).
 */
import type { Client, ResourceRef } from '../client/client.ts'
import { isApiError } from '../machinery/errors.ts'
import type { KubeObject } from '../machinery/object.ts'
import { controllerOf, controllerReference } from './owner-reference.ts'

export interface Claim<C extends KubeObject> {
  client: Client
  /** What the objects are. */
  resource: ResourceRef<C>
  ownerResource: ResourceRef
  owner: KubeObject
  matches(candidate: C): boolean
  /** Adopted only if so; an object that is finished or going is left alone. */
  mayAdopt?(candidate: C): boolean
  /** Held by what is adopted, and no more by what is released. */
  finalizer?: string
}

export async function claim<C extends KubeObject>(
  candidates: readonly C[],
  { client, resource, ownerResource, owner, matches, mayAdopt, finalizer }: Claim<C>,
): Promise<C[]> {
  const claimed: C[] = []
  let asked: Promise<void> | undefined
  for (const candidate of candidates) {
    const controller = controllerOf(candidate)
    if (controller && controller.uid !== owner.metadata.uid) continue
    if (controller) {
      if (matches(candidate)) claimed.push(candidate)
      else if (!owner.metadata.deletionTimestamp) await release(client, resource, candidate, owner, finalizer)
      continue
    }
    const ending = owner.metadata.deletionTimestamp || candidate.metadata.deletionTimestamp
    if (ending || !matches(candidate) || mayAdopt?.(candidate) === false) continue
    asked ??= mustStillExist(client, ownerResource, owner)
    await asked
    const adopted = await adopt(client, resource, ownerResource, candidate, owner, finalizer)
    if (adopted) claimed.push(adopted)
  }
  return claimed
}

/** The cache may not know yet that the owner is going: whoever adopts then would take objects into death with it. */
async function mustStillExist(client: Client, resource: ResourceRef, owner: KubeObject): Promise<void> {
  const { name, namespace, uid } = owner.metadata
  const current = await client.get(resource, { name, namespace })
  if (current.metadata.uid !== uid) throw new Error(`original ${resource.kind} ${namespace}/${name} is gone: got uid ${current.metadata.uid}, wanted ${uid}`)
  if (current.metadata.deletionTimestamp) throw new Error(`${namespace}/${name} has just been deleted at ${current.metadata.deletionTimestamp}`)
}

function adopt<C extends KubeObject>(
  client: Client,
  resource: ResourceRef<C>,
  ownerResource: ResourceRef,
  object: C,
  owner: KubeObject,
  finalizer: string | undefined,
): Promise<C | undefined> {
  const { ownerReferences = [], finalizers = [] } = object.metadata
  const held = finalizer !== undefined && !finalizers.includes(finalizer) && { finalizers: [...finalizers, finalizer] }
  return setOwners(client, resource, object, { ownerReferences: [...ownerReferences, controllerReference(ownerResource, owner)], ...held })
}

function release<C extends KubeObject>(
  client: Client,
  resource: ResourceRef<C>,
  object: C,
  owner: KubeObject,
  finalizer: string | undefined,
): Promise<C | undefined> {
  const { ownerReferences = [], finalizers = [] } = object.metadata
  const freed = finalizer !== undefined && finalizers.includes(finalizer) && { finalizers: finalizers.filter((name) => name !== finalizer) }
  return setOwners(client, resource, object, { ownerReferences: ownerReferences.filter(({ uid }) => uid !== owner.metadata.uid), ...freed })
}

/** Undefined when the object is gone. The resource version lets only one of several controllers win. */
async function setOwners<C extends KubeObject>(
  client: Client,
  resource: ResourceRef<C>,
  object: C,
  change: Pick<C['metadata'], 'ownerReferences' | 'finalizers'>,
): Promise<C | undefined> {
  const { name, namespace, uid, resourceVersion } = object.metadata
  try {
    return await client.patch(resource, { name, namespace }, 'merge', { metadata: { uid, resourceVersion, ...change } })
  } catch (error) {
    if (isApiError(error, 'NotFound')) return undefined
    throw error
  }
}
