/** Passes requests for the groups of extension servers on to them. */
import { Readable } from 'node:stream'
import type { Clock } from '../../machinery/clock.ts'
import { serviceUnavailable } from '../../machinery/errors.ts'
import type { RequestContext, RequestHandler, ServerAccess } from '../contracts.ts'
import { hostOf } from '../host.ts'
import { outOfTime, timeOf } from '../pipeline/deadline.ts'
import { isLongRunning } from '../pipeline/long-running.ts'
import { passedHeaders } from '../proxy/backend.ts'
import { pipeUpgrade } from '../proxy/upgrade-pipe.ts'
import type { ApiRequest, ApiResponse, RequestInfo } from '../request.ts'
import type { ExtensionClient } from './extension-client.ts'
import { identityHeaders, withoutIdentity } from './identity-headers.ts'
import type { RemoteService } from './remote-service.ts'
import { endpointsOf } from './service-endpoints.ts'

async function bodyOf(request: ApiRequest): Promise<Uint8Array | undefined> {
  if (request.method === 'GET' || request.method === 'HEAD') return undefined
  return request.object === undefined ? await request.readBody?.() : new TextEncoder().encode(JSON.stringify(request.object))
}

/**
 * How long another's server may take, to the last byte of its answer: nobody who waits, be it a part of this very
 * process, waits for ever, and no connection is kept for an answer that is not awaited any more.
 */
interface Patience {
  signal: AbortSignal
  untilEndOf(response: ApiResponse): void
  end(): void
}

function patienceWith(clock: Clock, request: ApiRequest, info: RequestInfo): Patience {
  if (isLongRunning(info)) return { signal: request.signal, untilEndOf() {}, end() {} }
  const late = new AbortController()
  const timer = clock.after(timeOf(request), () => late.abort(outOfTime()))
  const end = () => timer.cancel()
  return {
    signal: AbortSignal.any([request.signal, late.signal]),
    untilEndOf(response) {
      if (response.kind === 'bytes' && response.bytes instanceof Readable) response.bytes.once('close', end)
      else end()
    },
    end,
  }
}

export function aggregatedRequest(server: ServerAccess, client: ExtensionClient, service: RemoteService, available: () => boolean): RequestHandler {
  return {
    name: service.name,
    async handle({ request, info, user }: RequestContext): Promise<ApiResponse> {
      if (!available()) return { kind: 'bytes', status: 503, contentType: 'text/plain; charset=utf-8', bytes: 'service unavailable\n' }
      const patience = patienceWith(server.clock, request, info)
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
        const response = await client.call(service, endpoint, {
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
          signal: patience.signal,
        })
        patience.untilEndOf(response)
        return response
      } catch (error) {
        patience.end()
        if (request.signal.aborted) throw error
        if (patience.signal.aborted) throw patience.signal.reason
        throw serviceUnavailable(`error trying to reach service: ${error instanceof Error ? error.message : String(error)}`)
      }
    },
  }
}
