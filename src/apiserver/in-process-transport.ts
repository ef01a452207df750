/**
 * {@link Transport} without a network: the same way through the server as any request, as a user that is trusted to
 * be who it says. Objects go by reference and are shared: whoever reads them must not change them.
 */
import { decodeLines } from '../client/event-lines.ts'
import type { Transport, TransportRequest, TransportResponse } from '../client/transport.ts'
import type { ApiRequest, ApiResponse, UserInfo } from './request.ts'

export interface InProcessOptions {
  user: UserInfo
  userAgent: string
}

const never = new AbortController().signal

export function createInProcessTransport(server: { handle(request: ApiRequest): Promise<ApiResponse> }, options: InProcessOptions): Transport {
  const closing = new AbortController()
  return {
    async request(request) {
      request.signal?.throwIfAborted()
      closing.signal.throwIfAborted()
      const signal = signalOf(request, closing.signal)
      const response = await server.handle(toApiRequest(request, signal, options))
      return toTransportResponse(response, request.query?.watch !== undefined)
    },
    close: () => closing.abort(new Error('the transport is closed')),
  }
}

/** Only what lasts needs to be told of an end. */
function signalOf({ signal, query }: TransportRequest, closing: AbortSignal): AbortSignal {
  if (query?.watch || query?.follow) return signal ? AbortSignal.any([signal, closing]) : closing
  return signal ?? never
}

function toApiRequest(request: TransportRequest, signal: AbortSignal, { user, userAgent }: InProcessOptions): ApiRequest {
  const { body } = request
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body instanceof Uint8Array ? body : undefined
  return {
    method: request.method,
    path: request.path,
    query: toQuery(request.query),
    headers: {
      'user-agent': userAgent,
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...request.headers,
    },
    ...(bytes ? { readBody: async () => bytes } : body === undefined ? {} : { object: body }),
    user,
    remoteAddress: '127.0.0.1',
    signal,
    ...(request.cause ? { cause: request.cause } : {}),
  }
}

function toQuery(query: TransportRequest['query']): URLSearchParams {
  const params = new URLSearchParams()
  for (const name in query) {
    const value = query[name]
    if (Array.isArray(value)) for (const one of value) params.append(name, one)
    else if (value !== undefined) params.append(name, value)
  }
  return params
}

function toTransportResponse(response: ApiResponse, watching: boolean): TransportResponse {
  if (response.kind === 'hijacked') throw new Error('a connection cannot be taken over in process')
  const headers: Record<string, string> = { ...response.headers }
  if (response.warnings?.length) headers.warning = response.warnings.map((text) => `299 - ${JSON.stringify(text)}`).join(', ')
  switch (response.kind) {
    case 'object':
      return { status: response.status, headers: { ...headers, 'content-type': 'application/json' }, object: response.object }
    case 'events':
      return { status: response.status, headers: { ...headers, 'content-type': 'application/json' }, events: response.events }
    case 'bytes':
      // A watch of what another server serves comes as that server wrote it.
      if (watching && response.status < 300) return { status: response.status, headers, events: decodeLines(chunksOf(response.bytes)) }
      return { status: response.status, headers: { ...headers, 'content-type': response.contentType }, bytes: chunksOf(response.bytes) }
  }
}

async function* chunksOf(bytes: Uint8Array | string | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (typeof bytes === 'string') yield new TextEncoder().encode(bytes)
  else if (bytes instanceof Uint8Array) yield bytes
  else yield* bytes
}
