/**
 * The scheduler: gives each pod without a node one. Cycles run one after another over the cache; binding (volumes
 * first, then the Binding) goes on beside them.
 */
import type { Component, ComponentContext } from '../client/component.ts'
import { createEventRecorder, type EventRecorder } from '../client/event-recorder.ts'
import { type Election, runLeaderElection } from '../client/leader-election.ts'
import { Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, PodDisruptionBudget, StorageClass } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import { isApiError } from '../machinery/errors.ts'
import { MetricRegistry } from '../machinery/metrics/registry.ts'
import type { V1Pod } from '../machinery/schema/generated/types.ts'
import { SchedulerCache } from './cache.ts'
import { followCluster } from './cluster-events.ts'
import { CycleTimes, type ExtensionPoint } from './cycle-times.ts'
import type { CycleState, Plugin } from './framework.ts'
import type { NodeInfo } from './node-info.ts'
import { Nominations } from './nominations.ts'
import { defaultPlugins } from './plugins/index.ts'
import { podInfo } from './pod-info.ts'
import { Preemptor } from './preemptor.ts'
import { SchedulerMetrics } from './scheduler-metrics.ts'
import { SchedulingCycle } from './scheduling-cycle.ts'
import { type QueuedPod, SchedulingQueue } from './scheduling-queue.ts'

export interface SchedulerOptions {
  /** Pods are ours when `spec.schedulerName` is this. */
  schedulerName?: string
  /** Stand for election under this identity; absent: schedule at once (one instance). */
  leaderElection?: Election
  plugins?: readonly Plugin[]
}

/** How long volumes may take to be bound before the pod is tried elsewhere. */
const bindTimeout = 10 * 60_000
/** Cycles in one turn of the event loop: others must come to their turn too. */
const cyclesPerTurn = 50
/** Bindings on the way at once: the API server has others to serve as well. */
const maxBinding = 64

export function startScheduler(context: ComponentContext, options: SchedulerOptions = {}): Component {
  const abort = new AbortController()
  const election = options.leaderElection
  const running = election
    ? runLeaderElection({
        client: context.client,
        clock: context.clock,
        log: context.log,
        namespace: election.namespace ?? 'kube-system',
        name: election.name ?? 'kube-scheduler',
        identity: election.identity,
        retryPeriodMs: election.retryPeriodMs,
        metrics: context.metrics,
        signal: abort.signal,
        lead: (signal) => new Scheduler(context, options).run(signal),
      })
    : new Scheduler(context, options).run(abort.signal)
  const ended = running.catch((error: unknown) => {
    if (!abort.signal.aborted) context.log.error('the scheduler ended', { error: String(error) })
  })
  return {
    name: 'kube-scheduler',
    async stop() {
      abort.abort()
      await ended
    },
  }
}

class Scheduler {
  readonly #context: ComponentContext
  readonly #name: string
  readonly #cache = new SchedulerCache()
  readonly #queue: SchedulingQueue
  readonly #cycle: SchedulingCycle
  readonly #plugins: readonly Plugin[]
  readonly #events: EventRecorder
  readonly #nominations = new Nominations()
  readonly #preemptor: Preemptor
  readonly #metrics: SchedulerMetrics
  readonly #times: CycleTimes
  #binding = 0
  #scheduled = false
  #stopped = false
  readonly #bindings = new Set<Promise<void>>()

