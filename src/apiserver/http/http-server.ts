/**
 * The server's face to the network: HTTPS with HTTP/2 and HTTP/1.1 on one port, client certificates asked for but
 * optional, connections handed over for upgrades.
 */
import type { IncomingMessage } from 'node:http'
import * as http2 from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../../machinery/clock.ts'
import { isApiError, unauthorized } from '../../machinery/errors.ts'
import type { MetricRegistry } from '../../machinery/metrics/registry.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import { type ClientCertificate, clientCertificate } from './client-certificate.ts'
import { type AnyRequest, HttpApiRequest } from './http-request.ts'
import { type AnyResponse, writeResponse } from './http-response.ts'
import { writeRefusal } from './upgrade-refusal.ts'
import { asksForWebSocket, sendBytes, sendEvents } from './websocket-answers.ts'

export interface HttpServerOptions {
  handle(request: ApiRequest): Promise<ApiResponse>
  clock: Clock
  /** PEM. */
  certificate: string | Buffer
  key: string | Buffer
  /** PEM of the authorities whose client certificates count. */
  clientCa?: string | Buffer | (string | Buffer)[]
  /** Where it counts what never becomes a request. */
  metrics?: MetricRegistry
  log?(level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>): void
}

export type ListenOn = { host?: string; port: number } | { fd: number }

export interface HttpServer {
  /** Resolves with the port once connections are accepted. May be called for several addresses. */
  listen(on: ListenOn): Promise<number>
  /** Takes a new certificate for connections from now on. */
  renew(certificate: string | Buffer, key: string | Buffer): void
  /** Accepts no more; lets requests end for so long, then cuts them. End the watches first. */
  stop(graceMs?: number): Promise<void>
}

type Peer = ClientCertificate | 'invalid' | undefined

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { handle, log = () => {} } = options
  const peers = new WeakMap<object, { certificate: Peer }>()
  const sockets = new Set<Socket>()
  const servers: http2.Http2SecureServer[] = []
  const sessions = new Set<http2.ServerHttp2Session>()
  let stopping = false
  const brokenHandshakes = options.metrics?.counter('apiserver_tls_handshake_errors_total', 'Connections that ended before they were secure.').of()

  const peerOf = (owner: object, socket: TLSSocket): Peer => {
    let known = peers.get(owner)
    if (!known) {
      known = { certificate: clientCertificate(socket) }
      peers.set(owner, known)
    }
    return known.certificate
  }
  const certificateOf = (incoming: AnyRequest): Peer => {
    if (incoming.httpVersionMajor < 2) return peerOf(incoming.socket, incoming.socket as TLSSocket)
    const { session } = (incoming as http2.Http2ServerRequest).stream
    return session ? peerOf(session, session.socket as TLSSocket) : undefined
  }

  async function onRequest(incoming: AnyRequest, outgoing: AnyResponse): Promise<void> {
    // A connection that breaks under an answer ends it; who waits for that listens to `close`.
    outgoing.on('error', () => {})
    incoming.on('error', () => {})
    const certificate = certificateOf(incoming)
    const request = new HttpApiRequest(incoming, certificate === 'invalid' ? undefined : certificate, (callback) => {
      outgoing.once('close', () => {
        // Not `writableFinished`: the end of a HTTP/2 session finishes what was still being written.
        if (!outgoing.writableEnded) callback()
      })
    })
    try {
      const response = certificate === 'invalid' ? refused() : await handle(request)
      if (stopping && incoming.httpVersionMajor < 2) outgoing.setHeader('connection', 'close')
      await writeResponse(request, response, outgoing)
    } catch (error) {
      // What it waited for was given up because of that.
      if (request.signal.aborted) return
      log('error', 'an answer could not be written', { path: request.path, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
      if (outgoing.headersSent) outgoing.destroy(error instanceof Error ? error : undefined)
      else {
        outgoing.statusCode = 500
        outgoing.end()
      }
    }
  }

  async function onUpgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy())
    const certificate = certificateOf(incoming)
    const request = new HttpApiRequest(incoming, certificate === 'invalid' ? undefined : certificate, (callback) => socket.once('close', callback), {
      request: incoming,
      socket,
      head,
    })
    const response = certificate === 'invalid' ? refused() : await handle(request)
    if (response.kind === 'hijacked') return
    const { upgrade } = request
    const webSocket = upgrade && asksForWebSocket(upgrade) ? upgrade : undefined
    if (response.kind === 'events' && webSocket) await sendEvents(response.events, webSocket)
    else if (response.kind === 'bytes' && response.status === 200 && webSocket && isStream(response.bytes)) await sendBytes(response.bytes, webSocket)
    else await writeRefusal(request, response, socket)
  }

  function create(): http2.Http2SecureServer {
    const server = http2.createSecureServer(
      {
        allowHTTP1: true,
        cert: options.certificate,
        key: options.key,
        ...(options.clientCa ? { ca: options.clientCa } : {}),
        requestCert: true,
        rejectUnauthorized: false,
        minVersion: 'TLSv1.2',
        // Watches share a connection with everything else a Go client does.
        settings: { maxConcurrentStreams: 250, initialWindowSize: 1 << 20 },
        noDelay: true,
        keepAliveTimeout: 120_000,
        headersTimeout: 60_000,
        requestTimeout: 0,
      } as http2.SecureServerOptions,
      (incoming, outgoing) => void onRequest(incoming, outgoing),
    )
    server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void onUpgrade(incoming, socket, head))
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    server.on('session', (session) => {
      sessions.add(session)
      session.once('close', () => sessions.delete(session))
      session.on('error', () => session.destroy())
    })
    // Broken handshakes and connections that are cut are the clients' affair.
    server.on('tlsClientError', () => void brokenHandshakes?.add())
    server.on('clientError', (_error, socket) => socket.destroy())
    server.on('sessionError', () => {})
    return server
  }

  return {
    listen(on) {
      const server = create()
      servers.push(server)
      return new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen('fd' in on ? { fd: on.fd } : { host: on.host ?? '127.0.0.1', port: on.port }, () => {
          server.off('error', reject)
          server.on('error', (error) => log('error', 'the listening socket failed', { error: error.message }))
          resolve((server.address() as AddressInfo).port)
        })
      })
    },
    renew(certificate, key) {
      options.certificate = certificate
      options.key = key
      for (const server of servers) server.setSecureContext({ cert: certificate, key, ...(options.clientCa ? { ca: options.clientCa } : {}) })
    },
    async stop(graceMs = 5000) {
      stopping = true
      const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
      for (const session of sessions) session.close()
      for (const server of servers) (server as unknown as { closeIdleConnections?(): void }).closeIdleConnections?.()
      const cut = options.clock.after(graceMs, () => {
        for (const session of sessions) session.destroy()
        for (const socket of sockets) socket.destroy()
      })
      await Promise.all(closed)
      cut.cancel()
    },
  }
}

const isStream = (bytes: Uint8Array | string | AsyncIterable<Uint8Array>): bytes is AsyncIterable<Uint8Array> =>
  typeof bytes === 'object' && Symbol.asyncIterator in bytes

function refused(): ApiResponse {
  const error = unauthorized()
  if (!isApiError(error)) throw error
  return { kind: 'object', status: 401, object: error.status }
}
