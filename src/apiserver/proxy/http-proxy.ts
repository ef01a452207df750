/** `pods/proxy`, `services/proxy` and `nodes/proxy`: any HTTP request, passed on to what the name means. */
import type { IncomingMessage } from 'node:http'
import { createUnzip } from 'node:zlib'
import { badRequest, notFound, serviceUnavailable } from '../../machinery/errors.ts'
import type { V1EndpointSlice, V1Pod, V1Service } from '../../machinery/schema/generated/types.ts'
import type { RequestContext, RequestHandler, ServerAccess } from '../contracts.ts'
import { hostOf } from '../host.ts'
import type { ApiResponse } from '../request.ts'
import { type Backend, passedBack, passedHeaders, send } from './backend.ts'
import { withLinks } from './html-links.ts'
import type { KubeletBackend } from './pod-sessions.ts'
import { pipeUpgrade } from './upgrade-pipe.ts'

interface Target {
  scheme: 'http' | 'https'
  name: string
  port: string
}

/** `name`, `name:port`, `scheme:name:port`. */
export function parseTarget(text: string): Target {
  const parts = text.split(':')
  if (parts.length === 1) return { scheme: 'http', name: text, port: '' }
  if (parts.length === 2) return { scheme: 'http', name: parts[0] ?? '', port: parts[1] ?? '' }
  const [scheme, name, port] = parts
  if (parts.length === 3 && (scheme === 'http' || scheme === 'https' || scheme === '') && name) return { scheme: scheme || 'http', name, port: port ?? '' }
  throw badRequest(`invalid request ${JSON.stringify(text)}`)
}

type Resolve = (context: RequestContext, target: Target, path: string) => Promise<Backend>

function podBackend(server: ServerAccess): Resolve {
  return async ({ info }, { scheme, name, port }, path) => {
    const pod = (await server.cached('pods')).get(info.namespace, name) as unknown as V1Pod | undefined
    if (!pod) throw notFound({ resource: 'pods', name })
    const host = pod.status?.podIP
    if (!host) throw badRequest('address not allowed')
    const first = pod.spec?.containers.flatMap(({ ports }) => ports ?? [])[0]?.containerPort
    return { scheme, host, port: Number(port) || first || (scheme === 'https' ? 443 : 80), path }
  }
}

function serviceBackend(server: ServerAccess): Resolve {
  return async ({ info }, { scheme, name, port }, path) => {
    const service = (await server.cached('services')).get(info.namespace, name) as unknown as V1Service | undefined
    if (!service) throw notFound({ resource: 'services', name })
    const ports = service.spec?.ports ?? []
    const found = port === '' ? (ports.length === 1 ? ports[0] : undefined) : ports.find((one) => one.name === port || String(one.port) === port)
    if (!found && port === '') throw serviceUnavailable(`no port is named, and service ${JSON.stringify(name)} has ${ports.length}`)
    if (!found) throw serviceUnavailable(`no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`)
    const slices = [...(await server.cached('endpointslices.discovery.k8s.io')).list(info.namespace)] as unknown as V1EndpointSlice[]
    const candidates = slices
      .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === name)
      .flatMap((slice) => {
        const at = slice.ports?.find((one) => (one.name ?? '') === (found.name ?? ''))?.port
        const ready = (slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false)
        return at === undefined ? [] : ready.flatMap(({ addresses }) => addresses.map((host) => ({ host, port: at })))
      })
    const chosen = candidates[Math.floor(server.clock.random() * candidates.length)]
    if (!chosen) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`)
    return { scheme, ...chosen, path }
  }
}

function handler(name: string, resolve: Resolve): RequestHandler {
  return {
    name: `${name}-proxy`,
    resources: [`${name}/proxy`],
    async handle(context): Promise<ApiResponse> {
      const { request, info } = context
      // Relative links of the page behind must stay below the proxy.
      if (info.rest === '' && !request.path.endsWith('/') && !request.upgrade && (request.method === 'GET' || request.method === 'HEAD'))
        return { kind: 'bytes', status: 301, contentType: 'text/plain', bytes: '', headers: { location: `${request.path}/` } }
      const query = request.query.toString()
      const backend = await resolve(context, parseTarget(info.name), `${info.rest || '/'}${query ? `?${query}` : ''}`)
      if (request.upgrade) return await pipeUpgrade(backend, request.upgrade, request.signal)
      const body = request.method === 'GET' || request.method === 'HEAD' ? undefined : await request.readBody?.()
      const forwarded = { 'x-forwarded-for': request.remoteAddress, 'x-forwarded-host': hostOf(request) ?? '' }
      const answer = await send(backend, {
        method: request.method,
        headers: {
          ...passedHeaders(request.headers),
          ...forwarded,
          host: `${backend.host}:${backend.port}`,
          ...(body ? { 'content-length': String(body.length) } : {}),
        },
        ...(body ? { body } : {}),
        signal: request.signal,
      })
      const base = request.path.slice(0, request.path.length - info.rest.length).replace(/\/$/, '')
      return belowProxy(answer, backend, base)
    },
  }
}

/** The answer, with the links that lead to the backend's root leading below `base` instead. */
function belowProxy(answer: IncomingMessage, { host, port }: Backend, base: string): ApiResponse {
  const own = new RegExp(`^(https?:)?//${RegExp.escape(`${host}:${port}`)}(?=/|$)`)
  const rewrite = (link: string): string => {
    const path = link.replace(own, '')
    if ((!path.startsWith('/') && path !== '') || path.startsWith('//') || link === '') return link
    return path === base || path.startsWith(`${base}/`) ? path : `${base}${path || '/'}`
  }
  const { location, 'content-type': type = '', 'content-encoding': encoding = 'identity' } = answer.headers
  const passed = passedBack(answer, location === undefined ? {} : { location: rewrite(location) })
  const decoded = type.split(';')[0]?.trim().toLowerCase() === 'text/html' ? decode(answer, encoding) : undefined
  if (!decoded || passed.kind !== 'bytes') return passed
  const { 'content-encoding': _, ...headers } = passed.headers ?? {}
  return { ...passed, bytes: withLinks(decoded, rewrite), headers }
}

/** Undefined where the page cannot be read. */
function decode(answer: IncomingMessage, encoding: string): AsyncIterable<Uint8Array> | undefined {
  if (encoding === 'identity') return answer
  if (encoding === 'gzip' || encoding === 'deflate') return answer.pipe(createUnzip())
  return undefined
}

export function httpProxies(server: ServerAccess, kubelet: KubeletBackend): RequestHandler[] {
  const node: Resolve = async (_, { scheme, name, port }, path) => {
    const backend = await kubelet(name, path)
    return port && Number(port) !== backend.port ? { scheme, host: backend.host, port: Number(port), path } : backend
  }
  return [handler('pods', podBackend(server)), handler('services', serviceBackend(server)), handler('nodes', node)]
}
