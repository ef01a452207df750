/** Passes requests for the groups of extension servers on to them. */
import { serviceUnavailable } from '../../machinery/errors.ts'
import type { RequestContext, RequestHandler, ServerAccess } from '../contracts.ts'
import { hostOf } from '../host.ts'
import { passedHeaders } from '../proxy/backend.ts'
import { pipeUpgrade } from '../proxy/upgrade-pipe.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import type { ExtensionClient } from './extension-client.ts'
import { identityHeaders, withoutIdentity } from './identity-headers.ts'
import type { RemoteService } from './remote-service.ts'
import { endpointsOf } from './service-endpoints.ts'

async function bodyOf(request: ApiRequest): Promise<Uint8Array | undefined> {
  if (request.method === 'GET' || request.method === 'HEAD') return undefined
  return request.object === undefined ? await request.readBody?.() : new TextEncoder().encode(JSON.stringify(request.object))
}

export function aggregatedRequest(server: ServerAccess, client: ExtensionClient, service: RemoteService, available: () => boolean): RequestHandler {
  return {
    name: service.name,
    async handle({ request, user }: RequestContext): Promise<ApiResponse> {
      if (!available()) return { kind: 'bytes', status: 503, contentType: 'text/plain; charset=utf-8', bytes: 'service unavailable\n' }
      try {
        const endpoints = await endpointsOf(server, service)
        const endpoint = endpoints[Math.floor(server.clock.random() * endpoints.length)]
        if (!endpoint) throw new Error('no endpoint')
        const query = request.query.toString()
        if (request.upgrade) {
          const path = query ? `${request.path}?${query}` : request.path
          return await pipeUpgrade({ scheme: 'https', ...endpoint, path, tls: client.tls(service) }, request.upgrade, request.signal, identityHeaders(user))
        }
        const body = await bodyOf(request)
        return await client.call(service, endpoint, {
          method: request.method,
          path: request.path,
          query,
          headers: {
            ...withoutIdentity(passedHeaders(request.headers)),
            'x-forwarded-for': request.remoteAddress,
            'x-forwarded-host': hostOf(request) ?? '',
            'x-forwarded-proto': 'https',
          },
          ...(body ? { body } : {}),
          user,
          remoteAddress: request.remoteAddress,
          signal: request.signal,
        })
      } catch (error) {
        if (request.signal.aborted) throw error
        throw serviceUnavailable(`error trying to reach service: ${error instanceof Error ? error.message : String(error)}`)
      }
    },
  }
}
