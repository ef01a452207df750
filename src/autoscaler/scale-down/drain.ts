/** Empties a node: its pods are evicted, as their budgets allow, and waited for. */
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/event-recorder.ts'
import { Pod } from '../../client/resources.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isApiError } from '../../machinery/errors.ts'
import type { V1Node, V1Pod, V1PodDisruptionBudget } from '../../machinery/schema/generated/types.ts'
import { isGone } from '../cluster-view.ts'
import type { AutoscalerSettings } from '../settings.ts'
import { budgetsOf } from './movable-pods.ts'

export interface DrainRules {
  /** Of the pods on the node those that have to be gone first. Throws where one of them keeps the node. */
  toGo(pods: readonly V1Pod[]): V1Pod[]
  /** Evictions are tried until then, by the monotonic clock. */
  until: number
  /** What then: the pods are deleted whatever budgets say, and those that do not end are not waited for. Otherwise the node stays. */
  insist: boolean
  /** Told what holds the node up, when that changes; undefined: nothing but time. */
  heldUp(by: string | undefined): void
}

export interface DrainInput {
  client: Client
  clock: Clock
  events: EventRecorder
  settings: AutoscalerSettings
  signal: AbortSignal
  node: V1Node
  /** As far as it is known here; the API is asked once more in the end. */
  podsOnNode(): V1Pod[]
  budgets(): V1PodDisruptionBudget[]
  evicted(result: 'succeeded' | 'failed'): void
  rules: DrainRules
}

/** Beyond its own grace, so long may a pod take to be gone. */
const headroomMs = 30_000
const lookAgainMs = 250
/** An eviction that seems to be allowed now is tried again after so long. */
const soonMs = 1_000
/** So many of the pods that hold a node up are named. */
const mostNamed = 3

/** Rejects where the node has to stay. */
export async function drain(input: DrainInput): Promise<void> {
  const { clock, signal, rules } = input
  const evictions = new Evictions(input)
  for (;;) {
    const left = await podsLeft(input, evictions)
    if (left.length === 0) return
    await evictions.goOn(left)
    rules.heldUp(evictions.obstacle(left))
    await clock.sleep(lookAgainMs, signal)
  }
}

async function podsLeft({ client, clock, node, podsOnNode, rules }: DrainInput, evictions: Evictions): Promise<V1Pod[]> {
  const left = (pods: readonly V1Pod[]) => rules.toGo(pods).filter((pod) => !isOverdue(pod, clock) || (!rules.insist && evictions.has(pod)))
  const known = left(podsOnNode())
  if (known.length > 0) return known
  const { items } = await client.list(Pod, { fieldSelector: `spec.nodeName=${node.metadata.name}` })
  return left(items)
}

/** It should have been gone for long: its kubelet is away. */
const isOverdue = ({ metadata }: V1Pod, clock: Clock) =>
  metadata.deletionTimestamp !== undefined && Date.parse(metadata.deletionTimestamp) + headroomMs < clock.now()

class Evictions {
  readonly #input: DrainInput
  /** By uid, when each was accepted. */
  readonly #accepted = new Map<string, number>()
  readonly #tries = new Map<string, { at: number; refusal: string }>()

  constructor(input: DrainInput) {
    this.#input = input
  }

  has({ metadata }: V1Pod): boolean {
    return this.#accepted.has(metadata.uid)
  }

  /** Tries those that may be tried now; rejects when their time is over. */
  async goOn(left: readonly V1Pod[]): Promise<void> {
    const { clock, settings, events, rules } = this.#input
    const now = clock.monotonic()
    const open = left.filter((pod) => pod.metadata.deletionTimestamp === undefined && !this.has(pod))
    if (now >= rules.until && open.length > 0) {
      for (const pod of open) events.event(pod, 'Warning', 'ScaleDownFailed', 'failed to delete pod for ScaleDown')
      if (!rules.insist) throw new Error(`${open.map(nameOf).join(', ')} could not be evicted in time`)
      await Promise.all(open.map((pod) => this.#delete(pod)))
      return
    }
    await Promise.all(open.filter((pod) => this.#mayTry(pod, now)).map((pod) => this.#evict(pod)))
    if (rules.insist) return
    const graceMs = Math.max(...left.map((pod) => graceOf(pod, settings))) * 1000
    const since = Math.max(...[...this.#accepted.values()])
    if (left.every((pod) => this.has(pod)) && clock.monotonic() >= since + graceMs + headroomMs) throw new Error('pods remain after their time')
  }

  obstacle(left: readonly V1Pod[]): string | undefined {
    const held = left.flatMap((pod) => {
      const refusal = this.has(pod) || pod.metadata.deletionTimestamp ? undefined : this.#tries.get(pod.metadata.uid)?.refusal
      return refusal === undefined ? [] : [`${nameOf(pod)} (${refusal})`]
    })
    if (held.length === 0) return undefined
    return `${held.slice(0, mostNamed).join(', ')}${held.length > mostNamed ? ` and ${held.length - mostNamed} more` : ''}`
  }

  /** Once it was refused it is asked again after a while, or as soon as its budgets seem to allow it. */
  #mayTry(pod: V1Pod, now: number): boolean {
    const last = this.#tries.get(pod.metadata.uid)
    if (!last || now >= last.at + this.#input.settings.evictionRetryMs) return true
    const budgets = budgetsOf(pod, this.#input.budgets())
    return now >= last.at + soonMs && budgets.every(({ status }) => (status?.disruptionsAllowed ?? 0) > 0)
  }

  async #evict(pod: V1Pod): Promise<void> {
    const { client, clock, events, settings } = this.#input
    const { name, namespace, uid } = pod.metadata
    if (!this.#tries.has(uid)) events.event(pod, 'Normal', 'ScaleDown', 'deleting pod for node scale down')
    try {
      await client.subresource(Pod, { name, namespace }, 'eviction', 'create', {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name, namespace },
        deleteOptions: { gracePeriodSeconds: graceOf(pod, settings), preconditions: { uid } },
      })
      this.#accept(pod)
    } catch (error) {
      if (isGone(error) || isApiError(error, 'Conflict')) return this.#accept(pod)
      this.#input.evicted('failed')
      this.#tries.set(uid, { at: clock.monotonic(), refusal: this.#refusal(pod, error) })
    }
  }

  async #delete(pod: V1Pod): Promise<void> {
    const { client, settings } = this.#input
    const { metadata } = pod
    try {
      await client.delete(Pod, metadata, { gracePeriodSeconds: graceOf(pod, settings), preconditions: { uid: metadata.uid } })
    } catch (error) {
      if (!isGone(error) && !isApiError(error, 'Conflict')) throw error
    }
    this.#accept(pod)
  }

  #accept({ metadata }: V1Pod): void {
    this.#accepted.set(metadata.uid, this.#input.clock.monotonic())
    this.#input.evicted('succeeded')
  }

  #refusal(pod: V1Pod, error: unknown): string {
    const budgets = budgetsOf(pod, this.#input.budgets()).map(({ metadata }) => metadata.name)
    if (budgets.length > 0 && isApiError(error, 'TooManyRequests')) return `PodDisruptionBudget ${budgets.join(', ')} allows no disruption`
    return error instanceof Error ? error.message : String(error)
  }
}

const nameOf = ({ metadata }: V1Pod) => `${metadata.namespace}/${metadata.name}`

const graceOf = ({ spec }: V1Pod, settings: AutoscalerSettings) => Math.min(spec.terminationGracePeriodSeconds ?? 30, settings.maxGracefulTerminationSeconds)
