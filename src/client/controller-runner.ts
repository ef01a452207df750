/**
 * Runs {@link ControllerDefinition}s: informers wake keys, workers reconcile them, failures come back with
 * backoff, and every write carries the revisions that woke its key.
 */
import { MetricRegistry } from '../machinery/metrics/registry.ts'
import type { KubeObject } from '../machinery/object.ts'
import { keyOf } from '../machinery/object.ts'
import type { Client, ResourceRef, Span } from './client.ts'
import type { Component, ComponentContext } from './component.ts'
import type { ControllerDefinition, Read, ReconcileContext, Selection } from './controller.ts'
import { createEventRecorder, type EventRecorder } from './event-recorder.ts'
import type { Change, Informer } from './informer.ts'
import { WritesToSee } from './read-your-writes.ts'
import { WorkQueue } from './work-queue.ts'

export interface ControllerOptions {
  /** Of the queue of a controller, where metrics know it by another name than the controller's own. */
  queueName?(controller: string): string
}

/** A cache that does not show a write after this long will be read as it is: the write may have been undone. */
const waitForCacheMs = 30_000

// biome-ignore lint/suspicious/noExplicitAny: a list of controllers of different kinds
export type AnyController = ControllerDefinition<any>

export function startControllers(definitions: readonly AnyController[], context: ComponentContext, options: ControllerOptions = {}): Component {
  const running = definitions.map((definition) => new RunningController(definition, context, options))
  return {
    name: 'controllers',
    async stop() {
      await Promise.all(running.map((controller) => controller.stop()))
    },
  }
}

class RunningController {
  readonly #definition: AnyController
  readonly #context: ComponentContext
  readonly #queue: WorkQueue
  readonly #events: EventRecorder
  readonly #writes: WritesToSee
  readonly #metrics: MetricRegistry
  readonly #read: Read
  readonly #informers = new Map<string, Informer>()
  readonly #selections: ReadonlyMap<string, Selection | undefined>
  readonly #stopped = new AbortController()
  readonly #undo: (() => void)[] = []
  readonly #workers: Promise<void>

