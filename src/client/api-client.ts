/** {@link Client} over any {@link Transport}: paths, verbs, and errors of the catalogue for failure answers. */
import { ApiError, isApiError } from '../machinery/errors.ts'
import type { KubeObject, New, ObjectList, Status, WatchEvent } from '../machinery/object.ts'
import type { Cause, Client, DeleteOptions, ListOptions, Name, PatchType, ResourceRef, WatchOptions, WriteOptions } from './client.ts'
import { apiVersionOf, resourcePath } from './resource-path.ts'
import type { Transport, TransportRequest, TransportResponse } from './transport.ts'

const patchContentTypes: Record<PatchType, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
}

export interface ClientOptions {
  /** Names the program in the server's records; its part before `/` is the default field manager. */
  userAgent: string
  cause?: Cause
}

export function createClient(transport: Transport, options: ClientOptions): Client {
  return new ApiClient(transport, options)
}

class ApiClient implements Client {
  readonly #transport: Transport
  readonly #options: ClientOptions

  constructor(transport: Transport, options: ClientOptions) {
    this.#transport = transport
    this.#options = options
  }

  because(cause: Cause): Client {
    return new ApiClient(this.#transport, { ...this.#options, cause })
  }

  async raw(request: TransportRequest): Promise<TransportResponse> {
    const response = await this.#transport.request({
      ...request,
      headers: { 'user-agent': this.#options.userAgent, ...request.headers },
      ...(this.#options.cause && request.method !== 'GET' ? { cause: this.#options.cause } : {}),
    })
    // A server in the same process may have some answers encoded already (discovery).
    if (!response.bytes || !/[/+]json\b/.test(response.headers['content-type'] ?? '')) return response
    const { bytes, ...rest } = response
    return { ...rest, object: JSON.parse(await readText(bytes)) }
  }

  async get<T extends KubeObject>(resource: ResourceRef<T>, at: Name, options: { resourceVersion?: string; signal?: AbortSignal } = {}): Promise<T> {
    const { resourceVersion, signal } = options
    return this.#object<T>({ method: 'GET', path: resourcePath(resource, at), query: { resourceVersion }, signal })
  }

  async find<T extends KubeObject>(resource: ResourceRef<T>, at: Name): Promise<T | undefined> {
    try {
      return await this.get(resource, at)
    } catch (error) {
      if (isApiError(error, 'NotFound')) return undefined
      throw error
    }
  }

  async list<T extends KubeObject>(resource: ResourceRef<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    const list = await this.#object<ObjectList<T>>({
      method: 'GET',
      path: resourcePath(resource, { namespace: options.namespace }),
      query: listQuery(options),
      signal: options.signal,
    })
    // Items of a list come without kind and apiVersion from upstream servers; whoever reads one may rely on them.
    return { ...list, items: (list.items ?? []).map((item) => typed(resource, item)) }
  }

  async *watch<T extends KubeObject>(resource: ResourceRef<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    const stop = new AbortController()
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
    try {
      const response = await this.raw({
        method: 'GET',
        path: resourcePath(resource, { namespace: options.namespace }),
        query: {
          ...listQuery(options),
          watch: 'true',
          allowWatchBookmarks: options.allowWatchBookmarks ? 'true' : undefined,
          sendInitialEvents: options.sendInitialEvents === undefined ? undefined : String(options.sendInitialEvents),
          timeoutSeconds: options.timeoutSeconds?.toString(),
        },
        signal,
      })
      if (response.status >= 400 || !response.events) throw await failure(response)
      for await (const event of response.events) yield event as WatchEvent<T>
    } catch (error) {
      if (!options.signal?.aborted) throw error
    } finally {
      stop.abort()
    }
  }

  create<T extends KubeObject>(resource: ResourceRef<T>, object: New<T>, options: WriteOptions = {}): Promise<T> {
    const { namespace } = object.metadata
    return this.#object<T>({
      method: 'POST',
      path: resourcePath(resource, { namespace }),
      query: writeQuery(options),
      body: typed(resource, object),
      signal: options.signal,
    })
  }

  update<T extends KubeObject>(resource: ResourceRef<T>, object: T, options: WriteOptions = {}): Promise<T> {
    return this.#put(resource, object, undefined, options)
  }

  updateStatus<T extends KubeObject>(resource: ResourceRef<T>, object: T, options: WriteOptions = {}): Promise<T> {
    return this.#put(resource, object, 'status', options)
  }

  #put<T extends KubeObject>(resource: ResourceRef<T>, object: T, subresource: string | undefined, options: WriteOptions): Promise<T> {
    const { name, namespace } = object.metadata
    return this.#object<T>({
      method: 'PUT',
      path: resourcePath(resource, { name, namespace }, subresource),
      query: writeQuery(options),
      body: typed(resource, object),
      signal: options.signal,
    })
  }

  patch<T extends KubeObject>(
    resource: ResourceRef<T>,
    at: Name,
    type: PatchType,
    patch: unknown,
    options: WriteOptions & { subresource?: string; force?: boolean } = {},
  ): Promise<T> {
    return this.#object<T>({
      method: 'PATCH',
      path: resourcePath(resource, at, options.subresource),
      query: { ...writeQuery(options), force: options.force === undefined ? undefined : String(options.force) },
      headers: { 'content-type': patchContentTypes[type] },
      body: patch,
      signal: options.signal,
    })
  }

  async delete<T extends KubeObject>(resource: ResourceRef<T>, at: Name, options: DeleteOptions = {}): Promise<void> {
    await this.#object({ method: 'DELETE', path: resourcePath(resource, at), body: deleteBody(options) })
  }

  async deleteCollection<T extends KubeObject>(resource: ResourceRef<T>, list: ListOptions, options: DeleteOptions = {}): Promise<void> {
    await this.#object({
      method: 'DELETE',
      path: resourcePath(resource, { namespace: list.namespace }),
      query: listQuery(list),
      body: deleteBody(options),
      signal: list.signal,
    })
  }

  subresource<R>(
    resource: ResourceRef,
    at: Name,
    subresource: string,
    verb: 'get' | 'create' | 'update',
    body?: unknown,
    options: WriteOptions = {},
  ): Promise<R> {
    const method = { get: 'GET', create: 'POST', update: 'PUT' } as const
    return this.#object<R>({
      method: method[verb],
      path: resourcePath(resource, at, subresource),
      query: writeQuery(options),
      body,
      signal: options.signal,
    })
  }

  async #object<R>(request: TransportRequest): Promise<R> {
    const response = await this.raw(request)
    const { status, object } = response
    if (status >= 400 || typeof object !== 'object' || object === null) throw await failure(response)
    return object as R
  }
}

