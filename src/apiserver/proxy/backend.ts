/** A connection from the API server to where a request is passed on: a kubelet, a pod, the endpoint of a Service. */
import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest, type RequestOptions as TlsOptions } from 'node:https'
import type { Socket } from 'node:net'
import { ApiError, badRequest, internalError } from '../../machinery/errors.ts'
import type { ApiResponse } from '../request.ts'

export interface Backend {
  scheme: 'http' | 'https'
  host: string
  port: number
  /** With its query. */
  path: string
  /** Authority and client certificate, where the backend is a kubelet. */
  tls?: Pick<TlsOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>
  /** How long connecting may take, its handshake included. */
  connectMs?: number
}

export interface PassedOn {
  method: string
  headers: Record<string, string | string[]>
  body?: Uint8Array
  signal: AbortSignal
}

/** Headers that are about one connection, or about the caller's own credentials. */
const notPassedOn = new Set([
  'authorization',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'http2-settings',
])

export const passedHeaders = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !notPassedOn.has(name) && !name.startsWith(':') && !name.startsWith('impersonate-')))

const usualConnectMs = 30_000
/** A silent stream is looked after from here on: whoever lost his power says no goodbye. */
const keepAliveMs = 15_000

/**
 * Always by a connection of its own: on a kept one to a machine that was cut off meanwhile, the kernel would repeat the
 * request for a quarter of an hour before it says so. Answers may be as sloppy as small servers write them, such as those
 * of CGI scripts whose lines end in a line feed alone.
 */
export function dial(backend: Backend, { method, headers, signal }: PassedOn): ClientRequest {
  const { scheme, host, port, path, tls = { rejectUnauthorized: false }, connectMs = usualConnectMs } = backend
  const options: RequestOptions = { host, port, path, method, headers, signal, agent: false, insecureHTTPParser: true }
  const outgoing = scheme === 'https' ? httpsRequest({ ...options, ...tls }) : httpRequest(options)
  outgoing.on('socket', (socket) => limit(socket, scheme === 'https', connectMs))
  return outgoing
}

function limit(socket: Socket, secure: boolean, connectMs: number): void {
  socket.setKeepAlive(true, keepAliveMs)
  socket.setTimeout(connectMs, () => socket.destroy(new ConnectTimeout(socket.connecting)))
  socket.once(secure ? 'secureConnect' : 'connect', () => socket.setTimeout(0))
}

class ConnectTimeout extends Error {
  readonly code: string

  constructor(dialing: boolean) {
    super(dialing ? 'i/o timeout' : 'net/http: TLS handshake timeout')
    this.code = dialing ? 'ETIMEDOUT' : 'EHANDSHAKE'
  }
}

/** In the words that a Go client would meet. */
export function dialError({ scheme, host, port, path }: Backend, method: string, error: NodeJS.ErrnoException): ApiError {
  const why = dialFailures[error.code ?? ''] ?? error.message
  const verb = method.charAt(0) + method.slice(1).toLowerCase()
  const when = error.code === 'EHANDSHAKE' ? '' : `dial tcp ${host}:${port}: `
  return internalError(`${verb} "${scheme}://${host}:${port}${path}": ${when}${why}`)
}

const dialFailures: Record<string, string> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ETIMEDOUT: 'i/o timeout',
}

export async function send(backend: Backend, passed: PassedOn): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    const outgoing = dial(backend, passed)
    outgoing.on('response', resolve)
    outgoing.on('error', (error) => reject(dialError(backend, passed.method, error)))
    outgoing.end(passed.body)
  })
}

export async function text(incoming: AsyncIterable<Uint8Array>, limit = 64 * 1024): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of incoming) {
    chunks.push(chunk)
    size += chunk.length
    if (size > limit) break
  }
  return Buffer.concat(chunks).subarray(0, limit).toString()
}

/** What a kubelet's refusal becomes. */
export function refusalOf(status: number, body: string, about: { resource: string; name: string }): ApiError {
  const message = body.trim()
  if (status === 400) return badRequest(message)
  const causes = [{ reason: 'UnexpectedServerResponse', message }]
  const [reason, words] =
    status === 404
      ? ['NotFound', `the server could not find the requested resource (${about.resource} ${about.name})`]
      : status === 403
        ? ['Forbidden', message]
        : ['InternalError', `an error on the server (${JSON.stringify(message)}) has prevented the request from succeeding (${about.resource} ${about.name})`]
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: words,
    reason,
    details: { name: about.name, kind: about.resource, causes },
    code: status >= 400 && status < 600 ? status : 500,
  })
}

/** The backend's answer as it came. */
export function passedBack(incoming: IncomingMessage, headers: Record<string, string> = {}): ApiResponse {
  const all: Record<string, string> = {}
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined && !notPassedOn.has(name) && name !== 'content-type') all[name] = Array.isArray(value) ? value.join(', ') : value
  return {
    kind: 'bytes',
    status: incoming.statusCode ?? 502,
    contentType: incoming.headers['content-type'] ?? 'application/octet-stream',
    bytes: incoming,
    headers: { ...all, ...headers },
  }
}
