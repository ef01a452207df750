/** A watch: what is there, if asked for, then every change. */
import type { ApiError } from '../../machinery/errors.ts'
import { isApiError } from '../../machinery/errors.ts'
import type { Selection } from '../watch-cache/selection.ts'
import { WatchStream } from '../watch-cache/watch-stream.ts'
import type { WatchOptions } from './list-options.ts'
import type { Registry } from './registry.ts'
import { notOlderThan, parseResourceVersion } from './resource-version.ts'
import { apiVersionOf } from './storage.ts'

/** A watch without a timeout of its own ends after between one and two of these, so that not all do at once. */
const shortest = 1800
/** Before a watch ends by its time, a bookmark tells from where to go on. */
const lastBookmark = 2000

export async function watchObjects(registry: Registry, selection: Selection, options: WatchOptions, signal: AbortSignal): Promise<WatchStream> {
  const { storage, feed, resource, clock } = registry
  const { resourceVersion, sendInitialEvents, bookmarks } = options
  const streamOptions = {
    selection,
    bookmarks,
    kind: resource.kind,
    apiVersion: apiVersionOf(resource),
    ...(storage.convert ? { convert: storage.convert } : {}),
  }
  await storage.cache.ready()
  const asked = parseResourceVersion(resourceVersion)
  const initial = sendInitialEvents ?? asked === 0
  if (resourceVersion === '') await feed.caughtUp()
  else if (initial) {
    try {
      await notOlderThan(feed, asked)
    } catch (error) {
      if (!isApiError(error)) throw error
      return failed(streamOptions, error)
    }
  }
  const after = asked === 0 ? feed.revision : asked
  const stream = storage.cache.watch(streamOptions, { initial, initialEnd: sendInitialEvents === true, after })

  const seconds = options.timeoutSeconds || shortest * (1 + clock.random())
  const timers = [clock.after(seconds * 1000, () => stream.end())]
  if (bookmarks && seconds * 1000 > 2 * lastBookmark) timers.push(clock.after(seconds * 1000 - lastBookmark, () => stream.bookmark(feed.revision)))
  const gone = () => stream.end()
  signal.addEventListener('abort', gone, { once: true })
  stream.onEnd(() => {
    for (const timer of timers) timer.cancel()
    signal.removeEventListener('abort', gone)
  })
  if (signal.aborted) stream.end()
  return stream
}

function failed(options: ConstructorParameters<typeof WatchStream>[0], error: ApiError): WatchStream {
  const stream = new WatchStream(options)
  stream.fail(error.status)
  return stream
}
