/**
 * Caches lag behind the server. A reconcile that runs before the cache holds what the last one wrote would do
 * it twice: create the same pods again, delete more than is too much. So the writes of a reconcile are noted,
 * and its key is not worked on again until the caches it reads have seen them all. This is what upstream's
 * controllers keep expectations for, done once for all of them.
 */
import { isApiError } from '../machinery/errors.ts'
import { type KubeObject, keyOf } from '../machinery/object.ts'
import type { Client, ResourceRef, WriteOptions } from './client.ts'
import type { Informer } from './informer.ts'

interface Write {
  informer: Informer
  seen(): boolean
}

export type InformerOf = (resource: ResourceRef) => Informer | undefined

export class WritesToSee {
  readonly #informerOf: InformerOf
  readonly #writes = new Map<string, Write[]>()

  /** `informerOf` returns the informer of a resource if the controller has one. */
  constructor(informerOf: InformerOf) {
    this.#informerOf = informerOf
  }

  /** Whether anything was written for the key that the caches may not hold yet. */
  awaits(key: string): boolean {
    return this.#writes.has(key)
  }

  /** Resolves when the caches hold what was written for the key; rejects when the signal is aborted. */
  async seen(key: string, signal: AbortSignal): Promise<void> {
    for (const write of this.#writes.get(key) ?? []) await write.informer.until(write.seen, signal)
    this.#writes.delete(key)
  }

  /** For when it is no use to wait longer. */
  forget(key: string): void {
    this.#writes.delete(key)
  }

  /** The same client, whose writes are noted under the key. */
  noting(key: string, client: Client): Client {
    return notingClient(client, (resource, seen) => {
      const informer = this.#informerOf(resource)
      if (!informer) return
      const write = { informer, seen: () => seen(informer) }
      const writes = this.#writes.get(key)
      if (writes) writes.push(write)
      else this.#writes.set(key, [write])
    })
  }
}

type Note = (resource: ResourceRef, seen: (informer: Informer) => boolean) => void

function notingClient(client: Client, note: Note): Client {
  const wrote = async <T extends KubeObject>(resource: ResourceRef<T>, writing: Promise<T>, options?: WriteOptions): Promise<T> => {
    const object = await writing
    const revision = Number(object.metadata.resourceVersion)
    if (!options?.dryRun) note(resource as unknown as ResourceRef, (informer) => !(informer.revision < revision))
    return object
  }
  return {
    get: (resource, at, options) => client.get(resource, at, options),
    find: (resource, at) => client.find(resource, at),
    list: (resource, options) => client.list(resource, options),
    watch: (resource, options) => client.watch(resource, options),
    raw: (request) => client.raw(request),
    subresource: (resource, at, name, verb, body, options) => client.subresource(resource, at, name, verb, body, options),
    deleteCollection: (resource, list, options) => client.deleteCollection(resource, list, options),
    because: (cause) => notingClient(client.because(cause), note),
    create: (resource, object, options) => wrote(resource, client.create(resource, object, options), options),
    update: (resource, object, options) => wrote(resource, client.update(resource, object, options), options),
    updateStatus: (resource, object, options) => wrote(resource, client.updateStatus(resource, object, options), options),
    patch: (resource, at, type, patch, options) => wrote(resource, client.patch(resource, at, type, patch, options), options),
    async delete(resource, at, options) {
      const key = keyOf({ metadata: at })
      const uidOf = (informer: Informer) => options?.preconditions?.uid ?? informer.get(key)?.metadata.uid
      let uid: string | undefined
      const ended = (informer: Informer) => {
        const held = informer.get(key)
        uid ??= uidOf(informer)
        return held === undefined || held.metadata.uid !== uid || held.metadata.deletionTimestamp !== undefined
      }
      try {
        await client.delete(resource, at, options)
      } catch (error) {
        // It is gone, and the cache does not know yet.
        if (isApiError(error, 'NotFound') && !options?.dryRun) note(resource as unknown as ResourceRef, ended)
        throw error
      }
      if (!options?.dryRun) note(resource as unknown as ResourceRef, ended)
    },
  }
}
