/** What the autoscaler sees of the cluster: the scheduler's cache, kept by informers, and the pods that have no node. */

import type { ComponentContext } from '../client/component.ts'
import type { InformerFactory } from '../client/informer.ts'
import { DaemonSet, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, PodDisruptionBudget, StorageClass } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import { keyOf } from '../machinery/object.ts'
import type { V1Node, V1Pod } from '../machinery/schema/generated/types.ts'
import { SchedulerCache } from '../scheduler/cache.ts'
import type { Plugin } from '../scheduler/framework.ts'
import { defaultPlugins } from '../scheduler/plugins/index.ts'

const ended = ({ status }: V1Pod) => status?.phase === 'Succeeded' || status?.phase === 'Failed'

export const isUnschedulable = ({ status }: V1Pod): boolean =>
  status?.conditions?.some(({ type, status: is, reason }) => type === 'PodScheduled' && is === 'False' && reason === 'Unschedulable') ?? false

export const isReady = ({ status }: V1Node): boolean => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false

export class ClusterView {
  readonly cache = new SchedulerCache()
  readonly plugins: readonly Plugin[]
  /** Pods without a node that are not held back, by key. */
  readonly pending = new Map<string, V1Pod>()
  /** Nodes that were ready once, by uid. */
  readonly #wereReady = new Set<string>()
  readonly #informers: InformerFactory
  readonly #undo: (() => void)[]

  /** `onWake`: something happened that may call for another node, or that was waited for. */
  constructor({ client, informers }: ComponentContext, onWake: (revision: number) => void) {
    this.#informers = informers
    this.plugins = defaultPlugins({
      client,
      claims: informers.informer(PersistentVolumeClaim),
      volumes: informers.informer(PersistentVolume),
      classes: informers.informer(StorageClass),
    })
    for (const resource of [PodDisruptionBudget, DaemonSet]) informers.informer<{ metadata: V1Pod['metadata'] }>(resource)
    this.#undo = [
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
        if (ready) this.#wereReady.add(uid)
        if (!previous || ready !== isReady(previous)) onWake(revision)
      }),
      informers.informer(Pod).onChange(({ type, object, previous, revision }) => {
        const key = keyOf(object)
        if (type === 'deleted' || ended(object)) {
          this.pending.delete(key)
          this.cache.removePod(key)
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
