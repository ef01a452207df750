/** `pods/log`, `pods/exec`, `pods/attach` and `pods/portforward`: passed on to the kubelet of the pod's node. */
import { badRequest, forbidden, invalid } from '../../machinery/errors.ts'
import { type FieldError, invalidValue } from '../../machinery/field-error.ts'
import { forbiddenReason } from '../authorization/forbidden-reason.ts'
import type { RequestContext, RequestHandler, ServerAccess } from '../contracts.ts'
import { queryInteger } from '../query-integer.ts'
import type { ApiResponse } from '../request.ts'
import { type Backend, passedBack, passedHeaders, refusalOf, send, text } from './backend.ts'
import { kubeletAddress } from './kubelet-address.ts'
import { containerOf, scheduledPod } from './pod-container.ts'
import { pipeUpgrade } from './upgrade-pipe.ts'

export type KubeletBackend = (nodeName: string, path: string) => Promise<Backend>

export const kubeletBackend =
  (server: ServerAccess, trust: { ca: string; client: { certificate: string; key: string } }): KubeletBackend =>
  async (nodeName, path) => {
    const { host, port } = await kubeletAddress(server, nodeName)
    const tls = { ca: trust.ca, cert: trust.client.certificate, key: trust.client.key, servername: nodeName }
    return { scheme: 'https', host, port, path, tls }
  }

/** The kubelet's paths, with the query where there is one. */
function path(parts: string[], query: URLSearchParams): string {
  const text = query.toString()
  return `/${parts.map(encodeURIComponent).join('/')}${text ? `?${text}` : ''}`
}

const logOptions = ['follow', 'previous', 'sinceSeconds', 'sinceTime', 'timestamps', 'tailLines', 'limitBytes', 'stream']

function checkLogOptions(query: URLSearchParams): void {
  const errors: FieldError[] = []
  const number = (name: string, least: number) => {
    const value = queryInteger(query, name)
    if (value !== undefined && value < least)
      errors.push(invalidValue(name, value, least === 0 ? 'must be greater than or equal to 0' : 'must be greater than 0'))
  }
  number('tailLines', 0)
  number('limitBytes', 1)
  number('sinceSeconds', 1)
  if (query.has('sinceSeconds') && query.has('sinceTime')) throw badRequest('at most one of `sinceTime` or `sinceSeconds` may be specified')
  if (errors.length > 0) throw invalid({ kind: 'PodLogOptions', name: '' }, errors)
}

export function podLog(server: ServerAccess, kubelet: KubeletBackend): RequestHandler {
  return {
    name: 'pod-log',
    resources: ['pods/log'],
    async handle({ request, info }): Promise<ApiResponse> {
      checkLogOptions(request.query)
      const pod = await scheduledPod(server, info.namespace, info.name)
      const container = containerOf(pod, request.query.get('container'))
      const query = new URLSearchParams()
      for (const name of logOptions) for (const value of request.query.getAll(name)) query.append(name, value)
      const backend = await kubelet(pod.spec.nodeName, path(['containerLogs', info.namespace, info.name, container], query))
      const answer = await send(backend, { method: 'GET', headers: passedHeaders({ accept: request.headers.accept ?? '*/*' }), signal: request.signal })
      if (answer.statusCode === 200) return { ...passedBack(answer), contentType: 'text/plain' } as ApiResponse
      throw refusalOf(answer.statusCode ?? 502, await text(answer), { resource: 'pods', name: info.name })
    },
  }
}

/** The API server's names of streams, and the kubelet's. */
const streamNames: Record<string, string> = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' }

function sessionQuery(query: URLSearchParams): URLSearchParams {
  const passed = new URLSearchParams()
  for (const [ours, theirs] of Object.entries(streamNames)) if (['1', 'true'].includes(query.get(ours) ?? '')) passed.set(theirs, '1')
  for (const word of query.getAll('command')) passed.append('command', word)
  return passed
}

function session(
  server: ServerAccess,
  kubelet: KubeletBackend,
  subresource: string,
  where: (context: RequestContext, container: () => string) => [string[], URLSearchParams],
): RequestHandler {
  return {
    name: `pod-${subresource}`,
    resources: [`pods/${subresource}`],
    async handle(context): Promise<ApiResponse> {
      const { request, info, user, resource } = context
      if (!request.upgrade) throw badRequest('Upgrade request required')
      // A WebSocket comes as GET; it does what a POST does, and needs the same permission.
      if (info.verb === 'get') {
        const attributes = { user, info: { ...info, verb: 'create' } }
        const { decision, reason } = await server.authorize(attributes)
        if (decision !== 'allowed') throw forbidden({ resource: 'pods', name: info.name }, forbiddenReason(attributes, reason))
      }
      const pod = await scheduledPod(server, info.namespace, info.name)
      if (resource) {
        const { namespace, name } = info
        await server.admit({
          verb: 'connect',
          resource,
          subresource,
          namespace,
          name,
          object: undefined,
          old: undefined,
          user,
          options: {},
          dryRun: false,
          warn: (text) => context.warn(text),
        })
      }
      const [parts, query] = where(context, () => containerOf(pod, request.query.get('container')))
      return await pipeUpgrade(await kubelet(pod.spec.nodeName, path(parts, query)), request.upgrade, request.signal)
    },
  }
}

export function podSessions(server: ServerAccess, kubelet: KubeletBackend): RequestHandler[] {
  const at = ({ info }: RequestContext) => [info.namespace, info.name]
  return [
    podLog(server, kubelet),
    session(server, kubelet, 'exec', (context, container) => {
      if (!context.request.query.has('command')) throw badRequest('you must specify at least 1 command for the container')
      return [['exec', ...at(context), container()], sessionQuery(context.request.query)]
    }),
    session(server, kubelet, 'attach', (context, container) => [['attach', ...at(context), container()], sessionQuery(context.request.query)]),
    session(server, kubelet, 'portforward', (context) => {
      const query = new URLSearchParams()
      for (const ports of context.request.query.getAll('ports')) for (const port of ports.split(',')) query.append('port', port)
      return [['portForward', ...at(context)], query]
    }),
  ]
}