  constructor(definition: AnyController, context: ComponentContext, options: ControllerOptions) {
    this.#definition = definition
    const log = context.log.with({ controller: definition.name })
    this.#context = { ...context, log }
    const selected = [...(definition.watches ?? []), { resource: definition.reconciles, among: definition.among }]
    this.#selections = new Map(selected.map(({ resource, among }) => [idOf(resource), among]))
    this.#metrics = context.metrics ?? new MetricRegistry()
    const { clock, metrics } = context
    this.#queue = new WorkQueue({
      clock,
      ...(metrics ? { metrics: { registry: metrics, name: options.queueName?.(definition.name) ?? definition.name } } : {}),
    })
    this.#events = createEventRecorder({ client: context.client, clock: context.clock, log, component: definition.name })
    this.#writes = new WritesToSee((resource) => this.#informers.get(idOf(resource)))
    this.#read = {
      informer: (resource) => this.#informer(resource),
      cached: (resource, key) => this.#informer(resource).get(key),
    }
    for (const resource of definition.reads ?? []) this.#informer(resource)
    this.#listen(definition.reconciles, (object) => [keyOf(object)])
    for (const resource of definition.owns ?? []) this.#listen(resource, (object, previous) => this.#owners(object, previous))
    for (const watch of definition.watches ?? []) this.#listen(watch.resource, (object, previous) => watch.keys(object, previous, this.#read))
    if (definition.resyncSeconds) this.#undo.push(this.#resync(definition.resyncSeconds))
    this.#workers = this.#work()
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error(`${this.#definition.name} was stopped`))
    for (const undo of this.#undo) undo()
    this.#queue.shutDown()
    await this.#workers
    this.#events.stop()
    await this.#events.flush()
  }

  #informer<O extends KubeObject>(resource: ResourceRef<O>): Informer<O> {
    const id = idOf(resource as unknown as ResourceRef)
    const informer = this.#context.informers.informer(resource, this.#selections.get(id))
    this.#informers.set(id, informer as unknown as Informer)
    return informer
  }

  #listen<O extends KubeObject>(resource: ResourceRef<O>, keys: (object: O, previous: O | undefined) => string[]): void {
    const handler = ({ type, object, previous, revision }: Change<O>) => {
      const states = previous === undefined || previous === object ? [object] : [object, previous]
      const found = type === 'deleted' ? states.flatMap((state) => keys(state, undefined)) : keys(object, previous)
      for (const key of found) this.#queue.add(key, revision)
    }
    this.#undo.push(this.#informer(resource).onChange(handler))
  }

  /** Keys of the owners that control, or controlled, the object. */
  #owners(object: KubeObject, previous: KubeObject | undefined): string[] {
    const { group, kind, namespaced } = this.#definition.reconciles
    const keys = new Set<string>()
    for (const { metadata } of previous ? [object, previous] : [object]) {
      const owner = metadata.ownerReferences?.find((reference) => reference.controller)
      if (owner?.kind !== kind || groupOf(owner.apiVersion) !== group) continue
      keys.add(namespaced && metadata.namespace ? `${metadata.namespace}/${owner.name}` : owner.name)
    }
    return [...keys]
  }

  #resync(seconds: number): () => void {
    const timer = this.#context.clock.every(seconds * 1000, () => {
      for (const object of this.#informer(this.#definition.reconciles).list()) this.#queue.add(keyOf(object))
    })
    return () => timer.cancel()
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopped
    try {
      await Promise.all([...this.#informers.values()].map((informer) => informer.whenSynced(signal)))
    } catch {
      return // Stopped before it began.
    }
    await Promise.all(Array.from({ length: this.#definition.workers ?? 5 }, () => this.#workLoop()))
  }

  async #workLoop(): Promise<void> {
    for (let work = await this.#queue.take(); work; work = await this.#queue.take()) {
      await this.#reconcile(work.key, work.seen)
      this.#queue.done(work.key)
    }
  }

  async #reconcile(key: string, seen: number[]): Promise<void> {
    const { log } = this.#context
    try {
      await this.#untilCachesShowWrites(key)
      if (this.#stopped.signal.aborted) return
      const object = this.#informer(this.#definition.reconciles).get(key)
      const result = await this.#definition.reconcile(object, this.#reconcileContext(key, seen, object))
      this.#queue.forget(key)
      if (result) this.#queue.addAfter(key, result.again)
    } catch (error) {
      if (this.#stopped.signal.aborted) return
      this.#queue.addRateLimited(key, seen)
      const failures = this.#queue.failures(key)
      const level = isConflict(error) || failures < 3 ? 'debug' : 'warn'
      log[level]('reconcile failed, trying again', { key, failures, error })
    }
  }

  async #untilCachesShowWrites(key: string): Promise<void> {
    if (!this.#writes.awaits(key)) return
    const late = new AbortController()
    const timer = this.#context.clock.after(waitForCacheMs, () => late.abort())
    try {
      await this.#writes.seen(key, AbortSignal.any([late.signal, this.#stopped.signal]))
    } catch {
      if (this.#stopped.signal.aborted) return
      this.#writes.forget(key)
      this.#context.log.warn('the cache did not show what was written', { key })
    } finally {
      timer.cancel()
    }
  }

  #reconcileContext(key: string, seen: number[], object: KubeObject | undefined): ReconcileContext {
    const { client, clock, log } = this.#context
    const spans: Span[] = []
    const caused: Client = client.because({ component: this.#definition.name, seen, spans })
    return {
      ...this.#read,
      key,
      client: this.#writes.noting(key, caused),
      owned: (resource) => {
        const uid = object?.metadata.uid
        if (!uid) return []
        const controlled = (candidate: KubeObject) => candidate.metadata.ownerReferences?.some((owner) => owner.controller && owner.uid === uid)
        return this.#informer(resource).ownedBy(uid).filter(controlled)
      },
      event: (about, type, reason, message) => this.#events.event(about, type, reason, message, { client: caused }),
      // Carried by the writes that follow.
      span: (span) => spans.push(span),
      metrics: this.#metrics,
      clock,
      log: log.with({ key }),
      signal: this.#stopped.signal,
    }
  }
}

const idOf = ({ group, plural }: ResourceRef): string => `${plural}.${group}`
const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '')
const isConflict = (error: unknown): boolean => error instanceof Error && 'reason' in error && error.reason === 'Conflict'
