/** The older form of discovery: one document for each group and version. */
import type { Resource } from '../../apis/resource.ts'
import type { ForeignGroupVersion } from '../contracts.ts'
import { withForeign } from './foreign.ts'
import { groupVersions } from './group-order.ts'

const joined = (group: string, version: string) => (group ? `${group}/${version}` : version)
const sorted = (verbs: readonly string[]) => [...verbs].sort()

/** `/api`. The address is where the client already is: it may go on using it. */
export const coreVersions = (serverAddress: string) => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
})

interface Group {
  group: string
  versions: { version: string }[]
}

function apiGroup({ group, versions }: Group) {
  const told = versions.map(({ version }) => ({ groupVersion: joined(group, version), version }))
  return { name: group, versions: told, preferredVersion: told[0] }
}

const allGroups = (resources: readonly Resource[], foreign: readonly ForeignGroupVersion[]): Group[] =>
  withForeign<{ version: string }>(groupVersions(resources), foreign, ({ version }) => ({ version }))

/** `/apis`. */
export const groupList = (resources: readonly Resource[], foreign: readonly ForeignGroupVersion[] = []) => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: allGroups(resources, foreign)
    .filter(({ group }) => group !== '')
    .map(apiGroup),
})

/** `/apis/GROUP`; undefined when nothing of it is served. */
export function groupDocument(resources: readonly Resource[], group: string, foreign: readonly ForeignGroupVersion[] = []) {
  const of = <T extends { group: string }>(list: readonly T[]) => list.filter((one) => one.group === group)
  const [found] = allGroups(of(resources), of(foreign))
  return found && { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(found) }
}

function entries(resource: Resource) {
  const { plural, singular, namespaced, kind, shortNames, categories } = resource
  const main = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: sorted(resource.verbs),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
  }
  const below = resource.subresources.map((subresource) => ({
    name: `${plural}/${subresource.name}`,
    singularName: '',
    namespaced,
    ...(subresource.version ? { group: subresource.group ?? '', version: subresource.version } : {}),
    kind: subresource.kind ?? kind,
    verbs: sorted(subresource.verbs),
  }))
  return [main, ...below.sort((a, b) => (a.name < b.name ? -1 : 1))]
}

/** `/api/v1`, `/apis/GROUP/VERSION`; undefined when nothing of it is served. */
export function resourceList(resources: readonly Resource[], group: string, version: string) {
  const [found] = groupVersions(resources.filter((resource) => resource.group === group && resource.version === version))
  const list = found?.versions[0]?.resources
  return list && { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: joined(group, version), resources: list.flatMap(entries) }
}
