/** Decides about one object of the owner graph, asking the server, and does it. */
import type { Client } from '../client/client.ts'
import type { DiscoveredResource } from '../client/discovery.ts'
import type { EventRecorder } from '../client/event-recorder.ts'
import { isApiError } from '../machinery/errors.ts'
import type { AnyObject } from '../machinery/object.ts'
import type { V1OwnerReference } from '../machinery/schema/generated/types.ts'
import { foregroundFinalizer, type OwnerGraph, type OwnerNode, orphanFinalizer } from './owner-graph.ts'

type OwnerState =
  /** There, and to stay. */
  | 'solid'
  /** There no more, or another by its name. */
  | 'absent'
  /** There, and waits until its dependents are gone. */
  | 'waiting'
  /** Cannot be told: the reference names what cannot own it, or a kind that nobody serves. */
  | 'unclear'

const maxAbsent = 5000

export class DependentCollector {
  readonly #graph: OwnerGraph
  readonly #kindOf: (apiVersion: string, kind: string) => DiscoveredResource | undefined
  readonly #events: EventRecorder
  /** Uids never come back: who is in here need not be asked for. */
  readonly #absent = new Set<string>()

  constructor(graph: OwnerGraph, kindOf: (apiVersion: string, kind: string) => DiscoveredResource | undefined, events: EventRecorder) {
    this.#graph = graph
    this.#kindOf = kindOf
    this.#events = events
  }

  noteAbsent(uid: string): void {
    this.#absent.add(uid)
    if (this.#absent.size <= maxAbsent) return
    const [oldest] = this.#absent
    if (oldest !== undefined) this.#absent.delete(oldest)
  }

  /** Returns the uids of others that are to be looked at because of it. */
  async collect(node: OwnerNode, client: Client): Promise<string[]> {
    if (node.orphaning) {
      await this.#orphan(node, client)
      return []
    }
    if (node.deletingDependents) return this.#awaitDependents(node, client)
    if (node.deleting || node.owners.every((owner) => this.#isWell(owner, node))) return []
    const object = await live(client, node.resource, node.namespace, node.name)
    if (object?.metadata.uid !== node.uid || object.metadata.deletionTimestamp) return []
    await this.#decide(node, object, client)
    return []
  }

  /** Known and to stay: its end would bring us here again. */
  #isWell(owner: V1OwnerReference, node: OwnerNode): boolean {
    const known = this.#graph.get(owner.uid)
    return (
      known !== undefined && !known.deletingDependents && known.name === owner.name && (known.namespace === undefined || known.namespace === node.namespace)
    )
  }

  async #decide(node: OwnerNode, object: AnyObject, client: Client): Promise<void> {
    const owners = object.metadata.ownerReferences ?? []
    const states = await Promise.all(owners.map((owner) => this.#stateOf(owner, node, client)))
    if (owners.length === 0 || states.includes('unclear')) return
    const needless = owners.filter((_, index) => states[index] !== 'solid')
    if (needless.length < owners.length) {
      if (needless.length > 0)
        await setOwners(
          client,
          node,
          object,
          owners.filter((owner) => !needless.includes(owner)),
        )
      return
    }
    const finalizers = object.metadata.finalizers ?? []
    const dependents = this.#graph.dependentsOf(node.uid)
    if (states.includes('waiting') && dependents.length > 0) {
      // Two that wait for each other would wait for ever: this one stops holding its owners up.
      if (dependents.some(({ deletingDependents }) => deletingDependents)) {
        object =
          (await setOwners(
            client,
            node,
            object,
            owners.map((owner) => ({ ...owner, blockOwnerDeletion: false })),
          )) ?? object
      }
      return remove(client, node, object, 'Foreground')
    }
    const policy = finalizers.includes(orphanFinalizer) ? 'Orphan' : finalizers.includes(foregroundFinalizer) ? 'Foreground' : 'Background'
    return remove(client, node, object, policy)
  }

  async #stateOf(owner: V1OwnerReference, node: OwnerNode, client: Client): Promise<OwnerState> {
    const known = this.#graph.get(owner.uid)
    if (known && known.namespace !== undefined && known.namespace !== node.namespace) this.#warnOfNamespace(owner, node)
    if (this.#absent.has(owner.uid)) return 'absent'
    const resource = this.#kindOf(owner.apiVersion, owner.kind)
    if (!resource || (resource.namespaced && node.namespace === undefined)) return 'unclear'
    const found = await live(client, resource, resource.namespaced ? node.namespace : undefined, owner.name)
    if (found?.metadata.uid !== owner.uid) {
      // Where it is known, only the reference is wrong, and others may name it rightly.
      if (!known) this.noteAbsent(owner.uid)
      return 'absent'
    }
    const waits = found.metadata.deletionTimestamp && (found.metadata.finalizers ?? []).includes(foregroundFinalizer)
    return waits ? 'waiting' : 'solid'
  }

  #warnOfNamespace(owner: V1OwnerReference, { resource, namespace, name, uid }: OwnerNode): void {
    const about = { apiVersion: resource.group ? `${resource.group}/${resource.version}` : resource.version, kind: resource.kind, namespace, name, uid }
    const reference = `[${owner.apiVersion}/${owner.kind}, namespace: ${namespace ?? ''}, name: ${owner.name}, uid: ${owner.uid}]`
    this.#events.event(about, 'Warning', 'OwnerRefInvalidNamespace', `ownerRef ${reference} does not exist in namespace "${namespace ?? ''}"`)
  }

  async #awaitDependents(node: OwnerNode, client: Client): Promise<string[]> {
    const blockers = this.#graph.blockersOf(node.uid)
    if (blockers.length === 0) {
      await removeFinalizer(client, node, foregroundFinalizer)
      return []
    }
    return blockers.filter(({ deletingDependents }) => !deletingDependents).map(({ uid }) => uid)
  }

  async #orphan(node: OwnerNode, client: Client): Promise<void> {
    for (const dependent of this.#graph.dependentsOf(node.uid)) {
      const object = await live(client, dependent.resource, dependent.namespace, dependent.name)
      if (object?.metadata.uid !== dependent.uid) continue
      const owners = object.metadata.ownerReferences ?? []
      const others = owners.filter(({ uid }) => uid !== node.uid)
      if (others.length < owners.length) await setOwners(client, dependent, object, others)
    }
    await removeFinalizer(client, node, orphanFinalizer)
  }
}

