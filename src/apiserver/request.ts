/**
 * A request inside the server, whichever way it came (HTTP or in process), and its answer. Every step of the
 * way (authenticate, authorize, admit, registry) takes this and nothing of HTTP.
 */
import type { Cause } from '../client/client.ts'

export interface UserInfo {
  name: string
  uid?: string
  groups: string[]
  extra?: Record<string, string[]>
}

export interface ApiRequest {
  method: string
  /** Unescaped path segments are in {@link RequestInfo}; this is the raw path. */
  path: string
  query: URLSearchParams
  /** Lower-case names. */
  headers: Record<string, string>
  /** A header's values one by one, where it may come several times and hold commas. */
  headerValues?(name: string): readonly string[]
  /** In process: the object itself. */
  object?: unknown
  /** Over HTTP: reads the whole body (bounded; throws 413). */
  readBody?(): Promise<Uint8Array>
  /** Set by the in-process transport, which is trusted to say who calls; over HTTP authentication sets it. */
  user?: UserInfo
  /** The verified client certificate's subject: common name and organisations. `expires` in milliseconds since the epoch. */
  certificate?: { commonName: string; organizations: string[]; fingerprint: string; expires?: number }
  remoteAddress: string
  /** Aborted when the client goes away. */
  signal: AbortSignal
  cause?: Cause
  /** Told how many bytes the answer took, where that is wanted; set on the way. */
  answerSizes?: { observe(bytes: number): void } | undefined
  /** For upgrades (exec, attach, port-forward, proxy): takes over the connection. HTTP only. */
  upgrade?: Upgrade
}

export interface Upgrade {
  request: import('node:http').IncomingMessage
  socket: import('node:stream').Duplex
  head: Buffer
}

/** What the path and verb say, after parsing (upstream: RequestInfo). */
export interface RequestInfo {
  isResourceRequest: boolean
  path: string
  /** get, list, watch, create, update, patch, delete, deletecollection; for non-resources the lower-case method. */
  verb: string
  group: string
  version: string
  namespace: string
  resource: string
  subresource: string
  name: string
  /** Path after the subresource, for proxies. */
  rest: string
  /** Of a list, watch or deletecollection, as it came. */
  fieldSelector?: string
}

export type ApiResponse = { headers?: Record<string, string>; warnings?: string[] } & (
  | { kind: 'object'; status: number; object: unknown }
  /** A watch: objects until the stream ends. */
  | { kind: 'events'; status: number; events: AsyncIterable<unknown> }
  | { kind: 'bytes'; status: number; contentType: string; bytes: Uint8Array | string | AsyncIterable<Uint8Array> }
  /** The handler has taken over the connection. */
  | { kind: 'hijacked' }
)
