/**
 * Brings pod statuses to the API server: the newest of each pod, one write at a time, again and again until it
 * is there. Fields are patched one by one, so that what others write beside (conditions of readiness gates) stays.
 */
import { Backoff } from '../../client/backoff.ts'
import type { Client, Span } from '../../client/client.ts'
import type { Logger } from '../../client/component.ts'
import { Pod } from '../../client/resources.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isApiError } from '../../machinery/errors.ts'
import type { V1Pod, V1PodStatus } from '../../machinery/schema/generated/types.ts'
import type { PodMetrics } from './pod-metrics.ts'
import { statusPatch } from './status-patch.ts'

interface Entry {
  pod: V1Pod
  status: V1PodStatus
  /** What the server has, as far as we know. */
  written: V1PodStatus | undefined
  /** The version of the pod that our last write made: what is older says nothing of it. */
  version: number
  /** What the API showed last. */
  shown: V1Pod | undefined
  /** All has ended: once the status is there, the pod may go. */
  finish: boolean
  busy: boolean
  /** When what is not written yet was said first; monotonic. */
  since: number | undefined
  seen: number[]
  spans: Span[]
}

export class StatusWriter {
  readonly #client: Client
  readonly #clock: Clock
  readonly #log: Logger
  readonly #component: string
  readonly #settleMs: number
  readonly #metrics: PodMetrics | undefined
  readonly #entries = new Map<string, Entry>()
  readonly #stopped = new AbortController()

  /** `settleMs`: a status is written first when it is this old, as the newest until then; at once when absent. */
  constructor(options: { client: Client; clock: Clock; log: Logger; component: string; settleMs?: number; metrics?: PodMetrics | undefined }) {
    this.#client = options.client
    this.#clock = options.clock
    this.#log = options.log
    this.#component = options.component
    this.#settleMs = options.settleMs ?? 0
    this.#metrics = options.metrics
  }

  /** The newest status, whether or not it is written yet. */
  get(uid: string): V1PodStatus | undefined {
    return this.#entries.get(uid)?.status
  }

  set(pod: V1Pod, status: V1PodStatus, cause: { seen?: number[]; spans?: Span[] } = {}): void {
    const { uid } = pod.metadata
    const known = this.#entries.get(uid)
    const entry = known ?? {
      pod,
      status,
      written: pod.status,
      version: versionOf(pod),
      shown: undefined,
      finish: false,
      busy: false,
      since: undefined,
      seen: [],
      spans: [],
    }
    entry.pod = pod
    entry.status = status
    entry.since ??= this.#metrics?.now()
    entry.seen.push(...(cause.seen ?? []))
    entry.spans.push(...(cause.spans ?? []))
    this.#entries.set(uid, entry)
    void this.#work(uid, entry)
  }

  /**
   * The API shows the pod so. Where another has decided that it is not ready (its node was not heard of), and it is, it
   * is said again.
   */
  shown(pod: V1Pod): void {
    const entry = this.#entries.get(pod.metadata.uid)
    if (!entry) return
    entry.shown = pod
    if (!entry.busy && isNews(entry)) void this.#work(pod.metadata.uid, entry)
  }

  /** Nothing of the pod is left on the node: its last status is written, then it is deleted if that was asked for. */
  finish(pod: V1Pod): void {
    const entry = this.#entries.get(pod.metadata.uid)
    if (!entry) return
    entry.pod = pod
    entry.finish = true
    void this.#work(pod.metadata.uid, entry)
  }

  forget(uid: string): void {
    this.#entries.delete(uid)
  }

  stop(): void {
    this.#stopped.abort(new Error('the kubelet stops'))
  }

  async #work(uid: string, entry: Entry): Promise<void> {
    if (entry.busy) return
    entry.busy = true
    const backoff = new Backoff(this.#clock, { initialMs: 200, maxMs: 10_000, jitter: 0.1 })
    try {
      if (this.#settleMs > 0) await this.#clock.sleep(this.#settleMs, this.#stopped.signal).catch(() => {})
      while (!this.#stopped.signal.aborted && this.#entries.get(uid) === entry) {
        try {
          if (!(await this.#step(entry))) return
          backoff.reset()
        } catch (error) {
          if (isApiError(error, 'NotFound') || (isApiError(error, 'Conflict') && /uid/i.test(error.message))) {
            this.#entries.delete(uid)
            return
          }
          this.#log.debug('pod status not written yet', { pod: entry.pod.metadata.name, error })
          await this.#clock.sleep(backoff.next(), this.#stopped.signal).catch(() => {})
        }
      }
    } finally {
      entry.busy = false
    }
  }

  /** One write; false when there is nothing to do. */
  async #step(entry: Entry): Promise<boolean> {
    const { pod, status } = entry
    if (isNews(entry)) entry.written = entry.shown?.status
    const at = { name: pod.metadata.name, namespace: pod.metadata.namespace }
    const patch = statusPatch(entry.written ?? {}, status)
    if (patch) {
      const seen = entry.seen.splice(0).slice(-32)
      const spans = entry.spans.splice(0)
      const client = this.#client.because({ component: this.#component, seen, spans })
      try {
        const { metadata } = await client.patch(Pod, at, 'strategic', { metadata: { uid: pod.metadata.uid }, status: patch }, { subresource: 'status' })
        entry.version = Number(metadata.resourceVersion)
      } catch (error) {
        entry.seen.unshift(...seen)
        entry.spans.unshift(...spans)
        throw error
      }
      entry.written = status
      if (entry.since !== undefined) this.#metrics?.statusWritten(entry.since)
      entry.since = undefined
      return true
    }
    entry.since = undefined
    if (!entry.finish || !pod.metadata.deletionTimestamp) return false
    await this.#client.because({ component: this.#component, seen: entry.seen.slice(-32) }).delete(Pod, at, {
      gracePeriodSeconds: 0,
      preconditions: { uid: pod.metadata.uid },
    })
    this.#entries.delete(pod.metadata.uid)
    return false
  }
}

const versionOf = ({ metadata }: V1Pod) => Number(metadata.resourceVersion)

/** Conditions that others than the kubelet change as well: the node lifecycle controller, of nodes that are silent. */
const contested = ['Ready', 'ContainersReady']

function isNews({ shown, version, written }: Entry): boolean {
  if (!shown || versionOf(shown) <= version) return false
  const statusOf = (status: V1PodStatus | undefined, type: string) => status?.conditions?.find((condition) => condition.type === type)?.status
  return contested.some((type) => statusOf(shown.status, type) !== statusOf(written, type))
}
