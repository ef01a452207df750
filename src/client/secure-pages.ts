/**
 * The small HTTPS server of components that have no other: `/metrics` and their health. Several components of a process
 * share it, each on its own port; there is nothing but sockets that listen until somebody connects. What a caller may
 * read the API server says, as with upstream's components; health is told to everybody.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import * as https from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../machinery/clock.ts'
import { Exposition, expositionType } from '../machinery/metrics/exposition.ts'
import type { MetricRegistry } from '../machinery/metrics/registry.ts'
import type { Client } from './client.ts'
import { DelegatedAccess, verbOfMethod } from './delegated-access.ts'

export interface SecurePagesOptions {
  clock: Clock
  /** PEM; asked for when somebody connects, so that a renewed one is shown. */
  certificate(): Promise<{ certificate: string; key: string }>
  /** PEM of who signs the certificates of callers. */
  clientCa?: string
}

export interface ServedComponent {
  host: string
  /** 0: any free one. */
  port: number
  registry: MetricRegistry
  /** Asks about callers. */
  client: Client
  /** Further pages of metrics, by path: `/metrics/resources`. */
  pages?: Readonly<Record<string, () => string>>
  /** Why it is not well; absent: it is. */
  unwell?(): string | undefined
}

const open = new Set(['/healthz', '/livez', '/readyz'])
/** A certificate is looked at again after this long. */
const lookAgainMs = 3_600_000

export class SecurePages {
  readonly #options: SecurePagesOptions
  readonly #listeners: Server[] = []
  readonly #sockets = new Set<Socket>()
  /** By the port that a connection came in by. */
  readonly #served = new Map<number, (request: IncomingMessage, response: ServerResponse) => Promise<void>>()
  #secure: Promise<https.Server> | undefined
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(options: SecurePagesOptions) {
    this.#options = options
  }

  /** Resolves with the port. */
  async serve(component: ServedComponent): Promise<number> {
    const access = new DelegatedAccess(component.client, this.#options.clock)
    const answer = (request: IncomingMessage, response: ServerResponse) => respond(request, response, component, access)
    const listener = createServer({ pauseOnConnect: true }, (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => socket.destroy())
      this.#secureServer().then(
        (server) => void server.emit('connection', socket),
        () => socket.destroy(),
      )
    })
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject)
      listener.listen(component.port, component.host, resolve)
    })
    this.#listeners.push(listener)
    const { port } = listener.address() as AddressInfo
    this.#served.set(port, answer)
    return port
  }

  async stop(): Promise<void> {
    const closed = this.#listeners.map((listener) => new Promise<void>((resolve) => listener.close(() => resolve())))
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(closed)
  }

  #secureServer(): Promise<https.Server> {
    const now = this.#options.clock.monotonic()
    if (this.#secure && now < this.#lookedAt + lookAgainMs) return this.#secure
    this.#lookedAt = now
    const before = this.#secure
    this.#secure = this.#renewed(before)
    this.#secure.catch(() => {
      this.#secure = undefined
    })
    return this.#secure
  }

  async #renewed(before: Promise<https.Server> | undefined): Promise<https.Server> {
    const { certificate, key } = await this.#options.certificate()
    const { clientCa } = this.#options
    const context = { cert: certificate, key, ...(clientCa ? { ca: clientCa } : {}), minVersion: 'TLSv1.2' as const }
    if (before) {
      const server = await before
      server.setSecureContext(context)
      return server
    }
    const server = https.createServer({ ...context, requestCert: true, rejectUnauthorized: false })
    server.on('tlsClientError', (_, socket) => socket.destroy())
    server.on('request', (request, response) => {
      const answer = this.#served.get(request.socket.localPort ?? 0)
      if (!answer) return response.writeHead(404).end()
      answer(request, response).catch(() => response.destroy())
    })
    return server
  }
}

async function respond(request: IncomingMessage, response: ServerResponse, component: ServedComponent, access: DelegatedAccess): Promise<void> {
  const path = new URL(request.url ?? '/', 'https://component').pathname
  const plain = (status: number, body: string, type = 'text/plain; charset=utf-8') => void response.writeHead(status, { 'content-type': type }).end(body)
  if (open.has(path)) {
    const unwell = component.unwell?.()
    return unwell === undefined ? plain(200, 'ok') : plain(500, `${unwell}\n`)
  }
  const caller = await access.authenticate(request.socket as TLSSocket, request.headers.authorization)
  if (!caller) return plain(401, refusal(401, 'Unauthorized', 'Unauthorized'), 'application/json')
  const verb = verbOfMethod(request.method ?? 'GET')
  if (!(await access.may(caller, { nonResourceAttributes: { verb, path } })))
    return plain(403, refusal(403, 'Forbidden', `forbidden: User "${caller.name}" cannot ${verb} path "${path}"`), 'application/json')
  if (path === '/metrics') return plain(200, component.registry.text(), expositionType)
  if (path === '/metrics/slis') return plain(200, serviceLevels(component), expositionType)
  const page = component.pages && Object.hasOwn(component.pages, path) ? component.pages[path] : undefined
  if (page) return plain(200, page(), expositionType)
  plain(404, '404 page not found\n')
}

/** KEP-3466: whether it is well, as a number. */
function serviceLevels({ unwell }: ServedComponent): string {
  const page = new Exposition()
  const sample = page.family('kubernetes_healthcheck', 'gauge', '[STABLE] The result of each health check: 1 for healthy.')
  for (const type of open) sample({ name: 'ping', type: type.slice(1) }, unwell?.() === undefined ? 1 : 0)
  return page.toString()
}

const refusal = (code: number, reason: string, message: string): string =>
  JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, ...(code === 403 ? { details: {} } : {}), code })
