/**
 * Brings one pod from what it is to what it should be, again and again: whatever happened, it reads the pod and
 * the runtime's state anew and acts on the difference. One at a time; what comes meanwhile makes one more round.
 */
import { isDeepStrictEqual } from 'node:util'
import { Backoff } from '../../client/backoff.ts'
import type { Span } from '../../client/client.ts'
import type { Timer } from '../../machinery/clock.ts'
import type { V1Container, V1Pod, V1PodStatus } from '../../machinery/schema/generated/types.ts'
import { messageOf } from '../container/start-error.ts'
import { terminationMessage } from '../container/termination-message.ts'
import type { Eviction } from '../eviction/eviction-manager.ts'
import { asked, type Given, givenBefore, type PendingResize, withGiven } from './allocation.ts'
import { ownConditions } from './conditions.ts'
import { collectContainers } from './container-collection.ts'
import type { WaitingReason } from './container-statuses.ts'
import { backoffKey, isSidecar } from './identity.ts'
import type { RoundKind } from './pod-metrics.ts'
import { latestOf, type PodRuntime, somethingRuns } from './pod-runtime.ts'
import type { PodServices } from './pod-services.ts'
import { computePodStatus, isTerminal, type Verdict } from './pod-status.ts'
import { syncPod } from './sync-pod.ts'

const configRetryMs = 10_000
const backoffShownMs = 1500
/** Room may come when another pod ends, which wakes nobody here. */
const resizeRetryMs = 5000

/** Of a worker that is to stop. A pod that is given time to end has more, and goes on without it. */
const lastStepMs = 1000

export class PodWorker {
  readonly #services: PodServices
  /** All of it has ended and been cleaned up. */
  readonly #onGone: () => void
  #pod: V1Pod
  /** Its object is gone from the API: it ends, and nothing is reported. */
  #removed = false
  #admitted = false
  #verdict: Verdict | undefined
  #given: Given | undefined
  #pendingResize: PendingResize | undefined
  readonly #waiting = new Map<string, WaitingReason>()
  readonly #messages = new Map<string, string>()
  #seen: number[] = []
  #spans: Span[] = []
  #running: Promise<void> | undefined
  #again = false
  #done = false
  /** Its containers and its sandbox have ended for good; what is left is to clean up and to say so. */
  #over = false
  #stopped = false
  #timer: Timer | undefined
  #sync = new AbortController()
  #endingWithin = Number.POSITIVE_INFINITY
  readonly #errors: Backoff
  /** Of a pod that was new when it was seen first: when that was, and for how long images were pulled. */
  #starting: { seenAt: number; pulledMs: number } | undefined
  #roundKind: RoundKind = 'create'

  constructor(pod: V1Pod, services: PodServices, onGone: () => void) {
    this.#pod = pod
    this.#services = services
    this.#onGone = onGone
    this.#errors = new Backoff(services.clock, { initialMs: 1000, maxMs: 60_000, jitter: 0.1 })
    services.metrics?.seen(pod)
    if (!pod.status?.startTime) this.#starting = { seenAt: services.clock.now(), pulledMs: 0 }
  }

  get pod(): V1Pod {
    return this.#pod
  }

  /** The pod with the resources that the node has given it. */
  get allocated(): V1Pod {
    return this.#given ? withGiven(this.#pod, this.#given) : this.#pod
  }

  /** Nothing of it runs or will run on this node. */
  get done(): boolean {
    return this.#done
  }

  /**
   * Whether it was let onto the node and counts against what the node has. One whose containers have ended does not:
   * the scheduler gives its room away as soon as it hears of that.
   */
  get admitted(): boolean {
    return this.#admitted && !this.#done && !this.#over && !isTerminal(this.status.phase)
  }

