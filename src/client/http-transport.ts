/** {@link Transport} over HTTP(S) to any API server that a kubeconfig names. */
import * as http from 'node:http'
import * as https from 'node:https'
import { ConnectionError } from './connection-error.ts'
import { decodeLines } from './event-lines.ts'
import type { ServerAccess } from './kubeconfig.ts'
import { causeHeader, type Transport, type TransportRequest, type TransportResponse } from './transport.ts'

export interface HttpTransport extends Transport {
  /** Further requests show this client certificate (PEM); what is under way, watches too, ends as it began. */
  renewCertificate(certificate: string, key: string): void
}

/** Connections are kept and reused; as many run side by side as there are requests and watches. */
export function createHttpTransport(access: ServerAccess): HttpTransport {
  const server = new URL(access.server)
  const secure = server.protocol === 'https:'
  const agentOptions = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 64, noDelay: true }
  const agentWith = (cert: ServerAccess['certificate'], key: ServerAccess['key']) =>
    secure
      ? new https.Agent({
          ...agentOptions,
          ca: access.ca,
          cert,
          key,
          rejectUnauthorized: !access.insecureSkipVerify,
          ...(access.serverName ? { servername: access.serverName } : {}),
        })
      : new http.Agent(agentOptions)
  let agent = agentWith(access.certificate, access.key)
  /** With certificates of before: their connections end with what runs on them. */
  const retired = new Set<http.Agent>()
  const prefix = server.pathname.replace(/\/$/, '')

  const send = (request: TransportRequest, body: Uint8Array | string | undefined): Promise<http.IncomingMessage> =>
    new Promise((resolve, reject) => {
      const options: https.RequestOptions = {
        agent,
        hostname: server.hostname.replace(/^\[|\]$/g, ''),
        port: server.port || (secure ? 443 : 80),
        method: request.method,
        path: prefix + request.path + queryString(request.query),
        headers: headersOf(request, access, body),
        signal: request.signal,
      }
      const outgoing = secure ? https.request(options, resolve) : http.request(options, resolve)
      outgoing.on('error', (error) => reject(asReason(error, request.signal, outgoing.reusedSocket)))
      outgoing.end(body)
    })

  return {
    async request(request) {
      request.signal?.throwIfAborted()
      const body = encodeBody(request.body)
      const response = await send(request, body).catch((error: unknown) => {
        // The server may close a kept connection just when it is taken again. Reading twice does no harm; whether
        // a write was done is not known then, and its caller must decide.
        if (error instanceof ConnectionError && error.onKeptConnection && request.method === 'GET') return send(request, body)
        throw error
      })
      return answerOf(request, response)
    },
    renewCertificate(certificate, key) {
      for (const one of retired) if (Object.keys(one.sockets).length === 0) retired.delete(one)
      retired.add(agent)
      agent.maxFreeSockets = 0
      for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
      agent = agentWith(certificate, key)
    },
    close() {
      for (const one of [agent, ...retired]) one.destroy()
    },
  }
}

function asReason(error: unknown, signal: AbortSignal | undefined, onKeptConnection = false): unknown {
  if (signal?.aborted) return signal.reason
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'EUNKNOWN'
  return new ConnectionError(error instanceof Error ? error.message || code : String(error), code, { cause: error, onKeptConnection })
}

function headersOf(request: TransportRequest, access: ServerAccess, body: Uint8Array | string | undefined): Record<string, string | number> {
  const authorization = access.authorization()
  return {
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    ...(authorization ? { authorization } : {}),
    ...(request.cause ? { [causeHeader]: ascii(JSON.stringify(request.cause)) } : {}),
    ...request.headers,
  }
}

const ascii = (json: string) => json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

function encodeBody(body: unknown): Uint8Array | string | undefined {
  if (body === undefined || body instanceof Uint8Array || typeof body === 'string') return body
  return JSON.stringify(body)
}

function queryString(query: TransportRequest['query']): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (Array.isArray(value)) for (const one of value) parameters.append(name, one)
    else if (value !== undefined) parameters.append(name, value)
  }
  const text = parameters.toString()
  return text && `?${text}`
}

async function answerOf(request: TransportRequest, response: http.IncomingMessage): Promise<TransportResponse> {
  const status = response.statusCode ?? 0
  const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]))
  const isJson = /[/+]json\b/.test(headers['content-type'] ?? '')
  const bytes = readable(response, request.signal)
  if (!isJson) return { status, headers, bytes }
  const watching = request.query?.watch === 'true' || request.query?.watch === '1'
  if (watching && status < 400) return { status, headers, events: decodeLines(bytes) }
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return { status, headers, object: JSON.parse(Buffer.concat(chunks).toString('utf8')) }
}

async function* readable(response: http.IncomingMessage, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) yield chunk as Uint8Array
  } catch (error) {
    throw asReason(error, signal)
  } finally {
    response.destroy()
  }
}
