/** The newer form of discovery: all groups, or the core group, in one document (`apidiscovery.k8s.io`). */
import type { Resource, Subresource } from '../../apis/resource.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { ForeignGroupVersion } from '../contracts.ts'
import { withForeign } from './foreign.ts'
import { groupVersions } from './group-order.ts'

/** Asked for by its `Accept` header; undefined when the client does not know it or prefers another. */
export function aggregatedVersion(accept: string | undefined): 'v2' | 'v2beta1' | undefined {
  for (const part of (accept ?? '').split(',')) {
    const [type, ...parameters] = part.split(';').map((one) => one.trim())
    if (type !== 'application/json' && type !== 'application/*' && type !== '*/*') continue
    const named = new Map(parameters.map((one) => one.split('=', 2) as [string, string]))
    if (named.get('g') !== 'apidiscovery.k8s.io') {
      if (named.has('as')) continue
      return undefined
    }
    const version = named.get('v')
    if (named.get('as') === 'APIGroupDiscoveryList' && (version === 'v2' || version === 'v2beta1')) return version
  }
  return undefined
}

export const aggregatedContentType = (version: string) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`

/** The group and version of a kind are told where they are not those of the list they stand in. */
const responseKind = (kind: string, group = '', version = '') => ({ group, version, kind })

function subresource(resource: Resource, { name, kind, group, version, verbs }: Subresource<KubeObject>) {
  return { subresource: name, responseKind: responseKind(kind ?? resource.kind, group, version), verbs: [...verbs].sort() }
}

function entry(resource: Resource) {
  const { plural, singular, namespaced, kind, shortNames, categories, subresources } = resource
  return {
    resource: plural,
    responseKind: responseKind(kind),
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: [...resource.verbs].sort(),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(subresources.length > 0
      ? { subresources: subresources.map((one) => subresource(resource, one)).sort((a, b) => (a.subresource < b.subresource ? -1 : 1)) }
      : {}),
  }
}

/** `/api` tells the core group, `/apis` the others. */
export function aggregated(resources: readonly Resource[], of: 'core' | 'groups', version: 'v2' | 'v2beta1', foreign: readonly ForeignGroupVersion[] = []) {
  const served = resources.filter((resource) => (resource.group === '') === (of === 'core'))
  const own = groupVersions(served).map(({ group, versions }) => ({
    group,
    versions: versions.map((one) => ({ version: one.version, resources: one.resources.map((resource): unknown => entry(resource)), freshness: 'Current' })),
  }))
  const all = withForeign(own, of === 'core' ? [] : foreign, (one) => ({
    version: one.version,
    resources: [...one.resources],
    freshness: one.fresh ? 'Current' : 'Stale',
  }))
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: all.map(({ group, versions }) => ({ metadata: { ...(group ? { name: group } : {}), creationTimestamp: null }, versions })),
  }
}
