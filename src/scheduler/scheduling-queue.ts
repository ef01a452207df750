/**
 * Pods that wait for a node. Active ones come out by priority, then by age. One that was rejected waits until an
 * event of the kind that its rejecting plugins wait for, and at least its backoff (1 s doubling to 10 s); after five
 * minutes it is tried whatever happened.
 */
import type { Clock, Timer } from '../machinery/clock.ts'
import { Heap } from '../machinery/heap.ts'
import type { V1Pod } from '../machinery/schema/generated/types.ts'
import type { ClusterEvent } from './framework.ts'

const initialBackoff = 1_000
const maxBackoff = 10_000
const longestWait = 5 * 60_000

export interface QueuedPod {
  key: string
  pod: V1Pod
  /** When it first came, for the order among equal priorities. */
  since: number
  attempts: number
  /** Revisions that woke it: causes of its binding. */
  seen: number[]
}

export type QueueName = 'active' | 'backoff' | 'unschedulable' | 'gated'

interface Waiting {
  queued: QueuedPod
  wakenBy: ReadonlySet<ClusterEvent>
  /** Plugins. */
  rejectedBy: readonly string[]
  notBefore: number
  rejectedAt: number
}

const priority = (queued: QueuedPod) => queued.pod.spec.priority ?? 0

export class SchedulingQueue {
  readonly #clock: Clock
  readonly #onReady: () => void
  readonly #active = new Heap<QueuedPod>((a, b) => priority(b) - priority(a) || a.since - b.since)
  readonly #activeByKey = new Map<string, QueuedPod>()
  readonly #waiting = new Map<string, Waiting>()
  /** Woken, but still in their backoff. */
  readonly #backoff = new Map<string, { queued: QueuedPod; timer: Timer }>()
  /** Being scheduled now, with the number of the last event when they began: what came since may make a rejection stale. */
  readonly #inFlight = new Map<string, number>()
  #events = 0
  /** The number of the last event of each kind. */
  readonly #last = new Map<ClusterEvent, number>()
  readonly #sweep: Timer

  readonly #onMove: (queue: QueueName, event: string) => void

  /** `onMove` is told where each pod comes, and because of what. */
  constructor(clock: Clock, onReady: () => void, onMove: (queue: QueueName, event: string) => void = () => {}) {
    this.#clock = clock
    this.#onMove = onMove
    this.#onReady = onReady
    this.#sweep = clock.every(30_000, () => this.#wakeTheForgotten())
  }

