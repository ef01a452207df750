/** What others serve through this server, from all who know of some. */
import type { ForeignApis, ForeignGroupVersion } from '../contracts.ts'
import { compareVersions } from './group-order.ts'

export function allForeign(sources: readonly ForeignApis[]): ForeignApis {
  return {
    get generation() {
      return sources.reduce((sum, { generation }) => sum + generation, 0)
    },
    groupVersions: () => sources.flatMap((source) => source.groupVersions()),
    openApiPaths: () => Object.assign({}, ...sources.map((source) => source.openApiPaths())),
    openApiV2: () => sources.flatMap((source) => source.openApiV2()),
  }
}

export interface ForeignGroup {
  group: string
  /** Preferred first. */
  versions: ForeignGroupVersion[]
}

/** In the order of their priorities; of equal ones by name. */
export function foreignGroups(groupVersions: readonly ForeignGroupVersion[]): ForeignGroup[] {
  const groups = new Map<string, ForeignGroupVersion[]>()
  for (const one of groupVersions) groups.set(one.group, [...(groups.get(one.group) ?? []), one])
  const priority = (versions: ForeignGroupVersion[]) => Math.max(...versions.map(({ groupPriority }) => groupPriority))
  return [...groups]
    .sort(([a, of], [b, other]) => priority(other) - priority(of) || (a < b ? -1 : 1))
    .map(([group, versions]) => ({
      group,
      versions: versions.sort((a, b) => b.versionPriority - a.versionPriority || compareVersions(a.version, b.version)),
    }))
}

/** Own groups with the versions of them that others serve, then the groups that others serve alone. */
export function withForeign<V>(
  own: { group: string; versions: V[] }[],
  foreign: readonly ForeignGroupVersion[],
  version: (one: ForeignGroupVersion) => V,
): { group: string; versions: V[] }[] {
  const rest = new Map(foreignGroups(foreign).map((group) => [group.group, group.versions.map(version)]))
  const all = own.map(({ group, versions }) => {
    const more = rest.get(group) ?? []
    rest.delete(group)
    return { group, versions: [...versions, ...more] }
  })
  return [...all, ...[...rest].map(([group, versions]) => ({ group, versions }))]
}
