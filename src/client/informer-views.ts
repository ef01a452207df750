/**
 * Many who each follow a part of one resource share one informer: a change is handed to those alone whose part it
 * is in, where an informer for each would be a watch and a cache for each.
 */
import { type KubeObject, keyOf } from '../machinery/object.ts'
import type { Logger } from './component.ts'
import type { Change, ChangeHandler, Informer } from './informer.ts'

export interface InformerViewsOptions<T extends KubeObject> {
  informer: Informer<T>
  /** Of the index, which others may use as well. */
  name: string
  /** In which part an object is. It must stay there until it is deleted, or have been in none. */
  partOf(object: T): string | undefined
  log: Logger
}

export class InformerViews<T extends KubeObject> {
  readonly #options: InformerViewsOptions<T>
  readonly #handlers = new Map<string, Set<ChangeHandler<T>>>()
  readonly #undo: () => void

  constructor(options: InformerViewsOptions<T>) {
    const { informer, name, partOf } = options
    this.#options = options
    informer.addIndex(name, (object) => {
      const part = partOf(object)
      return part === undefined ? [] : [part]
    })
    this.#undo = informer.onChange((change) => this.#hand(change))
  }

  /** The part as an informer of its own: with the revision of the whole. */
  view(part: string): Informer<T> {
    const { informer, name, partOf } = this.#options
    const mine = (object: T | undefined) => (object && partOf(object) === part ? object : undefined)
    const list = () => informer.indexed(name, part)
    return {
      resource: informer.resource,
      get synced() {
        return informer.synced
      },
      get revision() {
        return informer.revision
      },
      whenSynced: (signal) => informer.whenSynced(signal),
      until: (holds, signal) => informer.until(holds, signal),
      get: (key) => mine(informer.get(key)),
      list,
      inNamespace: (namespace) => list().filter(({ metadata }) => metadata.namespace === namespace),
      ownedBy: (uid) => informer.ownedBy(uid).filter(mine),
      addIndex: (index, values) => informer.addIndex(index, values),
      indexed: (index, value) => informer.indexed(index, value).filter(mine),
      onChange: (handler) => this.#listen(part, list(), handler),
    }
  }

  stop(): void {
    this.#undo()
    this.#handlers.clear()
  }

  #listen(part: string, existing: T[], handler: ChangeHandler<T>): () => void {
    for (const object of existing) this.#call(handler, { type: 'added', object, previous: undefined, revision: Number(object.metadata.resourceVersion) })
    const handlers = this.#handlers.get(part) ?? new Set()
    this.#handlers.set(part, handlers)
    handlers.add(handler)
    return () => {
      handlers.delete(handler)
      if (handlers.size === 0 && this.#handlers.get(part) === handlers) this.#handlers.delete(part)
    }
  }

  #hand(change: Change<T>): void {
    const { partOf } = this.#options
    const part = partOf(change.object)
    const handlers = part === undefined ? undefined : this.#handlers.get(part)
    if (!handlers) return
    const isNew = change.type === 'updated' && change.previous !== undefined && partOf(change.previous) !== part
    const told: Change<T> = isNew ? { ...change, type: 'added', previous: undefined } : change
    for (const handler of [...handlers]) this.#call(handler, told)
  }

  #call(handler: ChangeHandler<T>, change: Change<T>): void {
    try {
      handler(change)
    } catch (error) {
      this.#options.log.error('a change handler failed', { key: keyOf(change.object), error })
    }
  }
}
