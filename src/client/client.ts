/**
 * The one way in which components reach the API (design, rule 1): typed calls for a resource over a
 * {@link Transport}. Every call throws {@link ApiError} for an answer that is a failure Status.
 * Objects that come back are shared and must not be changed: make a new one.
 */
import type { KubeObject, New, ObjectList, WatchEvent } from '../machinery/object.ts'

/** Enough of a resource to address it. The resource files in `apis/` satisfy it. */
export interface ResourceRef<T extends KubeObject = KubeObject> {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
  /** Carries the type only; never set. */
  readonly type?: T
}

export interface ListOptions {
  /** Absent: all namespaces. */
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  limit?: number
  continue?: string
  resourceVersion?: string
  resourceVersionMatch?: 'Exact' | 'NotOlderThan'
  signal?: AbortSignal
}

export interface WatchOptions extends ListOptions {
  allowWatchBookmarks?: boolean
  sendInitialEvents?: boolean
  timeoutSeconds?: number
}

export interface WriteOptions {
  dryRun?: boolean
  fieldManager?: string
  signal?: AbortSignal
}

export interface DeleteOptions {
  gracePeriodSeconds?: number
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan'
  preconditions?: { uid?: string; resourceVersion?: string }
  dryRun?: boolean
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply'

export interface Name {
  name: string
  /** Required for namespaced resources. */
  namespace?: string
}

export interface Client {
  get<T extends KubeObject>(resource: ResourceRef<T>, at: Name, options?: { resourceVersion?: string; signal?: AbortSignal }): Promise<T>
  /** {@link get}, with undefined for NotFound. */
  find<T extends KubeObject>(resource: ResourceRef<T>, at: Name): Promise<T | undefined>
  list<T extends KubeObject>(resource: ResourceRef<T>, options?: ListOptions): Promise<ObjectList<T>>
  /** Ends when the server ends it or the signal is aborted; a 410 comes as an ERROR event. */
  watch<T extends KubeObject>(resource: ResourceRef<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>
  create<T extends KubeObject>(resource: ResourceRef<T>, object: New<T>, options?: WriteOptions): Promise<T>
  /** Replaces; `metadata.resourceVersion`, where set, must be the stored one. */
  update<T extends KubeObject>(resource: ResourceRef<T>, object: T, options?: WriteOptions): Promise<T>
  updateStatus<T extends KubeObject>(resource: ResourceRef<T>, object: T, options?: WriteOptions): Promise<T>
  patch<T extends KubeObject>(
    resource: ResourceRef<T>,
    at: Name,
    type: PatchType,
    patch: unknown,
    options?: WriteOptions & { subresource?: string; force?: boolean },
  ): Promise<T>
  delete<T extends KubeObject>(resource: ResourceRef<T>, at: Name, options?: DeleteOptions): Promise<void>
  deleteCollection<T extends KubeObject>(resource: ResourceRef<T>, list: ListOptions, options?: DeleteOptions): Promise<void>
  /** GET, POST or PUT on a subresource (`scale`, `binding`, `eviction`, `token`, …). */
  subresource<R>(resource: ResourceRef, at: Name, subresource: string, verb: 'get' | 'create' | 'update', body?: unknown, options?: WriteOptions): Promise<R>
  /** For what is not a resource: discovery, health, logs. */
  raw(request: import('./transport.ts').TransportRequest): Promise<import('./transport.ts').TransportResponse>
  /**
   * The same client, whose writes carry these causes: what the caller had seen when it was woken, and the
   * spans of work it did (design, "What happened, and why"). Used by the controller plumbing.
   */
  because(cause: Cause): Client
}

/** Why a write is made. Sent with it; the server records it with the write's revision. */
export interface Cause {
  /** `deployment-controller`, `kubelet/node-1`, … */
  component: string
  /** Revisions of the changes that woke this work, newest last; at most 32. */
  seen: number[]
  spans?: Span[]
}

/** A piece of work between two writes: an image pulled, a container started, rules loaded. */
export interface Span {
  name: string
  /** Milliseconds since the epoch. */
  start: number
  end: number
  /** `namespace/name` or other words that say what it was about. */
  about?: string
  attributes?: Record<string, string | number | boolean>
}
