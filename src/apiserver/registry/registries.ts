/** A registry for each served resource, made when it is first asked for; versions of one kind share a cache. */
import type { Resource } from '../../apis/resource.ts'
import type { Transformer } from '../../store/encryption/transformer.ts'
import { groupResource, type ResourceHooks, type ResourceTable } from '../contracts.ts'
import { ObjectCodec } from '../values/object-codec.ts'
import { ResourceCache } from '../watch-cache/resource-cache.ts'
import { Registry, type RegistryDependencies } from './registry.ts'
import { Storage, type StorageDependencies } from './storage.ts'

export interface RegistriesOptions extends Omit<RegistryDependencies, 'hooks'> {
  resources: ResourceTable
  transformer(group: string, plural: string): Transformer
  /** Asked when a registry is made. */
  hooksOf(groupResource: string): readonly ResourceHooks[]
  onWrite: StorageDependencies['onWrite']
}

export class Registries {
  readonly #options: RegistriesOptions
  readonly #registries = new Map<Resource, Registry>()
  readonly #byName = new Map<string, Registry>()
  readonly #caches = new Map<string, ResourceCache>()

  constructor(options: RegistriesOptions) {
    this.#options = options
    options.resources.onChange(() => this.#forget())
  }

  /** What is served no more (a definition removed or replaced) is not kept. */
  #forget(): void {
    this.#byName.clear()
    const served = new Set(this.#options.resources.all())
    for (const resource of this.#registries.keys()) if (!served.has(resource)) this.#registries.delete(resource)
    const prefixes = new Set([...served].map((resource) => (resource.storedAs?.resource ?? resource).storagePrefix))
    for (const [prefix, cache] of this.#caches) {
      if (prefixes.has(prefix)) continue
      this.#caches.delete(prefix)
      this.#options.feed.remove(prefix)
      cache.onClosed()
    }
  }

  of(resource: Resource): Registry {
    const known = this.#registries.get(resource)
    if (known) return known
    const { clock, store, feed, onWrite, hooksOf } = this.#options
    const storage = new Storage(resource, this.cacheOf(resource), { store, feed, onWrite, now: () => clock.now() })
    const registry = new Registry(storage, { ...this.#options, hooks: hooksOf(groupResource(resource)) })
    this.#registries.set(resource, registry)
    return registry
  }

  /** Of the stored version. */
  cacheOf(resource: Resource): ResourceCache {
    const stored = resource.storedAs?.resource ?? resource
    const known = this.#caches.get(stored.storagePrefix)
    if (known) return known
    const { store, feed, clock, transformer } = this.#options
    const cache = new ResourceCache(stored, new ObjectCodec(stored, transformer(stored.group, stored.plural)), store, feed, clock)
    this.#caches.set(stored.storagePrefix, cache)
    return cache
  }

  /** By group resource (`roles.rbac.authorization.k8s.io`). */
  byGroupResource(name: string): Registry | undefined {
    // Asked several times with every request: for the caller's account, for quotas.
    const known = this.#byName.get(name)
    if (known) return known
    const dot = name.indexOf('.')
    const plural = dot < 0 ? name : name.slice(0, dot)
    const resource = this.#options.resources.preferred(dot < 0 ? '' : name.slice(dot + 1), plural)
    const registry = resource && this.of(resource)
    if (registry) this.#byName.set(name, registry)
    return registry
  }

  caches(): Iterable<[string, ResourceCache]> {
    return this.#caches
  }
}
