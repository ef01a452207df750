/**
 * Deletes objects whose owners are all gone, and sees deletions through that wait for dependents (foreground) or let
 * them go (orphan). It follows every resource that the server says can be deleted. The graph only says whom to look
 * at; what is done is decided by what the server says of the object and its owners at that moment.
 */
import { CachedInformer } from '../client/cached-informer.ts'
import type { Component, ComponentContext } from '../client/component.ts'
import { type DiscoveredResource, discover } from '../client/discovery.ts'
import { createEventRecorder, type EventRecorder } from '../client/event-recorder.ts'
import type { Change, Informer } from '../client/informer.ts'
import { apiVersionOf } from '../client/resource-path.ts'
import * as builtIn from '../client/resources.ts'
import { WorkQueue } from '../client/work-queue.ts'
import { isApiError } from '../machinery/errors.ts'
import type { AnyObject } from '../machinery/object.ts'
import { DependentCollector } from './dependent-collector.ts'
import { OwnerGraph, type OwnerNode } from './owner-graph.ts'

const name = 'garbage-collector-controller'
const workers = 20
const discoverEveryMs = 30_000
/** An object that comes before its owner is given the time for the owner to come. */
const unknownOwnerMs = 1000
/** Follow nothing that only tells of others. */
const ignored = new Set(['events.', 'events.events.k8s.io'])

export function startGarbageCollector(context: ComponentContext): Component {
  const collector = new GarbageCollector(context)
  return { name, stop: () => collector.stop() }
}

class GarbageCollector {
  readonly #context: ComponentContext
  readonly #graph = new OwnerGraph()
  readonly #queue: WorkQueue
  readonly #events: EventRecorder
  readonly #collector: DependentCollector
  readonly #stopped = new AbortController()
  readonly #followed = new Map<string, { stop: () => void; informer: Informer<AnyObject> }>()
  readonly #kinds = new Map<string, DiscoveredResource>()
  readonly #undo: (() => void)[] = []
  readonly #ended: Promise<unknown>
  #discovering: Promise<void> | undefined

