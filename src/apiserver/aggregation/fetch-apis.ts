/** Asks an extension server what it serves. */
import { isObject } from '../../machinery/patch/json-value.ts'
import type { DiscoveredEntry, ServerAccess } from '../contracts.ts'
import type { ApiResponse, UserInfo } from '../request.ts'
import type { ExtensionClient } from './extension-client.ts'
import { groupVersionPath, type RemoteService } from './remote-service.ts'
import { type Endpoint, endpointsOf } from './service-endpoints.ts'

export interface FoundApis {
  resources: readonly DiscoveredEntry[]
  /** Of its index of `/openapi/v3`: those of its group and version. */
  paths: Record<string, { serverRelativeURL: string }>
  v2: { paths?: Record<string, unknown>; definitions?: Record<string, unknown> } | undefined
  /** By path: what need not be sent again. */
  etags: Readonly<Record<string, string>>
}

export const noApis: FoundApis = { resources: [], paths: {}, v2: undefined, etags: {} }

const user: UserInfo = { name: 'system:kube-aggregator', groups: ['system:masters', 'system:authenticated'] }
const timeoutMs = 5000

/** Throws why it does not answer. `known` is what it said last. */
export async function fetchApis(server: ServerAccess, client: ExtensionClient, service: RemoteService, known: FoundApis): Promise<FoundApis> {
  const [endpoint] = await endpointsOf(server, service)
  if (!endpoint) throw new Error('no endpoint')
  const path = groupVersionPath(service)
  const url = `https://${endpoint.host}:${endpoint.port}${path}`
  const about = `failing or missing response from ${url}`
  const list = await get(server, client, service, endpoint, path).catch((error: unknown) => {
    throw new Error(`${about}: ${error instanceof Error ? error.message : String(error)}`)
  })
  if (list.status >= 300) throw new Error(`${about}: bad status from ${url}: ${list.status}`)
  const listed = resourcesIn(list.body)
  if (!listed) throw new Error(`${about}: the answer is not a list of resources`)
  const etags: Record<string, string> = {}
  const document = async (at: string): Promise<unknown> => {
    const answer = await get(server, client, service, endpoint, at, known.etags[at]).catch(() => undefined)
    if (answer?.etag && (answer.status === 200 || answer.status === 304)) etags[at] = answer.etag
    if (answer?.status === 304) return 'unchanged'
    return answer?.status === 200 ? answer.body : undefined
  }
  const [index, v2] = [await document('/openapi/v3'), await document('/openapi/v2')]
  return {
    resources: entriesOf(listed, service),
    paths: index === 'unchanged' ? known.paths : pathsOf(index, service),
    v2: v2 === 'unchanged' ? known.v2 : definitionsOf(v2),
    etags,
  }
}

interface Answer {
  status: number
  body: unknown
  etag: string | undefined
}

async function get(server: ServerAccess, client: ExtensionClient, service: RemoteService, endpoint: Endpoint, path: string, etag?: string): Promise<Answer> {
  const late = new AbortController()
  const timer = server.clock.after(timeoutMs, () => late.abort(new Error('context deadline exceeded')))
  try {
    const headers = { accept: 'application/json', 'user-agent': 'kube-aggregator', ...(etag ? { 'if-none-match': etag } : {}) }
    const call = { method: 'GET', path, query: '', headers, user, remoteAddress: '127.0.0.1', signal: late.signal }
    const answer = await client.call(service, endpoint, call)
    if (answer.kind === 'hijacked' || answer.kind === 'events') throw new Error(`${path} answers something else`)
    return { status: answer.status, body: await decoded(answer), etag: answer.headers?.etag }
  } catch (error) {
    throw late.signal.aborted ? late.signal.reason : error
  } finally {
    timer.cancel()
  }
}

async function decoded(answer: Extract<ApiResponse, { kind: 'object' | 'bytes' }>): Promise<unknown> {
  if (answer.kind === 'object') return answer.object
  let text: string
  if (typeof answer.bytes === 'string') text = answer.bytes
  else if (answer.bytes instanceof Uint8Array) text = Buffer.from(answer.bytes).toString()
  else {
    const chunks: Uint8Array[] = []
    for await (const chunk of answer.bytes) chunks.push(chunk)
    text = Buffer.concat(chunks).toString()
  }
  return answer.status === 200 && /[/+]json\b/.test(answer.contentType) ? JSON.parse(text) : text
}

interface ListedResource {
  name: string
  singularName?: string
  namespaced?: boolean
  kind?: string
  group?: string
  version?: string
  verbs?: string[] | null
  shortNames?: string[] | null
  categories?: string[] | null
}

/** Undefined for what is no list. An empty one may be written as null, and what has no name is nothing. */
function resourcesIn(body: unknown): ListedResource[] | undefined {
  const { resources } = isObject(body) ? body : { resources: 0 }
  if (resources === undefined || resources === null) return []
  if (!Array.isArray(resources)) return undefined
  return resources.filter((one) => isObject(one) && typeof one.name === 'string' && one.name !== '') as unknown as ListedResource[]
}

/** From the older form of discovery to the newer. */
function entriesOf(resources: readonly ListedResource[], { group, version }: RemoteService): DiscoveredEntry[] {
  // Empty is as good as absent, as Go writes it.
  const kindOf = (one: ListedResource) => ({ group: one.group || group, version: one.version || version, kind: one.kind ?? '' })
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map((one) => {
      const below = resources.filter(({ name }) => name.startsWith(`${one.name}/`))
      return {
        resource: one.name,
        responseKind: kindOf(one),
        scope: one.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: one.singularName ?? '',
        verbs: one.verbs ?? [],
        ...(one.shortNames?.length ? { shortNames: one.shortNames } : {}),
        ...(one.categories?.length ? { categories: one.categories } : {}),
        ...(below.length > 0
          ? { subresources: below.map((sub) => ({ subresource: sub.name.slice(one.name.length + 1), responseKind: kindOf(sub), verbs: sub.verbs ?? [] })) }
          : {}),
      }
    })
}

function pathsOf(index: unknown, service: RemoteService): FoundApis['paths'] {
  const { paths } = isObject(index) ? index : {}
  const path = groupVersionPath(service).slice(1)
  const own = isObject(paths) ? paths[path] : undefined
  return isObject(own) && typeof own.serverRelativeURL === 'string' ? { [path]: { serverRelativeURL: own.serverRelativeURL } } : {}
}

function definitionsOf(document: unknown): FoundApis['v2'] {
  if (!isObject(document)) return undefined
  const { paths, definitions } = document
  return { ...document, paths: isObject(paths) ? paths : {}, definitions: isObject(definitions) ? definitions : {} }
}
