/**
 * For tests of the client's parts: the verbs of an API server over a map, without validation, defaults or users,
 * and with faults on demand. What needs an API server's rules is tested against the real one.
 */
import type { Clock } from '../../machinery/clock.ts'
import { timestamp } from '../../machinery/clock.ts'
import { ApiError, alreadyExists, conflict, expired, modified, notFound } from '../../machinery/errors.ts'
import type { AnyObject, WatchEvent } from '../../machinery/object.ts'
import { ConnectionError } from '../connection-error.ts'
import type { Transport, TransportRequest, TransportResponse } from '../transport.ts'

interface Place {
  /** `/api/v1/pods`, without namespace and name. */
  collection: string
  plural: string
  group: string
  namespace: string | undefined
  name: string | undefined
  subresource: string | undefined
}

interface Watcher {
  place: Place
  send(event: WatchEvent<AnyObject>): void
  end(error?: Error): void
}

export class MemoryServer implements Transport {
  readonly #clock: Clock
  readonly #objects = new Map<string, AnyObject>()
  readonly #watchers = new Set<Watcher>()
  #history: { collection: string; namespace: string | undefined; event: WatchEvent<AnyObject>; revision: number }[] = []
  #forgotten = 0
  #revision = 1
  #away = false
  /** Every request that came. */
  readonly requests: TransportRequest[] = []
  /** May answer in place of the server, or throw. */
  intercept: ((request: TransportRequest) => TransportResponse | undefined | Promise<TransportResponse | undefined>) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Nobody can connect until {@link comeBack}, and watches break. */
  goAway(): void {
    this.#away = true
    this.breakWatches()
  }

  comeBack(): void {
    this.#away = false
  }

