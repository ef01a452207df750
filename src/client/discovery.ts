/** Which resources a server serves, as it says itself. */
import type { AnyObject } from '../machinery/object.ts'
import type { Client, ResourceRef } from './client.ts'
import type { TransportResponse } from './transport.ts'

export interface DiscoveredResource extends ResourceRef<AnyObject> {
  verbs: readonly string[]
}

export interface Discovery {
  /** Each in its group's preferred version; without subresources. */
  resources: DiscoveredResource[]
  /** Groups and versions that could not be asked, with why: what is missing may lie in them. */
  failed: { groupVersion: string; message: string }[]
}

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'

export async function discover(client: Client): Promise<Discovery> {
  const [core, groups] = await Promise.all(['/api', '/apis'].map((path) => get(client, path, aggregated)))
  const parts = await Promise.all([fromRoot(client, core), fromRoot(client, groups)])
  const [resources, failed] = [parts.flatMap((part) => part.resources), parts.flatMap((part) => part.failed)]
  // One kind may be served by two groups (events); each is an object of its own name and is kept.
  return { resources, failed }
}

/** Empty lists come as null, too. */
interface AggregatedList {
  kind: 'APIGroupDiscoveryList'
  items?: AggregatedGroup[] | null
}

interface AggregatedGroup {
  metadata?: { name?: string }
  versions?:
    | {
        version: string
        freshness?: string
        resources?: { resource: string; responseKind?: { kind: string } | null; scope: string; verbs?: string[] | null }[] | null
      }[]
    | null
}

interface PlainRoot {
  kind: 'APIVersions' | 'APIGroupList'
  versions?: string[]
  groups?: { name: string; versions: { version: string }[]; preferredVersion?: { version: string } }[]
}

async function get(client: Client, path: string, accept = 'application/json'): Promise<unknown> {
  const response: TransportResponse = await client.raw({ method: 'GET', path, headers: { accept } })
  if (response.status >= 400 || response.object === undefined) throw new Error(`discovery of ${path} failed with status ${response.status}`)
  return response.object
}

async function fromRoot(client: Client, root: unknown): Promise<Discovery> {
  const list = root as AggregatedList | PlainRoot
  if (list.kind === 'APIGroupDiscoveryList') return fromAggregated(list)
  const versions = (list.versions ?? []).map((version) => ({ group: '', version, path: `/api/${version}` }))
  const groups = (list.groups ?? []).map(({ name, versions: [first], preferredVersion }) => {
    const version = preferredVersion?.version ?? first?.version ?? ''
    return { group: name, version, path: `/apis/${name}/${version}` }
  })
  const parts = await Promise.all([...versions, ...groups].map((at) => fromGroupVersion(client, at)))
  return { resources: parts.flatMap((part) => part.resources), failed: parts.flatMap((part) => part.failed) }
}

function fromAggregated({ items }: AggregatedList): Discovery {
  const discovery: Discovery = { resources: [], failed: [] }
  for (const { metadata, versions } of items ?? []) {
    const group = metadata?.name ?? ''
    const found = new Set<string>()
    // Versions come in order of preference; a resource counts in the first that has it.
    for (const { version, resources, freshness } of versions ?? []) {
      if (freshness === 'Stale') discovery.failed.push({ groupVersion: `${group}/${version}`, message: `stale GroupVersion discovery: ${group}/${version}` })
      for (const { resource, responseKind, scope, verbs } of resources ?? []) {
        if (found.has(resource)) continue
        found.add(resource)
        discovery.resources.push({ group, version, kind: responseKind?.kind ?? '', plural: resource, namespaced: scope === 'Namespaced', verbs: verbs ?? [] })
      }
    }
  }
  return discovery
}

async function fromGroupVersion(client: Client, { group, version, path }: { group: string; version: string; path: string }): Promise<Discovery> {
  try {
    const list = (await get(client, path)) as { resources?: { name: string; kind: string; namespaced: boolean; verbs?: string[] | null }[] | null }
    const resources = (list.resources ?? []).filter(({ name }) => !name.includes('/'))
    return {
      resources: resources.map(({ name, kind, namespaced, verbs }) => ({ group, version, kind, plural: name, namespaced, verbs: verbs ?? [] })),
      failed: [],
    }
  } catch (error) {
    return {
      resources: [],
      failed: [{ groupVersion: group ? `${group}/${version}` : version, message: error instanceof Error ? error.message : String(error) }],
    }
  }
}
