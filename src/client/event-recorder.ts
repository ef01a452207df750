/**
 * Records Events about objects, without ever making its caller wait: repeated ones are counted on one Event, many
 * that are alike are combined, and an object that floods is cut off. Rules and limits as upstream's correlator.
 */
import { type Clock, timestamp } from '../machinery/clock.ts'
import { isApiError } from '../machinery/errors.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { CoreV1Event, V1ObjectReference } from '../machinery/schema/generated/types.ts'
import { Backoff } from './backoff.ts'
import type { Client } from './client.ts'
import type { Logger } from './component.ts'
import { EventCorrelator } from './event-correlator.ts'
import { Event } from './resources.ts'

export interface EventRecorderOptions {
  client: Client
  clock: Clock
  log: Logger
  /** `replicaset-controller`, `kubelet`, … */
  component: string
  /** The node's name, for what runs on one. */
  host?: string
}

export interface EventDetails {
  /** Of a part of the object: `spec.containers{web}`. */
  fieldPath?: string
  annotations?: Record<string, string>
  /** Records it with the causes of this client in place of the recorder's. */
  client?: Client
}

export type EventType = 'Normal' | 'Warning'

export interface EventRecorder {
  event(about: KubeObject | V1ObjectReference, type: EventType, reason: string, message: string, details?: EventDetails): void
  /** Resolves when all that was recorded so far is written or given up. */
  flush(): Promise<void>
  stop(): void
}

/** More than this waiting are dropped, as upstream does: events are best effort. */
const maxWaiting = 1000
const maxAttempts = 12

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { clock, component, host } = options
  const correlator = new EventCorrelator(clock)
  const stopped = new AbortController()
  const waiting: { event: CoreV1Event; client: Client }[] = []
  let writing: Promise<void> | undefined

  const writeAll = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await write(next.event, next.client)
    writing = undefined
  }

  const write = async (recorded: CoreV1Event, client: Client) => {
    const backoff = new Backoff(clock, { initialMs: 200, maxMs: 10_000, jitter: 1 })
    const result = correlator.correlate(recorded)
    if (!result) return
    for (let attempt = 1; attempt <= maxAttempts && !stopped.signal.aborted; attempt++) {
      try {
        correlator.written(await send(client, result))
        return
      } catch (error) {
        // An answer that says no (a namespace that is ending, a policy) stays no; only silence is worth asking again.
        if (isApiError(error)) {
          options.log.debug('event was rejected', { reason: recorded.reason, error })
          return
        }
        await clock.sleep(backoff.next(), stopped.signal).catch(() => {})
      }
    }
  }

  return {
    event(about, type, reason, message, details = {}) {
      if (stopped.signal.aborted) return
      if (waiting.length >= maxWaiting) return options.log.warn('too many events are waiting, dropped one', { reason, message })
      const now = clock.now()
      const involvedObject = referenceTo(about, details.fieldPath)
      const time = timestamp(now)
      // Upstream names an event by the object and the nanoseconds. The clock has none: chance tells events of one
      // millisecond apart, of other recorders too.
      const stamp = (BigInt(Math.floor(now)) * 1_000_000n + BigInt(Math.floor(clock.random() * 1e6))).toString(16)
      const event: Omit<CoreV1Event, 'metadata'> & { metadata: object } = {
        metadata: {
          name: `${involvedObject.name}.${stamp}`,
          namespace: involvedObject.namespace || 'default',
          ...(details.annotations ? { annotations: details.annotations } : {}),
        },
        involvedObject,
        reason,
        message: message.length > 1024 ? `${message.slice(0, 1021)}...` : message,
        source: { component, ...(host ? { host } : {}) },
        firstTimestamp: time,
        lastTimestamp: time,
        count: 1,
        type,
        reportingComponent: component,
        reportingInstance: host ?? '',
      }
      waiting.push({ event: event as CoreV1Event, client: details.client ?? options.client })
      writing ??= Promise.resolve().then(writeAll)
    },
    async flush() {
      while (writing) await writing
    },
    stop: () => stopped.abort(),
  }
}

/** Counts on the Event that is there, or makes a new one when it is gone. */
async function send(client: Client, { event, patch }: { event: CoreV1Event; patch: object | undefined }): Promise<CoreV1Event> {
  if (patch) {
    const { namespace, name } = event.metadata
    try {
      return await client.patch(Event, { namespace, name }, 'strategic', patch)
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error
    }
  }
  const { resourceVersion: _, ...metadata } = event.metadata
  return client.create(Event, { ...event, metadata })
}

function referenceTo(about: KubeObject | V1ObjectReference, fieldPath: string | undefined): V1ObjectReference {
  const path = fieldPath ? { fieldPath } : {}
  if (!('metadata' in about)) return { ...about, ...path }
  const { name, namespace, uid, resourceVersion } = about.metadata
  return { kind: about.kind, ...(namespace ? { namespace } : {}), name, uid, apiVersion: about.apiVersion, resourceVersion, ...path }
}
