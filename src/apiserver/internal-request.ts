/** Requests that the server makes of itself: the whole way of any other, as a user of its own. */

import type { Resource } from '../apis/resource.ts'
import { ApiError } from '../machinery/errors.ts'
import type { Status } from '../machinery/object.ts'
import type { ServerAccess } from './contracts.ts'
import type { ApiRequest, UserInfo } from './request.ts'

/** The server itself; of `system:masters`, as upstream's loopback client is. */
export const apiServerUser: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }

const userAgent = 'kube-apiserver'

type Addressed = Pick<Resource, 'group' | 'version' | 'plural'>

export function pathOf({ group, version, plural }: Addressed, namespace = '', name = '', subresource = ''): string {
  const root = group ? `/apis/${group}/${version}` : `/api/${version}`
  const parts = [...(namespace ? ['namespaces', namespace] : []), plural, ...(name ? [name] : []), ...(subresource ? [subresource] : [])]
  return `${root}/${parts.map(encodeURIComponent).join('/')}`
}

/** Throws the ApiError of a failure, and answers the object otherwise. */
export async function internalRequest(
  server: ServerAccess,
  method: string,
  path: string,
  object?: unknown,
  query: Record<string, string> = {},
): Promise<unknown> {
  const request: ApiRequest = {
    method,
    path,
    query: new URLSearchParams(query),
    headers: { 'user-agent': userAgent, ...(object === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(object === undefined ? {} : { object }),
    user: apiServerUser,
    remoteAddress: '127.0.0.1',
    signal: new AbortController().signal,
  }
  const response = await server.handle(request)
  if (response.kind !== 'object') throw new Error(`${method} ${path} answered no object`)
  if (response.status >= 400) throw new ApiError(response.object as Status)
  return response.object
}
