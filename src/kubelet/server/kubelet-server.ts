/** The kubelet's own HTTPS server, which the API server and the metrics pipeline call. Nobody is answered without a name. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Informer } from '../../client/informer.ts'
import { expositionType } from '../../machinery/metrics/exposition.ts'
import { MetricRegistry } from '../../machinery/metrics/registry.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import { messageOf } from '../container/start-error.ts'
import { DirectoryUsage } from '../eviction/directory-usage.ts'
import type { MachineInfo } from '../node/machine-info.ts'
import type { PodServices } from '../pod/pod-services.ts'
import { cadvisorMetrics } from './cadvisor-metrics.ts'
import { HttpMetrics } from './http-metrics.ts'
import { KubeletAuthorizer } from './kubelet-authorizer.ts'
import { addKubeletMetrics } from './kubelet-metrics.ts'
import { serveContainerLog } from './log-endpoint.ts'
import { answer, HttpError, type Target, targetOf } from './pod-target.ts'
import { resourceMetrics } from './resource-metrics.ts'
import { statsSummary } from './stats-summary.ts'
import { serveStreams, servesStreams } from './stream-endpoints.ts'

export interface KubeletServerOptions {
  host?: string
  /** 0: any. */
  port?: number
  /** PEM. `clientCA` signs the certificates of who may call. */
  tls: { key: string; cert: string; clientCA: string }
}

/** Another listens for it, and hands over what comes. */
export interface LentServerOptions {
  /** Where the other listens, as the node tells it. */
  port: number
  /** Asked for at the first connection. */
  tls(): Promise<KubeletServerOptions['tls']>
}

export interface KubeletServer {
  readonly port: number
  /** PEM. Shown to connections from now on. */
  renew(certificate: string, key: string): void
  close(): Promise<void>
}

export interface ServerSources {
  pods: Informer<V1Pod>
  services: PodServices
  nodeName: string
  machine: MachineInfo
  /** What the kubelet counts. */
  metrics?: MetricRegistry
  /** What its probes have found. */
  probeMetrics?: MetricRegistry
}

export async function startKubeletServer({ host, port = 0, tls }: KubeletServerOptions, sources: ServerSources): Promise<KubeletServer> {
  const server = secureServer(tls, sources)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve())
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : port,
    renew: (certificate, key) => server.setSecureContext({ cert: certificate, key, ca: tls.clientCA, minVersion: 'TLSv1.2' }),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

/** A server that is made when somebody first connects: thousands of nodes have one, and few are ever asked. */
export class LentServer {
  readonly port: number
  readonly #options: LentServerOptions
  readonly #sources: ServerSources
  readonly #sockets = new Set<Socket>()
  #server: Promise<Server> | undefined

  constructor(options: LentServerOptions, sources: ServerSources) {
    this.port = options.port
    this.#options = options
    this.#sources = sources
  }

  /** Of a socket that is paused. */
  accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    this.#server ??= this.#options.tls().then((tls) => secureServer(tls, this.#sources))
    this.#server.then(
      (server) => void server.emit('connection', socket),
      () => {
        this.#server = undefined
        socket.destroy()
      },
    )
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

function secureServer(tls: KubeletServerOptions['tls'], sources: ServerSources): Server {
  const { services, nodeName } = sources
  const authorizer = new KubeletAuthorizer(services.client, services.clock, nodeName)
  const registry = sources.metrics ?? new MetricRegistry()
  const summary = { services, nodeName, machine: sources.machine, pods: () => sources.pods.list(), directories: new DirectoryUsage(services) }
  const refresh = addKubeletMetrics(registry, summary)
  const requests = new HttpMetrics(registry, services.clock)
  const metricPages: Record<string, () => Promise<string>> = {
    '': async () => {
      await refresh()
      return registry.text()
    },
    resource: () => resourceMetrics(services),
    cadvisor: () => cadvisorMetrics(sources),
    probes: async () => sources.probeMetrics?.text() ?? '',
  }

  const check = async (request: IncomingMessage, path: string) => {
    const caller = await authorizer.authenticate(request.socket as TLSSocket, request.headers.authorization)
    if (!caller) throw new HttpError(401, 'Unauthorized')
    if (!(await authorizer.mayCall(caller, request.method ?? 'GET', path)))
      throw new HttpError(403, `Forbidden (user=${caller.name}, verb=${request.method?.toLowerCase()}, resource=nodes, subresource=${path.split('/')[1]})`)
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'https://kubelet')
    await check(request, url.pathname)
    const parts = url.pathname.split('/').filter(Boolean).map(decodeURIComponent)
    requests.began(request.method ?? 'GET', parts[0] ?? '', parts[0] === 'containerLogs' && url.searchParams.has('follow'), response)
    switch (parts[0]) {
      case 'healthz':
        return answer(response, 200, 'text/plain; charset=utf-8', 'ok')
      case 'pods':
        return answer(response, 200, 'application/json', JSON.stringify(podList(sources)))
      case 'metrics':
        if (parts.length <= 2 && Object.hasOwn(metricPages, parts[1] ?? ''))
          return answer(response, 200, expositionType, (await metricPages[parts[1] ?? '']?.()) ?? '')
        break
      case 'stats':
        if (parts[1] === 'summary') return answer(response, 200, 'application/json', JSON.stringify(await statsSummary(summary)))
        break
      case 'containerLogs':
        return serveContainerLog(find(parts, sources), url.searchParams, request, response, services)
      default:
    }
    if (servesStreams(parts[0])) throw new HttpError(400, 'you must specify at least 1 of stdin, stdout, stderr by an upgrade of the connection')
    throw new HttpError(404, '404 page not found')
  }

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const url = new URL(request.url ?? '/', 'https://kubelet')
    await check(request, url.pathname)
    const parts = url.pathname.split('/').filter(Boolean).map(decodeURIComponent)
    if (!servesStreams(parts[0])) throw new HttpError(404, '404 page not found')
    requests.began(request.method ?? 'GET', parts[0] ?? '', true, socket)
    await serveStreams(parts[0], find(parts, sources), url.searchParams, { request, socket, head }, services)
  }

  const server = createServer({ key: tls.key, cert: tls.cert, ca: tls.clientCA, requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2' })
  server.on('request', (request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (response.headersSent) return response.destroy()
      answer(response, error instanceof HttpError ? error.status : 500, 'text/plain; charset=utf-8', messageOf(error))
    })
  })
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    upgrade(request, socket, head).catch((error: unknown) => {
      const status = error instanceof HttpError ? error.status : 500
      const body = messageOf(error)
      socket.end(
        `HTTP/1.1 ${status} Error\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      )
    })
  })
  server.on('tlsClientError', () => {})
  return server
}

/** `/<what>/<namespace>/<pod>[/<uid>][/<container>]`. */
function find(parts: string[], { pods, services }: ServerSources): Target {
  const rest = parts.slice(1)
  const [namespace = '', name = ''] = rest
  const container = parts[0] === 'portForward' ? undefined : rest.at(-1)
  if (rest.length < 2) throw new HttpError(400, 'expected a namespace and the name of a pod')
  return targetOf(pods, services, namespace, name, container)
}

function podList({ pods, services }: ServerSources): unknown {
  const items = pods.list().map((pod) => ({ ...pod, status: services.statuses.get(pod.metadata.uid) ?? pod.status ?? {} }))
  return { kind: 'PodList', apiVersion: 'v1', metadata: {}, items }
}