  /** A pod that wants a node, new or changed. */
  add(pod: V1Pod, revision: number): void {
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`
    const active = this.#activeByKey.get(key) ?? this.#backoff.get(key)?.queued
    if (active) {
      active.pod = pod
      remember(active, revision)
      return
    }
    const waiting = this.#waiting.get(key)
    if (waiting) {
      const changed = waiting.queued.pod.metadata.generation !== pod.metadata.generation || sameSpec(waiting.queued.pod, pod) === false
      waiting.queued.pod = pod
      if (!changed) return
      remember(waiting.queued, revision)
      this.#waiting.delete(key)
      return this.#activate(waiting.queued, 'PodUpdate')
    }
    if (this.#inFlight.has(key)) return
    this.#activate({ key, pod, since: this.#clock.now(), attempts: 0, seen: [revision] }, 'PodAdd')
  }

  remove(key: string): void {
    this.#activeByKey.delete(key)
    this.#waiting.delete(key)
    this.#backoff.get(key)?.timer.cancel()
    this.#backoff.delete(key)
  }

  pop(): QueuedPod | undefined {
    for (;;) {
      const queued = this.#active.pop()
      if (!queued) return undefined
      if (this.#activeByKey.get(queued.key) !== queued) continue
      this.#activeByKey.delete(queued.key)
      this.#inFlight.set(queued.key, this.#events)
      queued.attempts++
      return queued
    }
  }

  /** The pod was given a node and bound, or is gone. */
  done(key: string): void {
    this.#inFlight.delete(key)
  }

  /** No node did. `wakenBy`: the events that its rejecting plugins wait for. */
  reject(queued: QueuedPod, wakenBy: ReadonlySet<ClusterEvent>, rejectedBy: readonly string[] = []): void {
    const begun = this.#inFlight.get(queued.key)
    if (begun === undefined) return
    this.#inFlight.delete(queued.key)
    queued.seen = []
    const now = this.#clock.now()
    const notBefore = now + backoffOf(queued)
    if ([...wakenBy].some((event) => (this.#last.get(event) ?? 0) > begun)) return this.#delay(queued, notBefore, 'ScheduleAttemptFailure')
    this.#onMove(isGated(queued) ? 'gated' : 'unschedulable', 'ScheduleAttemptFailure')
    this.#waiting.set(queued.key, { queued, wakenBy, rejectedBy, notBefore, rejectedAt: now })
  }

  /** Something went wrong on the way (binding failed): again after its backoff. */
  retry(queued: QueuedPod): void {
    if (!this.#inFlight.delete(queued.key)) return
    this.#delay(queued, this.#clock.now() + backoffOf(queued), 'ScheduleAttemptFailure')
  }

  /** The cluster changed: pods that wait for this are tried again. */
  wake(event: ClusterEvent, revision: number): void {
    this.#last.set(event, ++this.#events)
    for (const [key, waiting] of this.#waiting) {
      if (!waiting.wakenBy.has(event)) continue
      this.#waiting.delete(key)
      remember(waiting.queued, revision)
      this.#delay(waiting.queued, waiting.notBefore, event)
    }
  }

  counts(): Record<QueueName, number> {
    let gated = 0
    for (const { queued } of this.#waiting.values()) if (isGated(queued)) gated++
    return { active: this.#activeByKey.size, backoff: this.#backoff.size, unschedulable: this.#waiting.size - gated, gated }
  }

  /** How many wait because of each plugin. */
  rejections(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const { rejectedBy } of this.#waiting.values()) for (const plugin of rejectedBy) counts.set(plugin, (counts.get(plugin) ?? 0) + 1)
    return counts
  }

  close(): void {
    this.#sweep.cancel()
    for (const { timer } of this.#backoff.values()) timer.cancel()
  }

  #activate(queued: QueuedPod, event: string): void {
    this.#onMove('active', event)
    this.#activeByKey.set(queued.key, queued)
    this.#active.push(queued)
    this.#onReady()
  }

  #delay(queued: QueuedPod, until: number, event: string): void {
    const wait = until - this.#clock.now()
    if (wait <= 0) return this.#activate(queued, event)
    this.#onMove('backoff', event)
    const timer = this.#clock.after(wait, () => {
      this.#backoff.delete(queued.key)
      this.#activate(queued, 'BackoffComplete')
    })
    this.#backoff.set(queued.key, { queued, timer })
  }

  #wakeTheForgotten(): void {
    const now = this.#clock.now()
    for (const [key, waiting] of this.#waiting) {
      if (now - waiting.rejectedAt < longestWait) continue
      this.#waiting.delete(key)
      this.#activate(waiting.queued, 'UnschedulableTimeout')
    }
  }
}

const isGated = ({ pod }: QueuedPod) => (pod.spec.schedulingGates?.length ?? 0) > 0

const backoffOf = (queued: QueuedPod) => Math.min(initialBackoff * 2 ** (queued.attempts - 1), maxBackoff)

function remember(queued: QueuedPod, revision: number): void {
  if (revision > 0 && queued.seen.length < 32 && !queued.seen.includes(revision)) queued.seen.push(revision)
}

/** Whether only what the scheduler itself writes (status) changed. */
function sameSpec(a: V1Pod, b: V1Pod): boolean {
  return (
    JSON.stringify(a.spec) === JSON.stringify(b.spec) &&
    JSON.stringify(a.metadata.labels) === JSON.stringify(b.metadata.labels) &&
    a.metadata.deletionTimestamp === b.metadata.deletionTimestamp
  )
}
