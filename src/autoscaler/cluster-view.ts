/** What the autoscaler sees of the cluster: the scheduler's cache, kept by informers, and the pods that have no node. */

import type { ComponentContext } from '../client/component.ts'
import type { InformerFactory } from '../client/informer.ts'
import { DaemonSet, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, PodDisruptionBudget, StorageClass } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import { keyOf } from '../machinery/object.ts'
import type { V1Node, V1Pod, V1PodDisruptionBudget } from '../machinery/schema/generated/types.ts'
import { SchedulerCache } from '../scheduler/cache.ts'
import type { Plugin } from '../scheduler/framework.ts'
import { defaultPlugins } from '../scheduler/plugins/index.ts'

const ended = ({ status }: V1Pod) => status?.phase === 'Succeeded' || status?.phase === 'Failed'

export const isUnschedulable = ({ status }: V1Pod): boolean =>
  status?.conditions?.some(({ type, status: is, reason }) => type === 'PodScheduled' && is === 'False' && reason === 'Unschedulable') ?? false

export const isReady = ({ status }: V1Node): boolean => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false

/** Upstream's word on a node that is not to go. */
export const scaleDownDisabledAnnotation = 'cluster-autoscaler.kubernetes.io/scale-down-disabled'

export const isKeptByHand = ({ metadata }: V1Node): boolean => metadata.annotations?.[scaleDownDisabledAnnotation] === 'true'

/** From being registered to being ready a node needs less. */
const startMs = 60_000

/** Whether it became what it is long after it had come: not ready then means that it was ready before, whoever saw it. */
function hasChanged({ metadata, status }: V1Node): boolean {
  const at = status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime
  return at !== undefined && Date.parse(at) > Date.parse(metadata.creationTimestamp) + startMs
}

export class ClusterView {
  readonly cache = new SchedulerCache()
  readonly plugins: readonly Plugin[]
  /** Pods without a node that are not held back, by key. */
  readonly pending = new Map<string, V1Pod>()
  /** Names of nodes on which an end, or a budget that allows more, may be reason to look again. */
  watched: ReadonlySet<string> = new Set()
  /** Nodes that were ready once, by uid. */
  readonly #wereReady = new Set<string>()
  readonly #informers: InformerFactory
  readonly #undo: (() => void)[]

  /** `onWake`: something happened that may call for another node, or that was waited for; `onLess`: less is needed than before. */
  constructor({ client, informers }: ComponentContext, onWake: (revision: number) => void, onLess: (revision: number) => void = () => {}) {
    this.#informers = informers
    this.plugins = defaultPlugins({
      client,
      claims: informers.informer(PersistentVolumeClaim),
      volumes: informers.informer(PersistentVolume),
      classes: informers.informer(StorageClass),
    })
    informers.informer(DaemonSet)
    this.#undo = [
      informers.informer(PodDisruptionBudget).onChange(({ type, object, previous, revision }) => {
        const allowed = (budget: V1PodDisruptionBudget | undefined) => budget?.status?.disruptionsAllowed ?? 0
        if (type === 'deleted' || (previous && allowed(object) > allowed(previous))) onLess(revision)
      }),
      informers.informer(Node).onChange(({ type, object, previous, revision }) => {
        const { name, uid } = object.metadata
        if (type === 'deleted') {
          this.cache.removeNode(name)
          this.#wereReady.delete(uid)
          onWake(revision)
          return
        }
        this.cache.setNode(object)
        const ready = isReady(object)
        if (ready || (!previous && hasChanged(object))) this.#wereReady.add(uid)
        if (!previous || ready !== isReady(previous)) onWake(revision)
        else if (isKeptByHand(object) !== isKeptByHand(previous)) onLess(revision)
      }),
      informers.informer(Pod).onChange(({ type, object, previous, revision }) => {
        const key = keyOf(object)
        if (type === 'deleted' || ended(object)) {
          this.pending.delete(key)
          this.cache.removePod(key)
          if (this.watched.has(object.spec.nodeName ?? '') && !(previous && ended(previous))) onLess(revision)
          return
        }
        if (object.spec.nodeName) {
          this.pending.delete(key)
          this.cache.setPod(object)
          return
        }
        if (object.metadata.deletionTimestamp || object.spec.schedulingGates?.length) {
          this.pending.delete(key)
          return
        }
        this.pending.set(key, object)
        if (isUnschedulable(object) && !(previous && isUnschedulable(previous))) onWake(revision)
      }),
      informers.informer(Namespace).onChange(({ type, object }) => {
        this.cache.setNamespace(object.metadata.name, type === 'deleted' ? undefined : (object.metadata.labels ?? {}))
      }),
    ]
  }

  async whenSynced(signal: AbortSignal): Promise<void> {
    await this.#informers.whenSynced(signal)
  }

  wasReady({ metadata }: V1Node): boolean {
    return this.#wereReady.has(metadata.uid)
  }

  /** Pods that were bound to the node and have not ended. */
  podsOn(name: string): V1Pod[] {
    return [...(this.cache.node(name)?.pods.values() ?? [])].map(({ pod }) => pod).filter(({ spec }) => spec.nodeName === name)
  }

  nodes(): V1Node[] {
    return this.#informers.informer(Node).list()
  }

  budgets() {
    return this.#informers.informer(PodDisruptionBudget).list()
  }

  daemonSets() {
    return this.#informers.informer(DaemonSet).list()
  }

  close(): void {
    for (const undo of this.#undo) undo()
  }
}

/** Whether what was asked for is gone already. */
export const isGone = (error: unknown): boolean => isApiError(error, 'NotFound')
