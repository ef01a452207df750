/** Which objects the pods of each node refer to, kept as pods come and go. */
import type { AnyObject } from '../../../machinery/object.ts'
import type { V1PersistentVolume, V1Pod, V1ResourceSlice } from '../../../machinery/schema/generated/types.ts'
import type { CachedObjects } from '../../contracts.ts'
import { isMirrorPod, podReferences, type Reference, reference, secretsOfSource } from './pod-references.ts'

export interface NodeGraphObjects {
  pods: CachedObjects
  persistentVolumes: CachedObjects
  volumeAttachments: CachedObjects
  resourceSlices: CachedObjects
}

export class NodeGraph {
  readonly #objects: NodeGraphObjects
  /** By what is referred to: how many pods of which node do. */
  readonly #referring = new Map<Reference, Map<string, number>>()
  /** Volumes by the Secrets that mounting them takes. */
  readonly #volumesOfSecret = new Map<Reference, Set<string>>()
  readonly #ends: (() => void)[]

  constructor(objects: NodeGraphObjects) {
    this.#objects = objects
    for (const pod of objects.pods.list()) this.#count(pod, 1)
    for (const volume of objects.persistentVolumes.list()) this.#addVolume(volume)
    this.#ends = [
      objects.pods.onChange(({ object, previous }) => {
        // Most changes of a pod are of its status.
        if (object && previous && object.spec === previous.spec && object.metadata.uid === previous.metadata.uid && claims(object) === claims(previous)) return
        if (previous) this.#count(previous, -1)
        if (object) this.#count(object, 1)
      }),
      objects.persistentVolumes.onChange(({ object, previous }) => {
        if (previous) this.#removeVolume(previous)
        if (object) this.#addVolume(object)
      }),
    ]
  }

  stop(): void {
    for (const end of this.#ends) end()
  }

  /** Whether the kubelet of this node has to do with the object, because of a pod that is bound to it. */
  relates(node: string, resource: string, namespace: string, name: string): boolean {
    if (resource === 'pods') {
      const pod = this.#objects.pods.get(namespace, name) as V1Pod | undefined
      // Of a pod that is gone it may learn that it is.
      return pod === undefined || pod.spec.nodeName === node
    }
    if (resource === 'volumeattachments') {
      const attachment = this.#objects.volumeAttachments.get('', name) as { spec?: { nodeName?: string } } | undefined
      return attachment?.spec?.nodeName === node
    }
    if (resource === 'resourceslices') {
      const slice = this.#objects.resourceSlices.get('', name) as V1ResourceSlice | undefined
      return slice?.spec.nodeName === node
    }
    if (resource === 'persistentvolumes') return this.#relatesVolume(node, name)
    const found = reference(resource, namespace, name)
    if (this.#referring.get(found)?.has(node)) return true
    if (resource !== 'secrets') return false
    for (const volume of this.#volumesOfSecret.get(found) ?? []) if (this.#relatesVolume(node, volume)) return true
    return false
  }

  #relatesVolume(node: string, name: string): boolean {
    const claim = (this.#objects.persistentVolumes.get('', name) as V1PersistentVolume | undefined)?.spec.claimRef
    return claim?.name !== undefined && this.relates(node, 'persistentvolumeclaims', claim.namespace ?? '', claim.name)
  }

  #count(object: AnyObject, by: 1 | -1): void {
    const pod = object as unknown as V1Pod
    const node = pod.spec?.nodeName
    if (!node || isMirrorPod(object)) return
    for (const found of podReferences(pod)) {
      const nodes = this.#referring.get(found) ?? new Map<string, number>()
      const count = (nodes.get(node) ?? 0) + by
      if (count > 0) this.#referring.set(found, nodes.set(node, count))
      else if (nodes.delete(node) && nodes.size === 0) this.#referring.delete(found)
    }
  }

  #addVolume(volume: AnyObject): void {
    for (const secret of secretsOfVolume(volume)) {
      const volumes = this.#volumesOfSecret.get(secret) ?? new Set<string>()
      this.#volumesOfSecret.set(secret, volumes.add(volume.metadata.name))
    }
  }

  #removeVolume(volume: AnyObject): void {
    for (const secret of secretsOfVolume(volume)) {
      const volumes = this.#volumesOfSecret.get(secret)
      if (volumes?.delete(volume.metadata.name) && volumes.size === 0) this.#volumesOfSecret.delete(secret)
    }
  }
}

const claims = (pod: AnyObject) => (pod as unknown as V1Pod).status?.resourceClaimStatuses

function secretsOfVolume(volume: AnyObject): Reference[] {
  const spec = volume.spec as { claimRef?: { namespace?: string } } & Record<string, unknown>
  const home = spec.claimRef?.namespace ?? ''
  return Object.values(spec)
    .flatMap(secretsOfSource)
    .map(({ name, namespace }) => reference('secrets', namespace ?? home, name))
}
