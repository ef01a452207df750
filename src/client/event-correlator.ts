/** Decides what becomes of an Event: written as it is, counted on an earlier one, combined with others, or dropped. */
import type { Clock } from '../machinery/clock.ts'
import type { CoreV1Event } from '../machinery/schema/generated/types.ts'

/** More than this many different messages of one reason about one object in the interval are combined. */
const maxSimilar = 10
const similarIntervalMs = 600_000
/** Events about one object: a burst, then one in five minutes. */
const spamBurst = 25
const spamRefillMs = 300_000
const maxRemembered = 4096

export class EventCorrelator {
  readonly #clock: Clock
  readonly #similar = new Map<string, { messages: Set<string>; lastAt: number }>()
  readonly #written = new Map<string, CoreV1Event>()
  readonly #tokens = new Map<string, { left: number; at: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The event to write, and the patch if an earlier one is only to be counted on; undefined: drop it. */
  correlate(recorded: CoreV1Event): { event: CoreV1Event; patch: object | undefined } | undefined {
    const { event, key } = this.#combine(recorded)
    const earlier = this.#written.get(key)
    if (this.#isSpam(event)) return undefined
    if (!earlier) {
      this.#remember(this.#written, key, event)
      return { event, patch: undefined }
    }
    const changed = { count: (earlier.count ?? 1) + 1, lastTimestamp: event.lastTimestamp, message: event.message }
    const counted = { ...event, ...changed, firstTimestamp: earlier.firstTimestamp, metadata: earlier.metadata }
    this.#remember(this.#written, key, counted)
    return { event: counted, patch: changed }
  }

  /** What the server made of it. */
  written(event: CoreV1Event): void {
    const keys = [exactKey(event), similarKey(event)]
    for (const key of keys) if (this.#written.get(key)?.metadata.name === event.metadata.name) this.#remember(this.#written, key, event)
  }

  #combine(event: CoreV1Event): { event: CoreV1Event; key: string } {
    const now = this.#clock.now()
    const key = similarKey(event)
    const known = this.#similar.get(key)
    const record = known && now - known.lastAt <= similarIntervalMs ? known : { messages: new Set<string>(), lastAt: now }
    record.lastAt = now
    record.messages.add(event.message ?? '')
    this.#remember(this.#similar, key, record)
    if (record.messages.size < maxSimilar) return { event, key: exactKey(event) }
    // The set need not grow further than what tells that there are many.
    const [first] = record.messages
    if (first !== undefined && record.messages.size > maxSimilar) record.messages.delete(first)
    return { event: { ...event, message: `(combined from similar events): ${event.message}` }, key }
  }

  #isSpam(event: CoreV1Event): boolean {
    const { source, involvedObject: about } = event
    const key = JSON.stringify([source?.component, source?.host, about.kind, about.namespace, about.name, about.uid, about.apiVersion])
    const now = this.#clock.monotonic()
    const bucket = this.#tokens.get(key) ?? { left: spamBurst, at: now }
    const left = Math.min(spamBurst, bucket.left + (now - bucket.at) / spamRefillMs)
    const allowed = left >= 1
    this.#remember(this.#tokens, key, { left: allowed ? left - 1 : left, at: now })
    return !allowed
  }

  /** Forgets what was used longest ago. */
  #remember<V>(map: Map<string, V>, key: string, value: V): void {
    map.delete(key)
    map.set(key, value)
    if (map.size <= maxRemembered) return
    const [oldest] = map.keys()
    if (oldest !== undefined) map.delete(oldest)
  }
}

function similarKey({ source, involvedObject: about, type, reason, reportingComponent, reportingInstance }: CoreV1Event): string {
  return JSON.stringify([
    source?.component,
    source?.host,
    about.kind,
    about.namespace,
    about.name,
    about.uid,
    about.apiVersion,
    type,
    reason,
    reportingComponent,
    reportingInstance,
  ])
}

const exactKey = (event: CoreV1Event): string => JSON.stringify([similarKey(event), event.involvedObject.fieldPath, event.message])