  constructor(context: ComponentContext, options: SchedulerOptions) {
    const { client, clock, log, informers } = context
    this.#context = context
    this.#name = options.schedulerName ?? 'default-scheduler'
    this.#plugins =
      options.plugins ??
      defaultPlugins({
        client,
        claims: informers.informer(PersistentVolumeClaim),
        volumes: informers.informer(PersistentVolume),
        classes: informers.informer(StorageClass),
      })
    const registry = context.metrics ?? new MetricRegistry()
    this.#times = new CycleTimes(registry, clock, this.#name)
    this.#cycle = new SchedulingCycle(this.#plugins, clock, this.#nominations, this.#times)
    this.#metrics = new SchedulerMetrics(registry, clock, this.#name)
    this.#queue = new SchedulingQueue(
      clock,
      () => this.#soon(),
      (queue, event) => this.#metrics.came(queue, event),
    )
    this.#metrics.follow({ queue: this.#queue, sizes: () => this.#cache.sizes(), binding: () => this.#bindings.size })
    this.#events = createEventRecorder({ client, clock, log, component: this.#name })
    this.#preemptor = new Preemptor({
      context,
      name: this.#name,
      cache: this.#cache,
      nominations: this.#nominations,
      budgets: informers.informer(PodDisruptionBudget),
      events: this.#events,
      metrics: this.#metrics,
    })
  }

  async run(signal: AbortSignal): Promise<void> {
    const { informers } = this.#context
    await Promise.all([
      informers.informer(Node).whenSynced(signal),
      informers.informer(Pod).whenSynced(signal),
      informers.informer(PersistentVolume).whenSynced(signal),
      informers.informer(PersistentVolumeClaim).whenSynced(signal),
      informers.informer(StorageClass).whenSynced(signal),
      informers.informer(Namespace).whenSynced(signal),
      informers.informer(PodDisruptionBudget).whenSynced(signal),
    ])
    const unfollow = followCluster(informers, { cache: this.#cache, queue: this.#queue, nominations: this.#nominations }, (pod) => this.#isMine(pod))
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    this.#stopped = true
    unfollow()
    this.#queue.close()
    await Promise.allSettled(this.#bindings)
    this.#events.stop()
  }

  #isMine(pod: V1Pod): boolean {
    return (pod.spec.schedulerName ?? 'default-scheduler') === this.#name
  }

  /** Runs cycles in turns, until nothing is active, or as much is being bound as may be. */
  #soon(): void {
    if (this.#scheduled || this.#stopped) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      for (let i = 0; i < cyclesPerTurn && !this.#stopped && this.#binding < maxBinding; i++) {
        const queued = this.#queue.pop()
        if (!queued) return
        this.#schedule(queued)
      }
      if (this.#binding < maxBinding) this.#soon()
    })
  }

  #schedule(queued: QueuedPod): void {
    if (queued.pod.metadata.deletionTimestamp || queued.pod.spec.nodeName) return this.#queue.done(queued.key)
    // A gate (`spec.schedulingGates`) holds the pod back until it is taken away.
    if (queued.pod.spec.schedulingGates?.length) {
      this.#gated(queued)
      return
    }
    const started = this.#context.clock.now()
    const begun = this.#context.clock.monotonic()
    const pod = podInfo(queued.pod)
    const result = this.#cycle.run(pod, this.#cache)
    this.#metrics.chosen(this.#context.clock.monotonic() - begun)
    if (!result.ok) {
      const since = this.#times.now()
      const { message, nominate } = this.#preemptor.attempt(pod, result, queued.seen)
      this.#times.point('PostFilter', nominate ? 'Success' : 'Unschedulable', since)
      this.#queue.reject(queued, result.wakenBy, result.rejectedBy)
      this.#metrics.attempted('unschedulable', begun)
      this.#say(queued, message, nominate)
      return
    }
    const { node, state } = result
    this.#cache.assume(pod, node.name)
    this.#nominations.remove(pod.key)
    const reserving = this.#times.now()
    for (const plugin of this.#plugins) plugin.reserve?.(pod, node, state)
    this.#times.point('Reserve', 'Success', reserving)
    const span = {
      name: 'scheduling cycle',
      start: started,
      end: this.#context.clock.now(),
      about: queued.key,
      attributes: { node: node.name, looked: result.looked, feasible: result.feasible },
    }
    const client = this.#context.client.because({ component: 'kube-scheduler', seen: queued.seen, spans: [span] })
    this.#binding++
    const binding = this.#bind(queued, node, state, client, begun).finally(() => this.#bindings.delete(binding))
    this.#bindings.add(binding)
  }

  async #bind(queued: QueuedPod, node: NodeInfo, state: CycleState, client: ComponentContext['client'], begun: number): Promise<void> {
    const { namespace, name, uid } = queued.pod.metadata
    let counted = true
    const uncount = () => {
      if (!counted) return
      counted = false
      this.#binding--
      this.#soon()
    }
    const timeout = new AbortController()
    const timer = this.#context.clock.after(bindTimeout, () => timeout.abort())
    let point: ExtensionPoint = 'PreBind'
    let since = this.#times.now()
    try {
      for (const plugin of this.#plugins) {
        const prepared = plugin.preBind?.(queued.pod, node, state, timeout.signal)
        // Volumes may take their time, and keep nobody else back.
        if (prepared) uncount()
        await prepared
      }
      this.#times.point('PreBind', 'Success', since)
      point = 'Bind'
      since = this.#times.now()
      await client.subresource(Pod, { namespace, name }, 'binding', 'create', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { namespace, name, uid },
        target: { apiVersion: 'v1', kind: 'Node', name: node.name },
      })
      this.#times.point('Bind', 'Success', since)
      this.#queue.done(queued.key)
      this.#metrics.attempted('scheduled', begun)
      this.#metrics.bound(queued)
      this.#events.event(queued.pod, 'Normal', 'Scheduled', `Successfully assigned ${queued.key} to ${node.name}`, { client })
    } catch (error) {
      this.#times.point(point, 'Error', since)
      this.#metrics.attempted('error', begun)
      for (const plugin of this.#plugins) plugin.unreserve?.(podInfo(queued.pod), node, state)
      this.#cache.forget(queued.key)
      if (isApiError(error, 'NotFound') || isApiError(error, 'Conflict')) {
        // Gone, or bound by another: the informer will say which.
        this.#queue.done(queued.key)
        const current = this.#context.informers.informer(Pod).get(queued.key)
        if (current && !current.spec.nodeName && current.metadata.uid === uid) this.#queue.add(current, 0)
        return
      }
      this.#queue.retry(queued)
      this.#say(queued, error instanceof Error ? error.message : String(error))
    } finally {
      timer.cancel()
      uncount()
    }
  }

  #gated(queued: QueuedPod): void {
    this.#queue.reject(queued, new Set(['pod-updated']))
    void this.#setCondition(queued.pod, 'SchedulingGated', 'Scheduling is blocked due to non-empty scheduling gates')
  }

  /** Tells on the pod, and by an event, why it waits. */
  #say(queued: QueuedPod, message: string, nominate?: string): void {
    this.#events.event(queued.pod, 'Warning', 'FailedScheduling', message)
    void this.#setCondition(queued.pod, 'Unschedulable', message, nominate)
  }

  async #setCondition(pod: V1Pod, reason: string, message: string, nominate?: string): Promise<void> {
    const current = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled')
    const nominated = nominate ?? pod.status?.nominatedNodeName ?? ''
    const isNominated = nominated === (pod.status?.nominatedNodeName ?? '')
    if (isNominated && current?.status === 'False' && current.reason === reason && current.message === message) return
    const lastTransitionTime = current?.status === 'False' ? current.lastTransitionTime : timestamp(this.#context.clock.now())
    const { namespace, name, uid, generation } = pod.metadata
    const observed = generation === undefined ? {} : { observedGeneration: generation }
    const condition = { type: 'PodScheduled', status: 'False', ...observed, reason, message, lastProbeTime: null, lastTransitionTime }
    try {
      await this.#context.client.patch(
        Pod,
        { namespace, name },
        'strategic',
        { metadata: { uid }, status: { conditions: [condition], ...(isNominated ? {} : { nominatedNodeName: nominated || null }) } },
        { subresource: 'status' },
      )
    } catch (error) {
      // A pod that is gone needs no condition; anything else is tried with the next attempt.
      if (!isApiError(error, 'NotFound') && !isApiError(error, 'Conflict'))
        this.#context.log.warn('the condition PodScheduled was not written', { pod: name, error: String(error) })
    }
  }
}
