/**
 * A controller is one file and one function (design, rule 3). Contract; `controller-runner.ts` runs it with
 * informers, a rate-limited queue (one key is never worked on twice at once), backoff, and causes recorded.
 * Level-based: `reconcile` is driven by the state it reads, not by the event that woke it, and must be safe
 * to run again after any crash.
 */

import type { Clock } from '../machinery/clock.ts'
import type { MetricRegistry } from '../machinery/metrics/registry.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { Client, ResourceRef, Span } from './client.ts'
import type { Logger } from './component.ts'
import type { Informer } from './informer.ts'

export interface ControllerDefinition<T extends KubeObject> {
  /** As upstream names it: `deployment-controller`. Becomes the component of causes and events. */
  name: string
  reconciles: ResourceRef<T>
  /** Of {@link reconciles}, only these: nothing else of it is read or kept. */
  among?: Selection
  /** A change of one of these wakes the owner that its controller reference names. */
  owns?: ResourceRef[]
  /** A change of one of these wakes the keys that `keys` says. */
  watches?: Watch[]
  /** Resources that `reconcile` reads from the cache without being woken by them. */
  reads?: ResourceRef[]
  /** Workers side by side; 5 when absent, as upstream. */
  workers?: number
  /** Keys to reconcile that no event brings, for example for retries after a restart. */
  resyncSeconds?: number
  /**
   * `object` is undefined when it is gone. A thrown conflict or error puts the key back with backoff;
   * a returned `again` does so after that many milliseconds.
   */
  reconcile(object: T | undefined, context: ReconcileContext): Promise<{ again: number } | undefined>
}

export interface Selection {
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
}

// biome-ignore lint/suspicious/noExplicitAny: a list of watches over different kinds
export interface Watch<W extends KubeObject = any> {
  resource: ResourceRef<W>
  /** Only these of it. */
  among?: Selection
  /** `previous` only where the object is still there: what has come or gone differs in every respect. */
  keys(object: W, previous: W | undefined, read: Read): string[]
}

export interface Read {
  /** From the shared cache: undefined when not there (or not yet). */
  cached<O extends KubeObject>(resource: ResourceRef<O>, key: string): O | undefined
  informer<O extends KubeObject>(resource: ResourceRef<O>): Informer<O>
}

export interface ReconcileContext extends Read {
  key: string
  /** Writes carry the causes of this reconcile. */
  client: Client
  /** Cached objects whose controller reference is this object's uid. */
  owned<O extends KubeObject>(resource: ResourceRef<O>): O[]
  /** Records an Event about the object (events are aggregated and rate-limited as upstream). */
  event(about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void
  span(span: Span): void
  /** What the controller counts beside its queue. */
  metrics: MetricRegistry
  clock: Clock
  log: Logger
  signal: AbortSignal
}

export function defineController<T extends KubeObject>(definition: ControllerDefinition<T>): ControllerDefinition<T> {
  return definition
}