  constructor(context: ComponentContext) {
    this.#context = { ...context, log: context.log.with({ controller: name }) }
    const { clock, metrics } = context
    this.#queue = new WorkQueue({ clock, ...(metrics ? { metrics: { registry: metrics, name: 'garbage_collector_attempt_to_delete' } } : {}) })
    this.#events = createEventRecorder({ client: context.client, clock: context.clock, log: this.#context.log, component: name })
    this.#collector = new DependentCollector(this.#graph, (apiVersion, kind) => this.#kinds.get(`${apiVersion} ${kind}`), this.#events)
    const again = () => void this.#discover()
    const timer = context.clock.every(discoverEveryMs, again)
    this.#undo.push(() => timer.cancel())
    // New kinds are followed as soon as they are served.
    for (const resource of [builtIn.CustomResourceDefinition, builtIn.APIService]) {
      const informer = context.informers.informer<AnyObject>(resource as never)
      this.#undo.push(informer.onChange(() => void (informer.synced && context.clock.after(1000, again))))
    }
    this.#ended = this.#start()
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the garbage collector was stopped'))
    for (const undo of this.#undo) undo()
    for (const { stop } of this.#followed.values()) stop()
    this.#queue.shutDown()
    await this.#ended
    this.#events.stop()
  }

  async #start(): Promise<void> {
    await this.#discover()
    const { signal } = this.#stopped
    await Promise.all([...this.#followed.values()].map(({ informer }) => informer.whenSynced(signal))).catch(() => {})
    await Promise.all(Array.from({ length: workers }, () => this.#work()))
  }

  #discover(): Promise<void> {
    this.#discovering ??= this.#follow()
      .catch((error: unknown) => this.#context.log.warn('discovery failed', { error }))
      .finally(() => {
        this.#discovering = undefined
      })
    return this.#discovering
  }

  async #follow(): Promise<void> {
    const { resources, failed } = await discover(this.#context.client)
    if (this.#stopped.signal.aborted) return
    const served = new Set<string>()
    for (const resource of resources) {
      const id = `${resource.plural}.${resource.group}`
      this.#kinds.set(`${apiVersionOf(resource)} ${resource.kind}`, resource)
      if (ignored.has(id) || !['delete', 'list', 'watch'].every((verb) => resource.verbs.includes(verb))) continue
      served.add(id)
      if (!this.#followed.has(id)) this.#followed.set(id, this.#followOne(resource))
    }
    // What could not be discovered may still be there.
    if (failed.length > 0) return
    for (const [id, { stop }] of this.#followed) {
      if (served.has(id)) continue
      stop()
      this.#followed.delete(id)
    }
  }

  /** Built-in kinds are followed by others as well, and never go. */
  #followOne(resource: DiscoveredResource): { stop: () => void; informer: Informer<AnyObject> } {
    const { client, clock, log, informers } = this.#context
    const shared = Object.values(builtIn).find((known) => known.group === resource.group && known.plural === resource.plural)
    const handler = (change: Change<AnyObject>) => this.#changed(resource, change)
    if (shared && shared.version === resource.version) {
      const informer = informers.informer<AnyObject>(shared as never)
      return { informer, stop: informer.onChange(handler) }
    }
    const stopped = new AbortController()
    const informer = new CachedInformer<AnyObject>({ client, resource, clock, log })
    informer.onChange(handler)
    void informer.run(stopped.signal)
    return { informer, stop: () => stopped.abort() }
  }

  #changed(resource: DiscoveredResource, { type, object, revision }: Change<AnyObject>): void {
    if (type === 'deleted') return this.#gone(object.metadata.uid, revision)
    const { node, previous } = this.#graph.put(resource, object)
    const look = (uid: string) => this.#queue.add(uid, revision)
    if (node.deletingDependents && !previous?.deletingDependents) {
      for (const dependent of this.#graph.dependentsOf(node.uid)) look(dependent.uid)
      look(node.uid)
    }
    if (node.orphaning && !previous?.orphaning) look(node.uid)
    // An owner that waits may be waiting for this one no longer.
    for (const owner of changedOwners(previous, node)) if (this.#graph.get(owner)?.deletingDependents) look(owner)
    if (node.owners.some((owner) => this.#graph.get(owner.uid)?.deletingDependents)) look(node.uid)
    const unknown = node.owners.some((owner) => !previous?.owners.some((known) => known.uid === owner.uid) && !this.#graph.get(owner.uid))
    if (unknown) this.#queue.addAfter(node.uid, unknownOwnerMs, revision)
  }

  #gone(uid: string, revision: number): void {
    const node = this.#graph.remove(uid)
    this.#collector.noteAbsent(uid)
    for (const dependent of this.#graph.dependentsOf(uid)) this.#queue.add(dependent.uid, revision)
    for (const owner of node?.owners ?? []) if (this.#graph.get(owner.uid)?.deletingDependents) this.#queue.add(owner.uid, revision)
  }

  async #work(): Promise<void> {
    for (let work = await this.#queue.take(); work; work = await this.#queue.take()) {
      const { key, seen } = work
      try {
        const node = this.#graph.get(key)
        const look = node && (await this.#collector.collect(node, this.#context.client.because({ component: name, seen })))
        for (const uid of look ?? []) for (const revision of seen.length ? seen : [undefined]) this.#queue.add(uid, revision)
        this.#queue.forget(key)
      } catch (error) {
        if (this.#stopped.signal.aborted) return
        const level = isApiError(error, 'Conflict') || this.#queue.failures(key) < 3 ? 'debug' : 'warn'
        this.#context.log[level]('could not collect, trying again', { uid: key, error })
        this.#queue.addRateLimited(key, seen)
      } finally {
        this.#queue.done(key)
      }
    }
  }
}

/** Owners that were let go, or that it does not block any more. */
function changedOwners(previous: OwnerNode | undefined, node: OwnerNode): string[] {
  const blocks = ({ owners }: OwnerNode, uid: string) => owners.some((owner) => owner.uid === uid && owner.blockOwnerDeletion)
  return (previous?.owners ?? []).filter(({ uid }) => previous && blocks(previous, uid) && !blocks(node, uid)).map(({ uid }) => uid)
}
