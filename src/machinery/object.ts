/** What every object of the API has. Objects are plain JSON and immutable once stored (design, rule 6). */
import type { V1ObjectMeta } from './schema/generated/types.ts'

/** Metadata of an object that is stored: the server has given it identity. */
export type StoredMeta = V1ObjectMeta & { name: string; uid: string; resourceVersion: string; creationTimestamp: string }

export type NamespacedMeta = StoredMeta & { namespace: string }

export interface KubeObject {
  apiVersion?: string
  kind?: string
  metadata: StoredMeta
}

/** Any object, where the code does not know its kind: fields beside the metadata are unknown. */
export type AnyObject = KubeObject & { [field: string]: unknown }

/** An object that is to be created: the server will fill in identity, and whatever is defaulted. */
export type New<T extends KubeObject> = Omit<T, 'metadata' | 'status'> & { metadata: V1ObjectMeta; status?: unknown }

export interface ObjectList<T> {
  apiVersion?: string
  kind?: string
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number }
  items: T[]
}

export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  /** Only `metadata.resourceVersion` (and the initial-events-end annotation) is meaningful. */
  | { type: 'BOOKMARK'; object: T }
  /** A Status; the watch ends after it (410 Expired: list again). */
  | { type: 'ERROR'; object: Status }

/** `metav1.Status` on the wire. */
export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: { resourceVersion?: string; continue?: string }
  status: 'Success' | 'Failure'
  message?: string
  reason?: string
  details?: {
    name?: string
    group?: string
    kind?: string
    uid?: string
    causes?: StatusCause[]
    retryAfterSeconds?: number
  }
  code?: number
}

export interface StatusCause {
  reason?: string
  message?: string
  field?: string
}

/** `namespace/name`, or the name alone for a cluster-scoped object. The key of work queues and caches. */
export function keyOf(object: { metadata: V1ObjectMeta }): string {
  const { namespace, name } = object.metadata
  return namespace ? `${namespace}/${name}` : (name ?? '')
}

/** The reverse of {@link keyOf}. */
export function splitKey(key: string): { namespace?: string; name: string } {
  const slash = key.indexOf('/')
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}
