/**
 * A cache of one resource that follows the server by list and watch, and tells handlers of changes.
 * Contract; the implementation is `reflector.ts` and `indexed-cache.ts`.
 */
import type { KubeObject } from '../machinery/object.ts'
import type { ResourceRef } from './client.ts'

export interface Informer<T extends KubeObject = KubeObject> {
  readonly resource: ResourceRef<T>
  /** True once the first list is in the cache. */
  readonly synced: boolean
  whenSynced(signal?: AbortSignal): Promise<void>
  /** The cache holds every change of its resource up to this revision. */
  readonly revision: number
  /** By key `namespace/name` or `name`. */
  get(key: string): T | undefined
  list(): T[]
  inNamespace(namespace: string): T[]
  /** Objects whose controller or other owner has this uid. Indexed. */
  ownedBy(uid: string): T[]
  /** Adds an index; `indexed(name, value)` reads it. */
  addIndex(name: string, values: (object: T) => string[]): void
  indexed(name: string, value: string): T[]
  /** Handlers run synchronously in order of revision, from the moment of adding: existing objects come as `added`. */
  onChange(handler: ChangeHandler<T>): () => void
  /** Resolves once `holds` is true; asked now and after each change. Rejects with the signal's reason. */
  until(holds: () => boolean, signal?: AbortSignal): Promise<void>
}

export interface Change<T> {
  type: 'added' | 'updated' | 'deleted'
  object: T
  /** What the cache held before (updated, deleted). */
  previous: T | undefined
  /** The revision that made it; becomes a cause of what is done about it. */
  revision: number
}

export type ChangeHandler<T> = (change: Change<T>) => void

/** Shares one informer per resource (and selector) among all that reads with one client. */
export interface InformerFactory {
  informer<T extends KubeObject>(resource: ResourceRef<T>, options?: { namespace?: string; labelSelector?: string; fieldSelector?: string }): Informer<T>
  /** Resolves when every informer that was asked for so far is synced. */
  whenSynced(signal?: AbortSignal): Promise<void>
  stop(): void
}
