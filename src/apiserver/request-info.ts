/** What a method and a path say (upstream: RequestInfo): resource, verb, names. */
import { parseFieldSelector } from '../machinery/field-selectors.ts'
import { SelectorError } from '../machinery/selectors.ts'
import type { RequestInfo } from './request.ts'

/** Subresources that namespaces have: their path is not that of a resource in the namespace. */
const namespaceSubresources = new Set(['status', 'finalize'])
const proxied = new Set(['proxy'])

/** `method` in upper case; `query` decides between get, list and watch. Throws URIError for a malformed escape. */
export function parseRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const info: RequestInfo = {
    isResourceRequest: false,
    path,
    verb: method.toLowerCase(),
    group: '',
    version: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    rest: '',
  }
  const parts = splitPath(path)
  let at: number
  if (parts[0] === 'api' && parts.length >= 3) {
    info.version = parts[1] ?? ''
    at = 2
  } else if (parts[0] === 'apis' && parts.length >= 4) {
    info.group = parts[1] ?? ''
    info.version = parts[2] ?? ''
    at = 3
  } else return info

  info.isResourceRequest = true
  info.verb = verbOf(method)
  // The long obsolete form: /api/v1/watch/pods.
  if (parts[at] === 'watch' && parts.length > at + 1) {
    info.verb = 'watch'
    at++
  }
  if (parts[at] === 'namespaces' && parts.length > at + 1) {
    info.namespace = parts[at + 1] ?? ''
    if (parts.length > at + 2 && !namespaceSubresources.has(parts[at + 2] ?? '')) at += 2
  }
  info.resource = parts[at] ?? ''
  info.name = parts[at + 1] ?? ''
  info.subresource = parts[at + 2] ?? ''
  if (proxied.has(info.subresource)) info.rest = restOf(path, at + 3)
  else if (parts.length > at + 3) info.rest = parts.slice(at + 3).join('/')

  if (!info.name) {
    if (info.verb === 'get') info.verb = isTrue(query.get('watch')) ? 'watch' : 'list'
    else if (info.verb === 'delete') info.verb = 'deletecollection'
  } else if (info.verb === 'get' && isTrue(query.get('watch'))) info.verb = 'watch'
  // A list or watch of one name by field selector is authorized for that name.
  if (info.verb === 'list' || info.verb === 'watch' || info.verb === 'deletecollection') {
    const selector = query.get('fieldSelector')
    if (selector) info.fieldSelector = selector
    if (!info.name && selector?.includes('metadata.name')) info.name = requiredName(selector)
  }
  return info
}

function requiredName(selector: string): string {
  try {
    return parseFieldSelector(selector).requires('metadata.name') ?? ''
  } catch (error) {
    // The registry will refuse it.
    if (error instanceof SelectorError) return ''
    throw error
  }
}

function verbOf(method: string): string {
  switch (method) {
    case 'POST':
      return 'create'
    case 'GET':
    case 'HEAD':
      return 'get'
    case 'PUT':
      return 'update'
    case 'PATCH':
      return 'patch'
    case 'DELETE':
      return 'delete'
    default:
      return method.toLowerCase()
  }
}

function splitPath(path: string): string[] {
  const escaped = path.includes('%')
  const parts: string[] = []
  for (const part of path.split('/')) if (part) parts.push(escaped ? decodeURIComponent(part) : part)
  return parts
}

/** The raw path after so many segments, with its slashes and escapes as they came. */
function restOf(path: string, segments: number): string {
  let at = 0
  for (let seen = 0; seen < segments; seen++) {
    while (path[at] === '/') at++
    const next = path.indexOf('/', at)
    if (next < 0) return ''
    at = next
  }
  return path.slice(at)
}

const isTrue = (value: string | null) => value !== null && value !== 'false' && value !== '0'
