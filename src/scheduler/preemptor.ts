/** Makes room for a pod that fits nowhere, by ending pods that are less important. */
import type { ComponentContext } from '../client/component.ts'
import type { EventRecorder } from '../client/event-recorder.ts'
import type { Informer } from '../client/informer.ts'
import { Pod } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import { isApiError } from '../machinery/errors.ts'
import type { V1Pod, V1PodDisruptionBudget } from '../machinery/schema/generated/types.ts'
import type { SchedulerCache } from './cache.ts'
import type { Nominations } from './nominations.ts'
import type { PodInfo } from './pod-info.ts'
import { findPreemption, type Preemption } from './preemption.ts'
import type { SchedulerMetrics } from './scheduler-metrics.ts'
import type { CycleResult } from './scheduling-cycle.ts'

export interface PreemptorOptions {
  context: ComponentContext
  /** Of the scheduler, for the conditions of those that have to go. */
  name: string
  cache: SchedulerCache
  nominations: Nominations
  budgets: Informer<V1PodDisruptionBudget>
  events: EventRecorder
  metrics?: SchedulerMetrics
}

/** `nominate`: the node on which room is being made; '' where none is; undefined where it stays as it was. */
export interface Outcome {
  message: string
  nominate?: string
}

type Failure = Extract<CycleResult, { ok: false }>

export class Preemptor {
  readonly #options: PreemptorOptions

  constructor(options: PreemptorOptions) {
    this.#options = options
  }

  attempt(pod: PodInfo, failure: Failure, seen: number[]): Outcome {
    const { cache, nominations, budgets, context } = this.#options
    const nodes = cache.nodes().length
    if (nodes === 0) return { message: failure.message }
    const told = (preemption: string) => `${failure.message} no new claims to deallocate, preemption: ${preemption}`
    if (!failure.run) return { message: told(`0/${nodes} nodes are available: ${nodes} Preemption is not helpful for scheduling.`) }
    if (pod.pod.spec.preemptionPolicy === 'Never') return { message: told('not eligible due to preemptionPolicy=Never.') }
    if (this.#isWaitedFor(pod)) return { message: told('not eligible due to a terminating pod on the nominated node.') }
    const { clock } = context
    this.#options.metrics?.preempting()
    const result = findPreemption({
      pod,
      cluster: cache,
      run: failure.run,
      rejections: failure.rejections,
      budgets: budgets.list(),
      now: clock.now(),
      random: () => clock.random(),
    })
    if (!result.ok) {
      nominations.remove(pod.key)
      return { message: told(result.message), nominate: '' }
    }
    const { chosen } = result
    this.#options.metrics?.preempted(chosen.victims.length)
    nominations.set(pod, chosen.node.name)
    void this.#makeRoom(pod, chosen, seen)
    return { message: failure.message, nominate: chosen.node.name }
  }

  /** Room was made already, and who has to go is on the way. */
  #isWaitedFor(pod: PodInfo): boolean {
    const { cache, nominations } = this.#options
    const node = cache.node(nominations.nodeOf(pod.key) ?? '')
    return node !== undefined && [...node.pods.values()].some((other) => other.isEnding && other.priority < pod.priority)
  }

  async #makeRoom(pod: PodInfo, { node, victims }: Preemption, seen: number[]): Promise<void> {
    const { nominations } = this.#options
    // Less important ones that were promised the room have to look elsewhere.
    const displaced = [...nominations.on(node.name)].filter((other) => other.priority < pod.priority)
    for (const other of displaced) nominations.remove(other.key)
    await Promise.all([
      ...victims.map((victim) => this.#end(pod, victim.pod, node.name, seen)),
      ...displaced.map(({ pod: other }) => this.#patch(other, { nominatedNodeName: null }, seen)),
    ])
  }

  async #end(pod: PodInfo, victim: V1Pod, node: string, seen: number[]): Promise<void> {
    const { context, name, events } = this.#options
    const { namespace, name: victimName, uid } = victim.metadata
    if (victim.metadata.deletionTimestamp) return
    const client = context.client.because({ component: 'kube-scheduler', seen })
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: `${name}: preempting to accommodate a higher priority pod`,
      lastTransitionTime: timestamp(context.clock.now()),
    }
    await this.#patch(victim, { conditions: [condition] }, seen)
    try {
      await client.delete(Pod, { namespace, name: victimName }, { preconditions: { uid } })
      events.event(victim, 'Normal', 'Preempted', `Preempted by pod ${pod.pod.metadata.uid} on node ${node}`, { client })
    } catch (error) {
      // Gone already: so much the better. The next attempt finds out about everything else.
      if (!isApiError(error, 'NotFound') && !isApiError(error, 'Conflict'))
        context.log.warn('a pod was not preempted', { pod: victimName, error: String(error) })
    }
  }

  async #patch({ metadata }: V1Pod, status: object, seen: number[]): Promise<void> {
    const { context } = this.#options
    const { namespace, name, uid } = metadata
    try {
      const client = context.client.because({ component: 'kube-scheduler', seen })
      await client.patch(Pod, { namespace, name }, 'strategic', { metadata: { uid }, status }, { subresource: 'status' })
    } catch (error) {
      if (!isApiError(error, 'NotFound') && !isApiError(error, 'Conflict'))
        context.log.warn('the status of a pod was not written', { pod: name, error: String(error) })
    }
  }
}
