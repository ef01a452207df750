import type { ResourceRef } from '../client/client.ts'
import { apiVersionOf } from '../client/resource-path.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { V1ObjectMeta, V1OwnerReference } from '../machinery/schema/generated/types.ts'

/** The reference by which an object says who controls it. */
export function controllerReference(resource: ResourceRef, owner: KubeObject): V1OwnerReference {
  const { name, uid } = owner.metadata
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, name, uid, controller: true, blockOwnerDeletion: true }
}

export const controllerOf = ({ metadata }: { metadata: V1ObjectMeta }): V1OwnerReference | undefined =>
  metadata.ownerReferences?.find((reference) => reference.controller)

export const isControlledBy = (object: { metadata: V1ObjectMeta }, owner: KubeObject): boolean => controllerOf(object)?.uid === owner.metadata.uid
