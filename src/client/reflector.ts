/**
 * Follows one resource by list and watch, and tells what it sees: first everything, then each change once and
 * in order, whatever happens to the connection. A watch that ends is resumed from the last revision seen; a
 * revision that the server no longer has (410) leads to a new list; a server that is away is asked again with
 * growing delays.
 */
import type { Clock } from '../machinery/clock.ts'
import { ApiError } from '../machinery/errors.ts'
import type { KubeObject, WatchEvent } from '../machinery/object.ts'
import { Backoff } from './backoff.ts'
import type { Client, ResourceRef } from './client.ts'
import type { Logger } from './component.ts'

export interface ReflectorOptions<T extends KubeObject> {
  client: Client
  resource: ResourceRef<T>
  selection: { namespace?: string; labelSelector?: string; fieldSelector?: string }
  clock: Clock
  log: Logger
  /** All there is, as of this revision. */
  onList(items: T[], revision: string): void
  onEvent(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void
  onBookmark(revision: string): void
}

/** Watches are ended by the server after a while, as upstream's are, so that connections spread anew. */
const minWatchSeconds = 300

export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>
  readonly #backoff: Backoff
  /** Where to go on; undefined: list first. */
  #revision: string | undefined
  /** The first list may be answered from a server's cache; one that follows an expired revision may not. */
  #listFrom: string | undefined = '0'

  constructor(options: ReflectorOptions<T>) {
    this.#options = options
    this.#backoff = new Backoff(options.clock, { initialMs: 100, maxMs: 30_000, jitter: 1 })
  }

  /** Until the signal is aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options
    while (!signal.aborted) {
      try {
        if (this.#revision === undefined) await this.#list(signal)
        const progressed = await this.#watch(signal)
        if (progressed) this.#backoff.reset()
        else await clock.sleep(this.#backoff.next(), signal)
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof ApiError && isExpired(error)) {
          this.#relist()
          log.debug('watch is too old, listing again', { resource: this.#options.resource.plural, error })
        } else {
          log.warn('list or watch failed', { resource: this.#options.resource.plural, error })
        }
        await clock.sleep(this.#backoff.next(), signal).catch(() => {})
      }
    }
  }

  #relist(): void {
    this.#revision = undefined
    this.#listFrom = undefined
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, resource, selection } = this.#options
    const list = await client.list(resource, { ...selection, resourceVersion: this.#listFrom, signal })
    if (signal.aborted) return
    this.#revision = list.metadata.resourceVersion
    this.#options.onList(list.items, list.metadata.resourceVersion)
  }

  /** Whether the watch was alive: it brought something, or stood for a second. */
  async #watch(signal: AbortSignal): Promise<boolean> {
    const { client, resource, selection, clock } = this.#options
    const start = clock.monotonic()
    let progressed = false
    const events = client.watch(resource, {
      ...selection,
      resourceVersion: this.#revision,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.floor(minWatchSeconds * (1 + clock.random())),
      signal,
    })
    for await (const event of events) {
      if (signal.aborted) break
      progressed = true
      this.#take(event)
    }
    return progressed || clock.monotonic() - start >= 1000
  }

  #take(event: WatchEvent<T>): void {
    if (event.type === 'ERROR') throw new ApiError(event.object)
    this.#revision = event.object.metadata.resourceVersion
    if (event.type === 'BOOKMARK') this.#options.onBookmark(this.#revision)
    else this.#options.onEvent(event.type, event.object)
  }
}

/**
 * Expired: the server has forgotten the revision. Too large: the server has not reached it (it was restored
 * from a backup, or is another one that lags); a consistent list tells which.
 */
function isExpired(error: ApiError): boolean {
  return error.code === 410 || (error.reason === 'Timeout' && (error.status.details?.causes ?? []).some((cause) => cause.reason === 'ResourceVersionTooLarge'))
}