function typed<T extends { apiVersion?: string; kind?: string }>(resource: ResourceRef, object: T): T {
  if (object.kind && object.apiVersion) return object
  return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind }
}

function listQuery(options: ListOptions): Record<string, string | undefined> {
  return {
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit?.toString(),
    continue: options.continue,
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: options.resourceVersionMatch,
  }
}

const writeQuery = (options: WriteOptions): Record<string, string | undefined> => ({
  dryRun: options.dryRun ? 'All' : undefined,
  fieldManager: options.fieldManager,
})

function deleteBody({ dryRun, ...options }: DeleteOptions): object {
  return { kind: 'DeleteOptions', apiVersion: 'v1', ...options, ...(dryRun ? { dryRun: ['All'] } : {}) }
}

/** The error that an answer holds: its Status, or one made of its HTTP status and text. */
async function failure(response: TransportResponse): Promise<ApiError> {
  const object = response.object as Partial<Status> | null | undefined
  if (object?.kind === 'Status') return new ApiError(object as Status)
  const text = response.bytes ? await readText(response.bytes) : ''
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: text.trim() || (response.status >= 400 ? `the server answered with HTTP status ${response.status}` : 'the answer is not a JSON object'),
    reason: response.status === 401 ? 'Unauthorized' : response.status === 403 ? 'Forbidden' : 'Unknown',
    code: response.status,
  })
}

async function readText(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
