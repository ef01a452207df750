/** How upstream's metrics name what a request does. */
import type { RequestInfo } from '../request.ts'

/** Subresources by which a client is connected with something. */
const connecting = new Set(['attach', 'exec', 'portforward', 'proxy'])

export function verbOf({ verb, isResourceRequest, subresource }: RequestInfo): string {
  if (!isResourceRequest) return verb.toUpperCase()
  if (connecting.has(subresource)) return 'CONNECT'
  switch (verb) {
    case 'create':
      return 'POST'
    case 'update':
      return 'PUT'
    default:
      return verb.toUpperCase()
  }
}

export function scopeOf({ isResourceRequest, name, namespace, verb }: RequestInfo): string {
  if (!isResourceRequest) return ''
  if (name || verb === 'create') return 'resource'
  return namespace ? 'namespace' : 'cluster'
}
