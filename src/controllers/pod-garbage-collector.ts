/** Deletes pods that nobody will: on nodes that are gone, deleted before they had a node, or too many that have finished. */
import type { Client } from '../client/client.ts'
import type { Component, ComponentContext } from '../client/component.ts'
import { Node, Pod } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import { isApiError } from '../machinery/errors.ts'
import type { V1Node, V1Pod } from '../machinery/schema/generated/types.ts'
import { isNodeReady } from './node-conditions.ts'
import { NodeMetrics } from './node-metrics.ts'
import { isFinished } from './pod-state.ts'

export interface PodGarbageOptions {
  /** More finished pods than this are not kept; 12500 when absent, as upstream. */
  terminatedThreshold?: number
}

const name = 'pod-garbage-collector-controller'
const periodMs = 20_000
/** A node that is not known (any more) is given this long to be known. */
const quarantineMs = 40_000
const outOfServiceTaint = 'node.kubernetes.io/out-of-service'

export function startPodGarbageCollector(context: ComponentContext, { terminatedThreshold = 12_500 }: PodGarbageOptions = {}): Component {
  const { client, clock, informers } = context
  const log = context.log.with({ controller: name })
  const pods = informers.informer(Pod)
  const nodes = informers.informer(Node)
  const missingSince = new Map<string, number>()
  let running: Promise<void> | undefined

  async function collect(): Promise<void> {
    if (!pods.synced || !nodes.synced) return
    const all = pods.list()
    const remover = new Remover(client.because({ component: name, seen: [] }), clock.now(), context.metrics && new NodeMetrics(context.metrics))
    for (const pod of surplus(all, terminatedThreshold)) await remover.remove(pod, 'terminated')
    for (const pod of all) {
      if (pod.metadata.deletionTimestamp && !pod.spec.nodeName) await remover.remove(pod, 'unscheduled')
      else if (pod.metadata.deletionTimestamp && isOutOfService(nodes.get(pod.spec.nodeName ?? ''))) await remover.remove(pod, 'out-of-service')
    }
    for (const node of await goneNodes(all)) {
      const why = 'PodGC: node no longer exists'
      for (const pod of all) if (pod.spec.nodeName === node) await remover.remove(pod, 'orphaned', why)
    }
  }

  /** Names of nodes that pods are on, but that have been missing for long and are not there indeed. */
  async function goneNodes(all: V1Pod[]): Promise<string[]> {
    const missing = new Set(all.flatMap(({ spec }) => (spec.nodeName && !nodes.get(spec.nodeName) ? [spec.nodeName] : [])))
    for (const known of missingSince.keys()) if (!missing.has(known)) missingSince.delete(known)
    const gone: string[] = []
    for (const node of missing) {
      const since = missingSince.get(node) ?? clock.monotonic()
      missingSince.set(node, since)
      if (clock.monotonic() - since >= quarantineMs && !(await client.find(Node, { name: node }))) gone.push(node)
    }
    return gone
  }

  const timer = clock.every(periodMs, () => {
    running ??= collect()
      .catch((error: unknown) => log.warn('could not collect pods', { error }))
      .finally(() => {
        running = undefined
      })
  })
  return {
    name,
    async stop() {
      timer.cancel()
      await running
    },
  }
}

/** The oldest of those that have finished, beyond what is kept. */
function surplus(all: V1Pod[], threshold: number): V1Pod[] {
  if (threshold <= 0) return []
  const finished = all.filter((pod) => isFinished(pod) && !pod.metadata.deletionTimestamp)
  if (finished.length <= threshold) return []
  const age = (pod: V1Pod) => Date.parse(pod.metadata.creationTimestamp)
  return finished.sort((a, b) => age(a) - age(b)).slice(0, finished.length - threshold)
}

/** Somebody vouches for it that the node is off: what runs there, and cannot be asked, counts as ended. */
const isOutOfService = (node: V1Node | undefined): boolean =>
  node !== undefined && !isNodeReady(node) && (node.spec.taints ?? []).some(({ key }) => key === outOfServiceTaint)

class Remover {
  readonly #client: Client
  readonly #now: number
  readonly #metrics: NodeMetrics | undefined
  readonly #removed = new Set<string>()

  constructor(client: Client, now: number, metrics: NodeMetrics | undefined) {
    this.#client = client
    this.#now = now
    this.#metrics = metrics
  }

  /** At once, as no kubelet will end it. It counts as failed, unless it had finished. */
  async remove(pod: V1Pod, reason: 'terminated' | 'unscheduled' | 'orphaned' | 'out-of-service', why?: string): Promise<void> {
    const { uid, namespace } = pod.metadata
    if (this.#removed.has(uid)) return
    this.#removed.add(uid)
    try {
      if (!isFinished(pod)) await this.#client.patch(Pod, pod.metadata, 'merge', this.#failed(pod, why), { subresource: 'status' })
      await this.#client.delete(Pod, pod.metadata, { gracePeriodSeconds: 0, preconditions: { uid } })
      this.#metrics?.collected(namespace, reason, false)
    } catch (error) {
      this.#metrics?.collected(namespace, reason, true)
      // Another change came first: next time.
      if (!isApiError(error, 'NotFound') && !isApiError(error, 'Conflict')) throw error
    }
  }

  #failed({ metadata, status }: V1Pod, why: string | undefined): object {
    const { uid, resourceVersion } = metadata
    const others = (status?.conditions ?? []).filter(({ type }) => type !== 'DisruptionTarget')
    const disrupted = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message: why, lastTransitionTime: timestamp(this.#now) }
    return { metadata: { uid, resourceVersion }, status: { phase: 'Failed', ...(why ? { conditions: [...others, disrupted] } : {}) } }
  }
}
