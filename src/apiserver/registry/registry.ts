/**
 * What the verbs need to serve one resource. The verbs are functions, one file each: get, list, watch, create, update,
 * patch, delete, delete-collection, scale. None of them asks which kind it serves.
 */
import type { Resource, StrategyContext } from '../../apis/resource.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { About } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { Schema } from '../../machinery/schema/schema.ts'
import type { Store } from '../../store/store.ts'
import type { AdmissionAttributes, AdmissionVerb, HookAttributes, ResourceHooks } from '../contracts.ts'
import { groupResource } from '../contracts.ts'
import type { CacheFeed } from '../watch-cache/cache-feed.ts'
import type { AdmissionChain } from './admission-chain.ts'
import type { Storage } from './storage.ts'
import type { WriteRequest } from './write-request.ts'

export interface RegistryDependencies {
  schema: Schema
  clock: Clock
  store: Store
  feed: CacheFeed
  admission: AdmissionChain
  hooks: readonly ResourceHooks[]
  log(level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>): void
}

export class Registry {
  readonly storage: Storage
  readonly resource: Resource
  readonly groupResource: string
  readonly schema: Schema
  readonly clock: Clock
  readonly store: Store
  readonly feed: CacheFeed
  readonly admission: AdmissionChain
  readonly hooks: readonly ResourceHooks[]
  readonly log: RegistryDependencies['log']
  readonly strategy: StrategyContext

  constructor(storage: Storage, dependencies: RegistryDependencies) {
    this.storage = storage
    this.resource = storage.resource
    this.groupResource = groupResource(storage.resource)
    this.schema = dependencies.schema
    this.clock = dependencies.clock
    this.store = dependencies.store
    this.feed = dependencies.feed
    this.admission = dependencies.admission
    this.hooks = dependencies.hooks
    this.log = dependencies.log
    const { clock } = this
    this.strategy = {
      get now() {
        return clock.now()
      },
      uuid: () => clock.uuid(),
    }
  }

  about(name: string): About {
    return { group: this.resource.group, resource: this.resource.plural, name }
  }

  kindAbout(name: string) {
    return { group: this.resource.group, kind: this.resource.kind, name }
  }

  hookAttributes(request: WriteRequest): HookAttributes {
    return { resource: this.resource, user: request.user, dryRun: request.dryRun }
  }

  attributes(
    verb: AdmissionVerb,
    request: WriteRequest,
    about: { namespace: string; name: string; object: AnyObject | undefined; old: AnyObject | undefined },
  ): AdmissionAttributes {
    return {
      verb,
      resource: this.resource,
      subresource: request.subresource,
      ...about,
      user: request.user,
      options: request.options,
      dryRun: request.dryRun,
      warn: request.warn,
    }
  }

  /** What comes after a write cannot fail it any more. */
  async after(what: string, step: () => void | Promise<void>): Promise<void> {
    try {
      await step()
    } catch (error) {
      this.log('error', `${what} of ${this.groupResource} failed after the write`, { error: error instanceof Error ? error.message : String(error) })
    }
  }
}
