/**
 * ConfigMaps and Secrets that pods of this node name, each watched alone (a node may read no others) for as
 * long as a pod refers to it.
 */
import { Backoff } from '../client/backoff.ts'
import type { Client, ResourceRef } from '../client/client.ts'
import type { Logger } from '../client/component.ts'
import { ConfigMap, Secret } from '../client/resources.ts'
import type { Clock } from '../machinery/clock.ts'
import { isApiError } from '../machinery/errors.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { V1ConfigMap, V1Pod, V1Secret } from '../machinery/schema/generated/types.ts'
import { configError, messageOf, StartError } from './container/start-error.ts'

export interface ReferencedObjects {
  /** Undefined when it is not there and `optional`; else throws a CreateContainerConfigError. */
  configMap(pod: V1Pod, name: string, optional?: boolean): Promise<V1ConfigMap | undefined>
  secret(pod: V1Pod, name: string, optional?: boolean): Promise<V1Secret | undefined>
}

interface Watched {
  /** `null`: known not to be there. `undefined`: not known yet. */
  object: KubeObject | null | undefined
  pods: Set<string>
  stop: AbortController
}

export class WatchedObjects implements ReferencedObjects {
  readonly #client: Client
  readonly #clock: Clock
  readonly #log: Logger
  /** A pod's object has changed, appeared or gone. */
  readonly #onChange: (uid: string) => void
  readonly #watched = new Map<string, Watched>()

  constructor(options: { client: Client; clock: Clock; log: Logger; onChange(uid: string): void }) {
    this.#client = options.client
    this.#clock = options.clock
    this.#log = options.log
    this.#onChange = options.onChange
  }

  configMap(pod: V1Pod, name: string, optional = false): Promise<V1ConfigMap | undefined> {
    return this.#read(ConfigMap, 'configmap', pod, name, optional)
  }

  secret(pod: V1Pod, name: string, optional = false): Promise<V1Secret | undefined> {
    return this.#read(Secret, 'secret', pod, name, optional)
  }

  /** The pod is gone: what nobody else refers to is watched no longer. */
  release(uid: string): void {
    for (const [key, watched] of this.#watched) {
      watched.pods.delete(uid)
      if (watched.pods.size > 0) continue
      watched.stop.abort(new Error('no pod refers to it'))
      this.#watched.delete(key)
    }
  }

  stop(): void {
    for (const { stop } of this.#watched.values()) stop.abort(new Error('the kubelet stops'))
    this.#watched.clear()
  }

  async #read<T extends KubeObject>(resource: ResourceRef<T>, word: string, pod: V1Pod, name: string, optional: boolean): Promise<T | undefined> {
    const { namespace, uid } = pod.metadata
    const key = `${resource.plural} ${namespace}/${name}`
    let watched = this.#watched.get(key)
    if (!watched) {
      watched = { object: undefined, pods: new Set(), stop: new AbortController() }
      this.#watched.set(key, watched)
      void this.#follow(resource, namespace, name, watched)
    }
    watched.pods.add(uid)
    let object = watched.object as T | null | undefined
    if (object === undefined) {
      try {
        object = (await this.#client.find(resource, { name, namespace })) ?? null
      } catch (error) {
        throw new StartError('CreateContainerConfigError', isApiError(error) ? error.message : `failed to sync ${word} cache: ${messageOf(error)}`, {
          cause: error,
        })
      }
    }
    if (object) return object
    if (optional) return undefined
    throw configError(`${word} ${JSON.stringify(name)} not found`)
  }

  async #follow(resource: ResourceRef, namespace: string, name: string, watched: Watched): Promise<void> {
    const { signal } = watched.stop
    const backoff = new Backoff(this.#clock, { initialMs: 500, maxMs: 30_000, jitter: 0.5 })
    const selection = { namespace, fieldSelector: `metadata.name=${name}` }
    while (!signal.aborted) {
      try {
        const list = await this.#client.list(resource, { ...selection, signal })
        this.#set(watched, list.items.find((object) => object.metadata.name === name) ?? null)
        for await (const event of this.#client.watch(resource, {
          ...selection,
          resourceVersion: list.metadata.resourceVersion,
          allowWatchBookmarks: true,
          signal,
        })) {
          if (event.type === 'ERROR') break
          if (event.type === 'BOOKMARK' || event.object.metadata.name !== name) continue
          backoff.reset()
          this.#set(watched, event.type === 'DELETED' ? null : event.object)
        }
      } catch (error) {
        if (!signal.aborted) this.#log.debug('a referenced object is not watched', { resource: resource.plural, namespace, name, error })
        // What was known may be old by now, but is the best there is; only the unknown is asked for again.
      }
      await this.#clock.sleep(backoff.next(), signal).catch(() => {})
    }
  }

  #set(watched: Watched, object: KubeObject | null): void {
    const before = watched.object
    watched.object = object
    if (before === undefined || before?.metadata.resourceVersion === object?.metadata.resourceVersion) return
    for (const uid of watched.pods) this.#onChange(uid)
  }
}
