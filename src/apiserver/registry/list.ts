/** GET of many: from the cache as of now, or a page from the store as of an earlier revision. */
import { ApiError, expired } from '../../machinery/errors.ts'
import type { AnyObject, ObjectList } from '../../machinery/object.ts'
import { Compacted, FutureRevision } from '../../store/store.ts'
import type { Selection } from '../watch-cache/selection.ts'
import { decodeContinue, encodeContinue } from './continue-token.ts'
import type { ListOptions } from './list-options.ts'
import type { Registry } from './registry.ts'
import { notOlderThan, parseResourceVersion, tooLarge } from './resource-version.ts'
import { apiVersionOf } from './storage.ts'

interface Page {
  items: AnyObject[]
  revision: number
  /** Relative key from which on there is more. */
  next: string | undefined
  /** Objects behind this page, when known. */
  remaining: number | undefined
}

export async function listObjects(registry: Registry, selection: Selection, options: ListOptions): Promise<ObjectList<AnyObject>> {
  const { storage, feed, resource } = registry
  await storage.cache.ready()
  const page = await readPage(registry, selection, options)
  return {
    kind: `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata: {
      resourceVersion: String(page.revision || feed.revision),
      ...(page.next === undefined ? {} : { continue: encodeContinue({ revision: page.revision, start: page.next }) }),
      ...(page.next !== undefined && page.remaining !== undefined && !selection.matches ? { remainingItemCount: page.remaining } : {}),
    },
    items: page.items,
  }
}

async function readPage(registry: Registry, selection: Selection, options: ListOptions): Promise<Page> {
  const { feed } = registry
  const { limit, match, resourceVersion } = options
  if (options.continue) {
    const { revision, start } = decodeContinue(options.continue)
    if (revision > 0) return pageAt(registry, selection, revision, start, limit, true)
    await feed.caughtUp()
    return pageNow(registry, selection, start, limit)
  }
  if (resourceVersion === '') {
    await feed.caughtUp()
    return pageNow(registry, selection, '', limit)
  }
  const revision = parseResourceVersion(resourceVersion)
  if (match === 'Exact' || (match === '' && limit > 0 && revision > 0)) return pageAt(registry, selection, revision, '', limit, false)
  await notOlderThan(feed, revision)
  // From the cache as it is; upstream pays no heed to the limit here.
  return pageNow(registry, selection, '', revision === 0 ? 0 : limit)
}

function pageNow({ storage, feed }: Registry, selection: Selection, start: string, limit: number): Page {
  const { cache } = storage
  const { matches } = selection
  const revision = feed.revision
  const items: AnyObject[] = []
  const { cache: counts } = cache.counts.lists
  if (limit === 0 && start === '') {
    let fetched = 0
    for (const stored of cache.select(selection)) {
      fetched++
      const object = storage.fromStored(stored)
      if (!matches || matches(object)) items.push(object)
    }
    counts.add(fetched, items.length)
    return { items, revision, next: undefined, remaining: undefined }
  }
  const keys = cache.keys(selection.namespace, start)
  for (let i = 0; i < keys.length; i++) {
    if (limit > 0 && items.length === limit) {
      counts.add(i, items.length)
      return { items, revision, next: keys[i], remaining: keys.length - i }
    }
    const stored = cache.byKey(keys[i] ?? '')
    const object = stored && storage.fromStored(stored)
    if (object && (!matches || matches(object))) items.push(object)
  }
  counts.add(keys.length, items.length)
  return { items, revision, next: undefined, remaining: undefined }
}

/** From the store's past. Objects that have not changed since are those of the cache. */
async function pageAt(registry: Registry, selection: Selection, revision: number, start: string, limit: number, continued: boolean): Promise<Page> {
  const { storage, store, feed } = registry
  if (revision === feed.revision) return pageNow(registry, selection, start, limit)
  const { prefix, codec, counts } = storage.cache
  let fetched = 0
  const { matches, namespace } = selection
  const items: AnyObject[] = []
  let from = start
  try {
    for (;;) {
      const range = await store.range(namespace ? `${prefix}${namespace}/` : prefix, {
        revision,
        ...(from ? { startKey: prefix + from } : {}),
        ...(limit > 0 ? { limit: limit - items.length + 1 } : {}),
      })
      fetched += range.kvs.length
      for (const [i, kv] of range.kvs.entries()) {
        const key = kv.key.slice(prefix.length)
        if (limit > 0 && items.length === limit) return { items, revision, next: key, remaining: range.remaining + range.kvs.length - i }
        const cached = storage.cache.byKey(key)
        const stored = cached?.metadata.resourceVersion === String(kv.modRevision) ? cached : codec.decode(kv)
        const object = storage.fromStored(stored)
        if (!matches || matches(object)) items.push(object)
      }
      const last = range.kvs.at(-1)
      if (range.remaining === 0 || !last) return { items, revision, next: undefined, remaining: undefined }
      from = `${last.key.slice(prefix.length)}\0`
    }
  } catch (error) {
    if (error instanceof FutureRevision) throw tooLarge(revision, feed.revision)
    if (error instanceof Compacted) throw continued ? continueExpired(start) : expired('The resourceVersion for the provided list is too old.')
    throw error
  } finally {
    counts.lists.store.add(fetched, items.length)
  }
}

function continueExpired(start: string): ApiError {
  const { status } = expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  )
  return new ApiError({ ...status, metadata: { continue: encodeContinue({ revision: -1, start }) } })
}
