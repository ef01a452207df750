/** {@link Informer}: a {@link Reflector} fills an {@link IndexedCache} and handlers hear of each change. */
import type { Clock } from '../machinery/clock.ts'
import { type KubeObject, keyOf } from '../machinery/object.ts'
import type { Client, ResourceRef } from './client.ts'
import type { Logger } from './component.ts'
import { IndexedCache } from './indexed-cache.ts'
import type { Change, ChangeHandler, Informer } from './informer.ts'
import { Reflector } from './reflector.ts'

export interface InformerOptions<T extends KubeObject> {
  client: Client
  resource: ResourceRef<T>
  selection?: { namespace?: string; labelSelector?: string; fieldSelector?: string }
  clock: Clock
  log: Logger
}

const namespaceIndex = 'namespace'
const ownerIndex = 'owner'

export class CachedInformer<T extends KubeObject> implements Informer<T> {
  readonly resource: ResourceRef<T>
  synced = false
  revision = 0
  readonly #log: Logger
  readonly #cache = new IndexedCache<T>()
  readonly #handlers = new Set<ChangeHandler<T>>()
  readonly #waiting = new Set<() => void>()
  readonly #reflector: Reflector<T>

  constructor({ client, resource, selection = {}, clock, log }: InformerOptions<T>) {
    this.resource = resource
    this.#log = log
    this.#cache.addIndex(namespaceIndex, ({ metadata }) => (metadata.namespace ? [metadata.namespace] : []))
    this.#cache.addIndex(ownerIndex, ({ metadata }) => (metadata.ownerReferences ?? []).map((owner) => owner.uid))
    this.#reflector = new Reflector({
      client,
      resource,
      selection,
      clock,
      log,
      onList: (items, revision) => this.#replace(items, revision),
      onEvent: (type, object) => this.#apply(type, object),
      onBookmark: (revision) => {
        this.revision = Number(revision)
        this.#wake()
      },
    })
  }

  /** Follows the server until the signal is aborted. */
  run(signal: AbortSignal): Promise<void> {
    return this.#reflector.run(signal)
  }

  get(key: string): T | undefined {
    return this.#cache.get(key)
  }

  list(): T[] {
    return this.#cache.list()
  }

  inNamespace(namespace: string): T[] {
    return this.#cache.indexed(namespaceIndex, namespace)
  }

  ownedBy(uid: string): T[] {
    return this.#cache.indexed(ownerIndex, uid)
  }

  addIndex(name: string, values: (object: T) => string[]): void {
    this.#cache.addIndex(name, values)
  }

  indexed(name: string, value: string): T[] {
    return this.#cache.indexed(name, value)
  }

  onChange(handler: ChangeHandler<T>): () => void {
    for (const object of this.#cache.list()) this.#call(handler, { type: 'added', object, previous: undefined, revision: revisionOf(object) })
    this.#handlers.add(handler)
    return () => this.#handlers.delete(handler)
  }

  whenSynced(signal?: AbortSignal): Promise<void> {
    return this.until(() => this.synced, signal)
  }

  until(holds: () => boolean, signal?: AbortSignal): Promise<void> {
    if (holds()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiting.delete(check)
        signal?.removeEventListener('abort', abort)
      }
      const abort = () => {
        end()
        reject(signal?.reason)
      }
      const check = () => {
        if (!holds()) return
        end()
        resolve()
      }
      if (signal?.aborted) return reject(signal.reason)
      signal?.addEventListener('abort', abort)
      this.#waiting.add(check)
    })
  }

  #apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void {
    const key = keyOf(object)
    const revision = revisionOf(object)
    const held = this.#cache.get(key)
    this.revision = Math.max(this.revision, revision)
    // A watch that was resumed may bring again what a list had already brought.
    const known = held && (revisionOf(held) > revision || (revisionOf(held) === revision && type !== 'DELETED'))
    if (!known && type === 'DELETED') {
      if (this.#cache.delete(key)) this.#tell({ type: 'deleted', object, previous: held, revision })
    } else if (!known) {
      this.#put(object, held)
    }
    this.#wake()
  }

  #put(object: T, held: T | undefined): void {
    const revision = revisionOf(object)
    // Another object under the same name: its predecessor's end was missed, and whoever counts must hear of it.
    if (held && held.metadata.uid !== object.metadata.uid) {
      this.#cache.delete(keyOf(object))
      this.#tell({ type: 'deleted', object: held, previous: held, revision })
      held = undefined
    }
    this.#cache.set(object)
    this.#tell(held ? { type: 'updated', object, previous: held, revision } : { type: 'added', object, previous: undefined, revision })
  }

  #replace(items: T[], revision: string): void {
    this.revision = Number(revision)
    const gone = new Set(this.#cache.keys())
    for (const item of items) gone.delete(keyOf(item))
    for (const key of gone) {
      const held = this.#cache.delete(key)
      if (held) this.#tell({ type: 'deleted', object: held, previous: held, revision: Number(revision) })
    }
    const inOrder = items.length > 1 && this.synced ? [...items].sort((a, b) => revisionOf(a) - revisionOf(b)) : items
    for (const item of inOrder) {
      const held = this.#cache.get(keyOf(item))
      if (held?.metadata.resourceVersion !== item.metadata.resourceVersion) this.#put(item, held)
    }
    this.synced = true
    this.#wake()
  }

  #tell(change: Change<T>): void {
    // A copy: a handler that is added meanwhile has got this change with the cache's content.
    for (const handler of [...this.#handlers]) this.#call(handler, change)
  }

  #call(handler: ChangeHandler<T>, change: Change<T>): void {
    try {
      handler(change)
    } catch (error) {
      this.#log.error('a change handler failed', { resource: this.resource.plural, key: keyOf(change.object), error })
    }
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check()
  }
}

const revisionOf = (object: KubeObject): number => Number(object.metadata.resourceVersion)
