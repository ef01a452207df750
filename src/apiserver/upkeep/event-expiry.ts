/** Events are kept for an hour after they were last written, as upstream keeps them. */
import type { Clock } from '../../machinery/clock.ts'
import type { AnyObject } from '../../machinery/object.ts'
import { apiServerUser } from '../internal-request.ts'
import type { Registry } from '../registry/registry.ts'
import type { WriteRequest } from '../registry/write-request.ts'

const lifetime = 60 * 60_000
const period = 60_000

/** Returns what ends it. */
export function expireEvents(events: Registry, clock: Clock, failed: (error: unknown) => void): () => void {
  let running = false
  async function sweep(): Promise<void> {
    const { cache } = events.storage
    // Nobody has asked for events yet: none were made here.
    await cache.ready()
    const oldest = clock.now() - lifetime
    const gone = [...cache.list()].filter((event) => lastSeen(event) < oldest)
    for (const event of gone) await events.storage.remove(event, Number(event.metadata.resourceVersion), expiry(clock))
  }
  const timer = clock.every(period, () => {
    if (running) return
    running = true
    sweep()
      .catch(failed)
      .finally(() => {
        running = false
      })
  })
  return () => timer.cancel()
}

function lastSeen({ metadata, ...event }: AnyObject): number {
  const { lastTimestamp, eventTime, series } = event as { lastTimestamp?: string; eventTime?: string; series?: { lastObservedTime?: string } }
  return Math.max(...[metadata.creationTimestamp, lastTimestamp, eventTime, series?.lastObservedTime].map((text) => (text ? Date.parse(text) : 0)))
}

const expiry = (clock: Clock): WriteRequest => ({
  verb: 'delete',
  subresource: '',
  user: apiServerUser,
  userAgent: 'kube-apiserver',
  requestId: clock.uuid(),
  cause: { component: 'event-expiry', seen: [] },
  dryRun: false,
  fieldManager: '',
  fieldValidation: 'Ignore',
  options: {},
  warn: () => {},
  signal: new AbortController().signal,
})
