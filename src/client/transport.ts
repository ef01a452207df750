/**
 * How a request reaches an API server: over HTTP(S), or in process. Both carry the same request and take
 * the same way through the server; in process, objects go by reference and are never copied or encoded.
 */
export interface TransportRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD'
  /** Escaped path without the query: `/api/v1/namespaces/default/pods`. */
  path: string
  query?: Record<string, string | string[] | undefined>
  /** Lower-case names. `accept` defaults to JSON, `content-type` to JSON where there is a body. */
  headers?: Record<string, string>
  /** A JSON value (sent encoded over HTTP), or bytes as they are. */
  body?: unknown
  signal?: AbortSignal
  /** Why this is written. In process it goes as it is, over HTTP in the header {@link causeHeader}. */
  cause?: import('./client.ts').Cause
}

/** Carries the cause over HTTP: its JSON, with everything beyond ASCII escaped. Servers that do not know it ignore it. */
export const causeHeader = 'skiff-cause'

export interface TransportResponse {
  status: number
  headers: Record<string, string>
  /** The decoded JSON object, when the answer is one and not a stream. */
  object?: unknown
  /** The answer's bytes, when it is not JSON (logs, metrics). Consume or cancel it. */
  bytes?: AsyncIterable<Uint8Array>
  /** The decoded objects of a watch, as they come. Ends when the server ends the watch. */
  events?: AsyncIterable<unknown>
}

export interface Transport {
  /** Resolves for every HTTP status; rejects only when no answer came (connection refused, aborted). */
  request(request: TransportRequest): Promise<TransportResponse>
  close(): void
}