const live = (client: Client, resource: DiscoveredResource, namespace: string | undefined, name: string) => client.find(resource, { namespace, name })

async function setOwners(client: Client, node: OwnerNode, object: AnyObject, ownerReferences: V1OwnerReference[]): Promise<AnyObject | undefined> {
  const { uid, resourceVersion } = object.metadata
  return unlessGone(client.patch(node.resource, node, 'merge', { metadata: { uid, resourceVersion, ownerReferences } }))
}

async function removeFinalizer(client: Client, node: OwnerNode, finalizer: string): Promise<void> {
  const object = await live(client, node.resource, node.namespace, node.name)
  if (object?.metadata.uid !== node.uid || !object.metadata.finalizers?.includes(finalizer)) return
  const { uid, resourceVersion } = object.metadata
  const finalizers = object.metadata.finalizers.filter((name) => name !== finalizer)
  await unlessGone(client.patch(node.resource, node, 'merge', { metadata: { uid, resourceVersion, finalizers } }))
}

/** Only as it was when we decided: an owner may have been given to it since. */
async function remove(client: Client, node: OwnerNode, object: AnyObject, propagationPolicy: 'Orphan' | 'Foreground' | 'Background'): Promise<void> {
  const { uid, resourceVersion } = object.metadata
  await unlessGone(client.delete(node.resource, node, { propagationPolicy, preconditions: { uid, resourceVersion } }))
}

async function unlessGone<R>(request: Promise<R>): Promise<R | undefined> {
  try {
    return await request
  } catch (error) {
    if (isApiError(error, 'NotFound')) return undefined
    throw error
  }
}
