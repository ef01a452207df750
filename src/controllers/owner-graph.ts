/**
 * Who owns whom, of all objects that can be deleted. Kept by changes alone; owners that are not known (yet, or any
 * more) count too, by the uid that their dependents name.
 */
import type { DiscoveredResource } from '../client/discovery.ts'
import type { AnyObject } from '../machinery/object.ts'
import type { V1OwnerReference } from '../machinery/schema/generated/types.ts'

export const foregroundFinalizer = 'foregroundDeletion'
export const orphanFinalizer = 'orphan'

export interface OwnerNode {
  readonly uid: string
  readonly resource: DiscoveredResource
  readonly namespace: string | undefined
  readonly name: string
  readonly owners: readonly V1OwnerReference[]
  readonly deleting: boolean
  /** Is being deleted, and waits until its dependents are gone. */
  readonly deletingDependents: boolean
  /** Is being deleted, and its dependents are to be let go first. */
  readonly orphaning: boolean
}

export class OwnerGraph {
  readonly #nodes = new Map<string, OwnerNode>()
  readonly #dependents = new Map<string, Set<string>>()

  get(uid: string): OwnerNode | undefined {
    return this.#nodes.get(uid)
  }

  get size(): number {
    return this.#nodes.size
  }

  dependentsOf(uid: string): OwnerNode[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#nodes.get(dependent) ?? [])
  }

  /** Those without which a deletion in the foreground may not end. */
  blockersOf(uid: string): OwnerNode[] {
    return this.dependentsOf(uid).filter(({ owners }) => owners.some((owner) => owner.uid === uid && owner.blockOwnerDeletion))
  }

  /** Returns the node as it was and as it is. */
  put(resource: DiscoveredResource, { metadata }: AnyObject): { previous: OwnerNode | undefined; node: OwnerNode } {
    const previous = this.#nodes.get(metadata.uid)
    const deleting = metadata.deletionTimestamp !== undefined
    const node: OwnerNode = {
      uid: metadata.uid,
      resource,
      namespace: metadata.namespace,
      name: metadata.name,
      owners: metadata.ownerReferences ?? [],
      deleting,
      deletingDependents: deleting && (metadata.finalizers ?? []).includes(foregroundFinalizer),
      orphaning: deleting && (metadata.finalizers ?? []).includes(orphanFinalizer),
    }
    this.#nodes.set(node.uid, node)
    for (const { uid } of previous?.owners ?? []) this.#unlink(uid, node.uid)
    for (const { uid } of node.owners) this.#link(uid, node.uid)
    return { previous, node }
  }

  /** Its dependents go on naming it. */
  remove(uid: string): OwnerNode | undefined {
    const node = this.#nodes.get(uid)
    this.#nodes.delete(uid)
    for (const owner of node?.owners ?? []) this.#unlink(owner.uid, uid)
    return node
  }

  #link(owner: string, dependent: string): void {
    const dependents = this.#dependents.get(owner)
    if (dependents) dependents.add(dependent)
    else this.#dependents.set(owner, new Set([dependent]))
  }

  #unlink(owner: string, dependent: string): void {
    const dependents = this.#dependents.get(owner)
    dependents?.delete(dependent)
    if (dependents?.size === 0) this.#dependents.delete(owner)
  }
}
