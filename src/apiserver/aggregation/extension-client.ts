/**
 * Calls extension API servers: over TLS with the front proxy's certificate, or, where one listens in this very
 * process, without the connection. Either way the request and who it is from are the same.
 */

import type { IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import { passedBack } from '../proxy/backend.ts'
import type { ApiRequest, ApiResponse, UserInfo } from '../request.ts'
import { type HeaderValues, identityHeaders } from './identity-headers.ts'
import type { RemoteService } from './remote-service.ts'
import type { Endpoint } from './service-endpoints.ts'

/** A server of this process. */
export interface ExtensionServer {
  handle(request: ApiRequest): Promise<ApiResponse>
}

export interface ExtensionClientOptions {
  /** The front proxy's certificate. PEM. */
  certificate: string
  key: string
  /** By `host:port`. Looked at with each call: servers come and go. */
  inProcess?: ReadonlyMap<string, ExtensionServer>
}

export interface ExtensionCall {
  method: string
  path: string
  /** Without its question mark. */
  query: string
  headers: Record<string, string>
  body?: Uint8Array
  user: UserInfo
  remoteAddress: string
  signal: AbortSignal
}

/** As its certificate says. */
const frontProxyName = 'front-proxy-client'

export class ExtensionClient {
  readonly #options: ExtensionClientOptions
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 16, noDelay: true } as ConstructorParameters<typeof Agent>[0])

  constructor(options: ExtensionClientOptions) {
    this.#options = options
  }

  async call(service: RemoteService, endpoint: Endpoint, call: ExtensionCall): Promise<ApiResponse> {
    const server = this.#options.inProcess?.get(`${endpoint.host}:${endpoint.port}`)
    return server ? server.handle(inProcess(call)) : passedBack(await this.#send(service, endpoint, call))
  }

  /** What TLS needs to reach the service at an endpoint; for upgraded connections. */
  tls({ service, ca, insecure }: RemoteService): RequestOptions {
    const { certificate, key } = this.#options
    const servername = `${service.name}.${service.namespace}.svc`
    return { cert: certificate, key, servername, ...(insecure ? { rejectUnauthorized: false } : ca ? { ca } : {}) }
  }

  close(): void {
    this.#agent.destroy()
  }

  async #send(service: RemoteService, endpoint: Endpoint, call: ExtensionCall): Promise<IncomingMessage> {
    try {
      return await this.#attempt(service, endpoint, call)
    } catch (error) {
      // The other side may close a kept connection just when it is taken again; reading twice does no harm.
      if (error instanceof ClosedMeanwhile && (call.method === 'GET' || call.method === 'HEAD')) return this.#attempt(service, endpoint, call)
      throw error
    }
  }

  #attempt(service: RemoteService, { host, port }: Endpoint, call: ExtensionCall): Promise<IncomingMessage> {
    const { method, path, query, body, signal } = call
    const headers: HeaderValues = { ...call.headers, ...identityHeaders(call.user), host: `${service.service.name}.${service.service.namespace}.svc` }
    if (body) headers['content-length'] = String(body.length)
    return new Promise((resolve, reject) => {
      const options = { host, port, method, path: query ? `${path}?${query}` : path, headers, signal, agent: this.#agent, ...this.tls(service) }
      const outgoing = httpsRequest(options, resolve)
      outgoing.on('error', (error: NodeJS.ErrnoException) =>
        reject(outgoing.reusedSocket && error.code === 'ECONNRESET' ? new ClosedMeanwhile(error.message, { cause: error }) : error),
      )
      outgoing.end(body)
    })
  }
}

class ClosedMeanwhile extends Error {}

function inProcess({ method, path, query, headers, body, user, remoteAddress, signal }: ExtensionCall): ApiRequest {
  const identity = identityHeaders(user)
  const joined = Object.fromEntries(Object.entries(identity).map(([name, value]) => [name, [value].flat().join(', ')]))
  const all: Record<string, string> = { ...headers, ...joined }
  return {
    method,
    path,
    query: new URLSearchParams(query),
    headers: all,
    headerValues: (name) => [identity[name] ?? all[name] ?? []].flat(),
    ...(body ? { readBody: async () => body } : {}),
    certificate: { commonName: frontProxyName, organizations: [], fingerprint: '' },
    remoteAddress,
    signal,
  }
}