  breakWatches(): void {
    for (const watcher of [...this.#watchers]) watcher.end(new ConnectionError('socket hang up', 'ECONNRESET'))
  }

  /** Watches from before now are answered 410. */
  compact(): void {
    this.#forgotten = this.#revision
    this.#history = []
  }

  close(): void {
    this.breakWatches()
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    request.signal?.throwIfAborted()
    this.requests.push(request)
    // An answer never comes within the call, as over a real connection.
    await Promise.resolve()
    if (this.#away) throw new ConnectionError('connect ECONNREFUSED', 'ECONNREFUSED')
    try {
      const answer = await this.intercept?.(request)
      if (answer) return answer
      const place = parse(request.path)
      if (request.method === 'GET' && request.query?.watch === 'true') return { status: 200, headers: {}, events: this.#watch(place, request) }
      return { status: request.method === 'POST' ? 201 : 200, headers: {}, object: this.#answer(place, request) }
    } catch (error) {
      if (error instanceof ApiError) return { status: error.code, headers: {}, object: error.status }
      throw error
    }
  }

  #answer(place: Place, request: TransportRequest): unknown {
    const body = structuredClone(request.body) as AnyObject | undefined
    switch (request.method) {
      case 'GET':
        return place.name === undefined ? this.#list(place) : this.#get(place)
      case 'POST':
        return this.#create(place, body)
      case 'PUT':
        return this.#update(place, body as AnyObject)
      case 'PATCH':
        return this.#update(place, merge(this.#get(place), body) as AnyObject)
      default:
        return this.#delete(place, body as unknown as { preconditions?: { uid?: string } })
    }
  }

  #list(place: Place): unknown {
    const items = [...this.#objects].filter(([key, object]) => key.startsWith(`${place.collection} `) && inPlace(object, place)).map(([, object]) => object)
    return { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: String(this.#revision) }, items }
  }

  #get(place: Place): AnyObject {
    const object = this.#objects.get(keyIn(place, place.name))
    if (!object) throw notFound({ group: place.group, resource: place.plural, name: place.name })
    return object
  }

  #create(place: Place, body: AnyObject | undefined): AnyObject {
    if (!body) throw new Error('no body')
    const name = body.metadata.name ?? `${body.metadata.generateName}${this.#clock.uuid().slice(0, 5)}`
    if (this.#objects.has(keyIn(place, name))) throw alreadyExists({ group: place.group, resource: place.plural, name })
    const { status: _, ...rest } = body
    const identity = { name, uid: this.#clock.uuid(), creationTimestamp: timestamp(this.#clock.now()), generation: 1 }
    return this.#put(place, { ...rest, metadata: { ...body.metadata, ...identity } } as AnyObject, 'ADDED')
  }

  #update(place: Place, body: AnyObject): AnyObject {
    const stored = this.#get(place)
    const about = { group: place.group, resource: place.plural, name: place.name }
    const { uid, resourceVersion } = body.metadata
    if (uid && uid !== stored.metadata.uid) throw conflict(about, 'Precondition failed: UID in precondition')
    if (resourceVersion && resourceVersion !== stored.metadata.resourceVersion) throw modified(about)
    const next: AnyObject =
      place.subresource === 'status' ? { ...stored, status: body.status } : ({ ...body, ...('status' in stored ? { status: stored.status } : {}) } as AnyObject)
    const changed = JSON.stringify(next.spec) !== JSON.stringify(stored.spec)
    const metadata = { ...next.metadata, uid: stored.metadata.uid, generation: (stored.metadata.generation ?? 1) + (changed ? 1 : 0) }
    if (metadata.deletionTimestamp && (metadata.finalizers ?? []).length === 0) return this.#remove(place, { ...next, metadata })
    return this.#put(place, { ...next, metadata }, 'MODIFIED')
  }

  #delete(place: Place, options: { preconditions?: { uid?: string } } | undefined): AnyObject {
    const stored = this.#get(place)
    const wanted = options?.preconditions?.uid
    if (wanted && wanted !== stored.metadata.uid) throw conflict({ resource: place.plural, name: place.name }, 'Precondition failed: UID in precondition')
    if ((stored.metadata.finalizers ?? []).length === 0) return this.#remove(place, stored)
    if (stored.metadata.deletionTimestamp) return stored
    const metadata = { ...stored.metadata, deletionTimestamp: timestamp(this.#clock.now()) }
    return this.#put(place, { ...stored, metadata }, 'MODIFIED')
  }

  #put(place: Place, object: AnyObject, type: 'ADDED' | 'MODIFIED'): AnyObject {
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#revision) } }
    this.#objects.set(keyIn(place, stored.metadata.name), stored)
    this.#tell(place, { type, object: stored })
    return stored
  }

  #remove(place: Place, object: AnyObject): AnyObject {
    this.#objects.delete(keyIn(place, object.metadata.name))
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#revision) } }
    this.#tell(place, { type: 'DELETED', object: last })
    return last
  }

  #tell(place: Place, event: WatchEvent<AnyObject>): void {
    this.#history.push({ collection: place.collection, namespace: place.namespace, event, revision: this.#revision })
    for (const watcher of this.#watchers) if (watcher.place.collection === place.collection) watcher.send(event)
  }

  async *#watch(place: Place, request: TransportRequest): AsyncGenerator<unknown> {
    const after = Number(request.query?.resourceVersion ?? this.#revision)
    if (after < this.#forgotten) {
      yield { type: 'ERROR', object: expired(`too old resource version: ${after} (${this.#forgotten})`).status }
      return
    }
    const waiting: WatchEvent<AnyObject>[] = this.#history
      .filter((entry) => entry.collection === place.collection && entry.revision > after)
      .map(({ event }) => event)
    let ended: { error: Error | undefined } | undefined
    let wake = () => {}
    const watcher: Watcher = {
      place,
      send(event) {
        waiting.push(event)
        wake()
      },
      end(error) {
        ended = { error }
        wake()
      },
    }
    this.#watchers.add(watcher)
    request.signal?.addEventListener('abort', () => watcher.end(request.signal?.reason))
    try {
      for (;;) {
        for (let event = waiting.shift(); event; event = waiting.shift()) if (inPlace(event.object as AnyObject, place)) yield event
        if (ended?.error) throw ended.error
        if (ended) return
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    } finally {
      this.#watchers.delete(watcher)
    }
  }
}

function parse(path: string): Place {
  const parts = path.split('/').slice(1).map(decodeURIComponent)
  const root = parts[0] === 'api' ? parts.splice(0, 2) : parts.splice(0, 3)
  const group = root[0] === 'api' ? '' : (root[1] ?? '')
  // `/namespaces/x` is a namespace, `/namespaces/x/pods` are pods in it.
  const namespace = parts[0] === 'namespaces' && parts.length > 2 && !['status', 'finalize'].includes(parts[2] ?? '') ? parts.splice(0, 2)[1] : undefined
  const [plural = '', name, subresource] = parts
  return { collection: `/${[...root, plural].join('/')}`, plural, group, namespace, name, subresource }
}

const keyIn = (place: Place, name: string | undefined): string => `${place.collection} ${place.namespace ?? ''}/${name}`
const inPlace = (object: AnyObject, place: Place): boolean => place.namespace === undefined || object.metadata.namespace === place.namespace

/** JSON merge patch. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Record<string, unknown> = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name]
    else result[name] = merge(result[name], value)
  }
  return result
}
