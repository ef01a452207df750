/**
 * Custom resources: each definition that is accepted adds its kinds to what the server serves, and takes them away when
 * it goes. From then on nothing tells them from the built-in ones.
 */
import type { Resource } from '../../apis/resource.ts'
import { isApiError } from '../../machinery/errors.ts'
import type { V1CustomResourceDefinition } from '../../machinery/schema/generated/types.ts'
import type { Schema } from '../../machinery/schema/schema.ts'
import { type CachedObjects, groupResource, type ServerAccess, type ServerPart, type ServerPartFactory } from '../contracts.ts'
import { internalRequest, pathOf } from '../internal-request.ts'
import { cleanUp, markForCleanup } from './cleanup.ts'
import { isEstablished, statusWithNames } from './names.ts'
import { servedResources } from './served-resources.ts'

type Definition = V1CustomResourceDefinition

const own = 'customresourcedefinitions.apiextensions.k8s.io'
const at = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }

interface Served {
  generation: number | undefined
  uid: string
  names: string
  resources: Resource[]
  /** Ends the wait for the last object of a definition that is deleted. */
  unfollow?: () => void
}

/** Models of custom kinds are added to `schema`. */
export const customResources =
  (schema: Schema): ServerPartFactory =>
  (server): ServerPart => {
    const following = new Definitions(server, schema)
    return {
      name: 'custom resources',
      hooks: {
        [own]: {
          heldBack: ({ metadata }) => !metadata.deletionTimestamp,
          deletionMarked: (draft) => markForCleanup(draft, server.clock.now()),
        },
      },
      start: () => following.start(),
      stop: () => following.stop(),
    }
  }

class Definitions {
  readonly #server: ServerAccess
  readonly #schema: Schema
  readonly #served = new Map<string, Served>()
  readonly #queue = new Set<string>()
  #definitions: CachedObjects | undefined
  #working: Promise<void> | undefined
  #unfollow = () => {}
  #stopped = false

  constructor(server: ServerAccess, schema: Schema) {
    this.#server = server
    this.#schema = schema
  }

  async start(): Promise<void> {
    this.#definitions = await this.#server.cached(own)
    for (const definition of this.#all()) {
      this.#serve(definition)
      this.#enqueue(definition.metadata.name)
    }
    this.#unfollow = this.#definitions.onChange(({ object, previous }) => {
      const changed = object ?? previous
      if (!changed) return
      // Names that one lets go may be what another of its group waits for.
      const { group } = (changed as unknown as Definition).spec
      for (const other of this.#all()) if (other.spec.group === group) this.#enqueue(other.metadata.name)
      if (object) this.#serve(object as unknown as Definition)
      else this.#withdraw(changed.metadata.name)
    })
    await this.#working
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#unfollow()
    for (const { unfollow } of this.#served.values()) unfollow?.()
    await this.#working
  }

  #all(): Definition[] {
    return [...(this.#definitions?.list() ?? [])].map((object) => object as unknown as Definition)
  }

  /** Brings what is served in line with the definition. Nothing is served before the names are accepted. */
  #serve(definition: Definition): void {
    const { metadata, spec, status } = definition
    const before = this.#served.get(metadata.name)
    if (!isEstablished(definition)) return
    const names = JSON.stringify(status?.acceptedNames)
    if (before && before.uid === metadata.uid && before.generation === metadata.generation && before.names === names) return
    const resources = servedResources(definition, this.#schema)
    const versions = new Set(resources.map(({ version }) => version))
    for (const resource of resources) this.#server.resources.add(resource)
    for (const { group, version, plural } of before?.resources ?? []) if (!versions.has(version)) this.#server.resources.remove(group, version, plural)
    this.#served.set(metadata.name, { ...before, generation: metadata.generation, uid: metadata.uid, names, resources })
    this.#server.log('info', 'custom resource is served', { name: metadata.name, versions: spec.versions.map(({ name }) => name).join(',') })
  }

  #withdraw(name: string): void {
    const served = this.#served.get(name)
    this.#served.delete(name)
    served?.unfollow?.()
    for (const { group, version, plural } of served?.resources ?? []) this.#server.resources.remove(group, version, plural)
  }

  #enqueue(name: string): void {
    if (this.#stopped) return
    this.#queue.add(name)
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
      // What came between the last look and here.
      const [waiting] = this.#queue
      if (waiting !== undefined) this.#enqueue(waiting)
    })
  }

  async #work(): Promise<void> {
    for (const name of this.#queue) {
      this.#queue.delete(name)
      if (this.#stopped) return
      try {
        await this.#reconcile(name)
      } catch (error) {
        this.#server.log('warn', 'a custom resource definition could not be settled', { name, error: error instanceof Error ? error.message : String(error) })
      }
    }
  }

  async #reconcile(name: string): Promise<void> {
    const definition = this.#definitions?.get('', name) as unknown as Definition | undefined
    if (!definition) return
    if (definition.metadata.deletionTimestamp) return this.#terminate(definition)
    const others = this.#all().filter((one) => one.spec.group === definition.spec.group && one.metadata.name !== name)
    const status = statusWithNames(definition, others, this.#server.clock.now())
    if (status === definition.status) return this.#serve(definition)
    // Served before anyone can read that it is.
    this.#serve({ ...definition, status })
    try {
      await internalRequest(this.#server, 'PUT', pathOf(at, '', name, 'status'), { ...definition, status })
    } catch (error) {
      // It changed, or is gone: we hear of that.
      if (!isApiError(error, 'Conflict') && !isApiError(error, 'NotFound')) throw error
    }
  }

  async #terminate(definition: Definition): Promise<void> {
    const { name } = definition.metadata
    const served = this.#served.get(name)
    const [resource] = served?.resources ?? []
    const instances = resource && (await this.#server.cached(groupResource(resource)))
    if (served && instances) served.unfollow ??= instances.onChange(({ object }) => void (object === undefined && this.#enqueue(name)))
    await cleanUp(this.#server, definition, instances)
  }
}
