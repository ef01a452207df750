/**
 * One served resource over the store: consistent reads from the cache, writes that compare and swap, conversion
 * where another version is stored. It keeps no rule of the API; those are the verbs'.
 */
import type { Resource } from '../../apis/resource.ts'
import { ApiError } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { KeyValue, Store } from '../../store/store.ts'
import { groupResource, type WriteRecord } from '../contracts.ts'
import { cloneJson } from '../negotiation/clone-json.ts'
import { share } from '../values/object-codec.ts'
import type { CacheFeed } from '../watch-cache/cache-feed.ts'
import type { ResourceCache } from '../watch-cache/resource-cache.ts'
import type { WriteRequest } from './write-request.ts'

export interface StorageDependencies {
  store: Store
  feed: CacheFeed
  now(): number
  onWrite(record: WriteRecord): void
}

/** What etcd takes in one request by default; whoever moves to it finds all objects small enough. */
const maxStoredBytes = 1.5 * 1024 * 1024

/** Upstream passes on what etcd says, without a reason. */
const tooLargeToStore = () =>
  new ApiError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: 'etcdserver: request is too large', code: 500 })

/** What is stored, as this resource's version shows it. */
export interface Current {
  object: AnyObject
  revision: number
}

export class Storage {
  readonly resource: Resource
  readonly cache: ResourceCache
  readonly #dependencies: StorageDependencies
  readonly #converted = new WeakMap<AnyObject, AnyObject>()

  constructor(resource: Resource, cache: ResourceCache, dependencies: StorageDependencies) {
    this.resource = resource
    this.cache = cache
    this.#dependencies = dependencies
  }

  keyOf(namespace: string, name: string): string {
    return this.cache.prefix + (this.resource.namespaced ? `${namespace}/${name}` : name)
  }

  /** From the stored version; the same result for the same object. */
  readonly fromStored = (stored: AnyObject): AnyObject => {
    const { storedAs } = this.resource
    if (!storedAs) return stored
    const known = this.#converted.get(stored)
    if (known) return known
    const { kind, apiVersion, ...rest } = storedAs.fromStored(stored)
    const object = share({ kind: this.resource.kind, apiVersion: apiVersionOf(this.resource), ...rest } as AnyObject)
    this.#converted.set(stored, object)
    return object
  }

  get convert(): ((stored: AnyObject) => AnyObject) | undefined {
    return this.resource.storedAs ? this.fromStored : undefined
  }

  /** As of now: every write that was answered before this call is seen. */
  async current(namespace: string, name: string): Promise<Current | undefined> {
    await this.cache.ready()
    await this.#dependencies.feed.caughtUp()
    const stored = this.cache.get(this.resource.namespaced ? namespace : '', name)
    return stored && { object: this.fromStored(stored), revision: Number(stored.metadata.resourceVersion) }
  }

  /** Writes if the object's revision is `expected` (0: there is none). The draft must not change afterwards. Undefined: it was another. */
  async put(draft: AnyObject, expected: number, request: WriteRequest): Promise<AnyObject | undefined> {
    const { namespace = '', name } = draft.metadata
    const key = this.keyOf(namespace, name)
    const { storedAs } = this.resource
    const { codec } = this.cache
    const value = codec.encode(storedAs ? storedAs.toStored(draft) : draft, key)
    if (value.byteLength > maxStoredBytes) throw tooLargeToStore()
    const result = await this.#dependencies.store.put(key, value, expected)
    if (!result.ok) return undefined
    const stored = this.#decode({ key, value, modRevision: result.revision, createRevision: expected ? 0 : result.revision })
    this.#record(result.revision, key, draft, request, expected === 0 ? 'create' : undefined)
    return this.fromStored(stored)
  }

  /** Deletes if the object's revision is `expected`. Undefined: it was another. The answer has the revision of the deletion. */
  async remove(object: AnyObject, expected: number, request: WriteRequest): Promise<AnyObject | undefined> {
    const { namespace = '', name } = object.metadata
    const key = this.keyOf(namespace, name)
    const result = await this.#dependencies.store.delete(key, expected)
    if (!result.ok) return undefined
    this.#record(result.revision, key, object, request, 'delete')
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(result.revision) } }
  }

  /** A copy that may be changed in place. */
  draftOf(object: AnyObject): AnyObject {
    return cloneJson(object)
  }

  #decode(kv: KeyValue): AnyObject {
    return this.cache.codec.decode(kv)
  }

  #record(revision: number, key: string, object: AnyObject, request: WriteRequest, verb: WriteRecord['verb'] | undefined) {
    this.#dependencies.onWrite({
      revision,
      key,
      resource: groupResource(this.resource),
      name: object.metadata.name,
      namespace: object.metadata.namespace ?? '',
      verb: request.verb === 'apply' || request.verb === 'patch' ? request.verb : (verb ?? request.verb),
      subresource: request.subresource,
      user: request.user,
      userAgent: request.userAgent,
      at: this.#dependencies.now(),
      requestId: request.requestId,
      cause: request.cause,
    })
  }
}

export const apiVersionOf = (resource: { group: string; version: string }): string =>
  resource.group ? `${resource.group}/${resource.version}` : resource.version