  update(pod: V1Pod, revision?: number): void {
    const before = this.#pod
    this.#pod = pod
    // What comes back of our own writes wakes nobody.
    if (before !== pod && !mattersToKubelet(before, pod)) return
    if (revision !== undefined) this.#seen = [...this.#seen, revision].slice(-32)
    if (this.#roundKind === 'sync') this.#roundKind = 'update'
    if (this.#isEnding()) this.#sync.abort(new Error('the pod is to end'))
    this.wake()
  }

  /** The pod's object is gone. */
  remove(): void {
    this.#removed = true
    this.#sync.abort(new Error('the pod is gone'))
    this.wake()
  }

  wake(): void {
    if (this.#stopped) return
    if (this.#running) {
      this.#again = true
      // A shorter grace must not wait until the longer one is over.
      if (this.#isEnding()) this.#hurryEnd()
      return
    }
    this.#timer?.cancel()
    this.#running = this.#rounds().finally(() => {
      this.#running = undefined
      if (this.#again && !this.#stopped) this.wake()
    })
  }

  /** Stops working; containers go on. What it is at is waited for, but not for long: nothing is written after that. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    this.#sync.abort(new Error('the kubelet stops'))
    const done = new AbortController()
    const running = this.#running?.finally(() => done.abort()).catch(() => {})
    if (running) await Promise.race([running, this.#services.clock.sleep(lastStepMs, done.signal).catch(() => {})])
  }

  /** The status that the API has or will have. */
  get status(): V1PodStatus {
    return this.#services.statuses.get(this.#pod.metadata.uid) ?? this.#pod.status ?? {}
  }

  /** Runs here, and was not told to end for the node's sake. */
  get evictable(): boolean {
    return this.admitted && !this.#verdict
  }

  evict({ message, graceSeconds, disruption }: Eviction): void {
    this.#verdict ??= { phase: 'Failed', reason: 'Evicted', message, graceSeconds, disruption }
    this.#sync.abort(new Error(message))
    this.wake()
  }

  async #rounds(): Promise<void> {
    do {
      this.#again = false
      const { metrics } = this.#services
      const start = metrics?.now() ?? 0
      const kind = this.#isEnding() ? 'terminating' : this.#roundKind
      this.#roundKind = 'sync'
      try {
        const nextMs = await this.#round().finally(() => metrics?.looked(kind, start))
        this.#errors.reset()
        this.#wakeAfter(nextMs)
      } catch (error) {
        if (this.#stopped) return
        if (this.#isEnding() && this.#sync.signal.aborted) {
          this.#again = true
          continue
        }
        this.#services.log.debug('pod not as it should be yet', { pod: `${this.#pod.metadata.namespace}/${this.#pod.metadata.name}`, error: messageOf(error) })
        this.#wakeAfter(this.#errors.next())
      }
    } while (this.#again && !this.#stopped)
  }

  #wakeAfter(ms: number): void {
    this.#timer?.cancel()
    if (!this.#done && !this.#stopped) this.#timer = this.#services.clock.after(ms, () => this.wake())
  }

  /** One look and what follows from it; says after how long to look again. */
  async #round(): Promise<number> {
    if (this.#done) {
      if (!this.#removed) this.#services.statuses.finish(this.#pod)
      else this.#onGone()
      return this.#services.resyncMs
    }
    if (!this.#admitted && !this.#isEnding()) this.#admit()
    if (!this.#isEnding()) this.#allocate()
    await this.#report()
    if (this.#isEnding()) {
      await this.#end()
      return this.#services.resyncMs
    }
    this.#sync = new AbortController()
    const { cache, probes, volumes, clock, resyncMs } = this.#services
    const { uid } = this.#pod.metadata
    try {
      await syncPod({
        pod: this.#withOwnStatus(),
        services: this.#services,
        waiting: this.#waiting,
        signal: this.#sync.signal,
        record: (span) => this.#record(span),
        report: () => this.#report(),
      })
    } finally {
      if (!this.#stopped) await this.#report()
    }
    await collectContainers(this.#services.runtime, cache.get(uid))
    const runtime = cache.get(uid)
    probes.sync(this.#withOwnStatus(), runtime, this.status.podIP ?? '')
    const refreshAt = volumes.refreshAt(uid)
    const waits = [
      resyncMs,
      this.#pendingResize ? resizeRetryMs : resyncMs,
      this.#nextStart(),
      this.#deadlineIn(),
      refreshAt === undefined ? resyncMs : refreshAt - clock.now(),
    ]
    return Math.max(1, Math.min(...waits))
  }

  #admit(): void {
    const refusal =
      isTerminal(this.status.phase) || this.#services.cache.get(this.#pod.metadata.uid).sandboxes.length > 0 ? undefined : this.#services.admit(this.#pod)
    if (!refusal) {
      this.#admitted = true
      return
    }
    this.#services.events.pod(this.#pod, 'Warning', refusal.reason, refusal.message)
    this.#verdict = { phase: 'Failed', reason: refusal.reason, message: `Pod was rejected: ${refusal.message}` }
  }

  /** Gives it what it asks for, if the node has that. */
  #allocate(): void {
    const pod = this.#pod
    this.#given ??= this.#services.cache.get(pod.metadata.uid).containers.length > 0 ? givenBefore(pod) : asked(pod)
    const refusal = this.allocated === pod ? undefined : this.#services.refuseResize(pod)
    if (!refusal) this.#given = asked(pod)
    else if (refusal.reason !== this.#pendingResize?.reason || refusal.message !== this.#pendingResize.message)
      this.#services.events.pod(pod, 'Warning', `Resize${refusal.reason}`, `Pod resize ${refusal.reason}: ${refusal.message}`)
    this.#pendingResize = refusal
  }

  /** Computes the status from what the runtime has and hands it on to be written. */
  async #report(): Promise<void> {
    const { cache, probes, runtimeName, hostIPs, clock, statuses } = this.#services
    const { uid } = this.#pod.metadata
    const runtime = await cache.refresh(uid)
    for (const container of runtime.containers)
      if (container.state === 'exited' && !this.#messages.has(container.id))
        this.#messages.set(container.id, await terminationMessage(this.#services.files, container))
    this.#checkDeadline()
    const status = computePodStatus({
      pod: this.#withOwnStatus(),
      runtime,
      probes,
      waiting: this.#waiting,
      runtimeName,
      terminationMessages: this.#messages,
      hostIPs,
      now: clock.now(),
      ending: this.#isEnding() || this.#verdict !== undefined,
      over: this.#over,
      ...(this.#pendingResize ? { pendingResize: this.#pendingResize } : {}),
      ...(this.#verdict ? { verdict: this.#verdict } : {}),
    })
    if (!this.#removed) statuses.set(this.#pod, status, { seen: this.#seen.splice(0), spans: this.#spans.splice(0) })
    // What is decided by looking at ended containers: the pod has completed.
    if (isTerminal(status.phase) || this.#verdict) probes.ending(uid)
    if (this.#starting && status.containerStatuses?.every(({ started, state }) => started || state?.running)) this.#started(runtime)
  }

  #started({ containers }: PodRuntime): void {
    const inits = new Set((this.#pod.spec.initContainers ?? []).filter((one) => !isSidecar(one)).map(({ name }) => name))
    const initMs = containers.reduce(
      (sum, { metadata, startedAt, finishedAt }) => sum + (inits.has(metadata.name) && startedAt && finishedAt ? finishedAt - startedAt : 0),
      0,
    )
    const { seenAt, pulledMs } = this.#starting ?? { seenAt: 0, pulledMs: 0 }
    this.#services.metrics?.runs(this.#pod, seenAt, pulledMs + initMs)
    this.#starting = undefined
  }

  /** The pod with the newest status that this kubelet knows, and the conditions of others as the API has them. */
  #withOwnStatus(): V1Pod {
    const own = this.#services.statuses.get(this.#pod.metadata.uid)
    const pod = this.allocated
    if (!own) return pod
    const isOwn = ({ type }: { type: string }) => ownConditions.includes(type)
    const conditions = [...(own.conditions ?? []).filter(isOwn), ...(this.#pod.status?.conditions ?? []).filter((condition) => !isOwn(condition))]
    return { ...pod, status: { ...own, conditions } }
  }

  #isEnding(): boolean {
    return this.#removed || this.#pod.metadata.deletionTimestamp !== undefined || this.#verdict !== undefined || this.#hasCompleted()
  }

  /** No container will be started again, by the restart policy. */
  #hasCompleted(): boolean {
    const phase = this.status.phase
    return isTerminal(phase)
  }

  #checkDeadline(): void {
    if (this.#verdict || this.#isEnding() || this.#deadlineIn() > 0) return
    const message = 'Pod was active on the node longer than the specified deadline'
    this.#services.events.pod(this.#pod, 'Normal', 'DeadlineExceeded', message)
    this.#verdict = { phase: 'Failed', reason: 'DeadlineExceeded', message }
  }

  #deadlineIn(): number {
    const { activeDeadlineSeconds } = this.#pod.spec
    const { startTime } = this.status
    if (activeDeadlineSeconds === undefined || startTime === undefined) return Number.POSITIVE_INFINITY
    return Date.parse(startTime) + activeDeadlineSeconds * 1000 - this.#services.clock.now()
  }

  /** When the first container that waits for its backoff may be started. */
  #nextStart(): number {
    const { backoff, images, cache } = this.#services
    const { uid } = this.#pod.metadata
    const runtime = cache.get(uid)
    let next = Number.POSITIVE_INFINITY
    for (const container of [...(this.#pod.spec.initContainers ?? []), ...this.#pod.spec.containers]) {
      const waiting = this.#waiting.get(container.name)
      if (!waiting) continue
      const finishedAt = latestOf(runtime, container.name)?.finishedAt
      const restart = finishedAt === undefined ? 0 : backoff.remaining(backoffKey(this.#pod, container), finishedAt)
      const pull = images.retryIn(this.#pod, container as V1Container)
      // A pull that just failed is soon looked at again, only to say that it is waited for now.
      const soon = waiting.reason === 'ErrImagePull' || waiting.reason === 'RegistryUnavailable'
      next = Math.min(next, soon ? backoffShownMs : Math.max(restart, pull) || configRetryMs)
    }
    return next
  }

  #record(span: Span): void {
    if (this.#starting && span.name === 'pull image') this.#starting.pulledMs += span.end - span.start
    // The next status carries it; a pod that is gone gets none any more.
    if (this.#removed) this.#services.span(span)
    else this.#spans.push(span)
  }

  #grace(): number {
    const { deletionGracePeriodSeconds, deletionTimestamp } = this.#pod.metadata
    const asked = deletionTimestamp === undefined ? undefined : deletionGracePeriodSeconds
    if (this.#verdict?.graceSeconds !== undefined) return Math.max(1, Math.min(this.#verdict.graceSeconds, asked ?? Number.POSITIVE_INFINITY))
    return Math.max(1, asked ?? this.#pod.spec.terminationGracePeriodSeconds ?? 30)
  }

  /** A second, shorter termination beside the one that is under way. */
  #hurryEnd(): void {
    const grace = this.#grace()
    if (grace >= this.#endingWithin) return
    this.#endingWithin = grace
    const { termination, cache, log } = this.#services
    termination
      .endPod(this.#pod, cache.get(this.#pod.metadata.uid), this.status.podIP ?? '', grace)
      .catch((error: unknown) => log.warn('a pod could not be ended sooner', { pod: this.#pod.metadata.name, error }))
  }

  /** Of a pod that has ended: its containers with what they wrote and logged. */
  async removeContainers(): Promise<void> {
    if (this.#done && !this.#removed) await this.#removeContainers()
  }

  async #removeContainers(): Promise<void> {
    const { runtime, cache } = this.#services
    const { uid } = this.#pod.metadata
    for (const container of cache.get(uid).containers) await runtime.removeContainer(container.id)
    await cache.refresh(uid)
  }

  async #end(): Promise<void> {
    const { termination, cache, probes, runtime, volumes, cgroups, objects, images, backoff, statuses } = this.#services
    const { uid } = this.#pod.metadata
    probes.ending(uid)
    this.#endingWithin = this.#grace()
    await termination.endPod(this.#pod, cache.get(uid), this.status.podIP ?? '', this.#endingWithin)
    this.#endingWithin = Number.POSITIVE_INFINITY
    if (somethingRuns(await cache.refresh(uid))) throw new Error('containers still run')
    await this.#report()
    probes.remove(uid)
    for (const sandbox of cache.get(uid).sandboxes) await runtime.stopPodSandbox(sandbox.id)
    this.#over = true
    await this.#report()
    await volumes.unmountAll(uid)
    await cgroups.removePod(uid)
    objects.release(uid)
    images.forget(uid)
    backoff.forget(`${uid}_`)
    // Its writable layers are what the node may be short of.
    if (this.#verdict?.reason === 'Evicted') await this.#removeContainers()
    this.#done = true
    // Logs and records of a pod that only completed stay until it is deleted.
    if (this.#removed) this.#onGone()
    else statuses.finish(this.#pod)
  }
}

/** Whether something else has changed than what this kubelet itself writes. */
function mattersToKubelet(before: V1Pod, after: V1Pod): boolean {
  const gates = (after.spec.readinessGates ?? []).map(({ conditionType }) => conditionType)
  // The generation tells of every change of a spec; comparing it is the larger part of the work.
  const sameSpec = before.metadata.generation !== undefined && before.metadata.generation === after.metadata.generation
  const essence = ({ metadata, spec, status }: V1Pod) => {
    const { labels, annotations, deletionTimestamp, deletionGracePeriodSeconds } = metadata
    const conditions = gates.map((type) => status?.conditions?.find((condition) => condition.type === type)?.status)
    return { labels, annotations, deletionTimestamp, deletionGracePeriodSeconds, conditions, spec: sameSpec ? undefined : spec }
  }
  return !isDeepStrictEqual(essence(before), essence(after))
}
