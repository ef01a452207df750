/** In which order groups and versions are told: clients that look for a kind by name alone take the first. */
import type { Resource } from '../../apis/resource.ts'

/** As upstream's priorities put them; groups that are not here (custom ones) follow by name. */
const groups = [
  '',
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'resource.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'storagemigration.k8s.io',
]
const rank = new Map(groups.map((group, index) => [group, index]))

/** Stable before beta before alpha, higher before lower; names of another form come last, by name. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [versionRank(a), versionRank(b)]
  if (!x || !y) return x ? -1 : y ? 1 : a < b ? -1 : a > b ? 1 : 0
  return y.stage - x.stage || y.major - x.major || y.minor - x.minor
}

function versionRank(version: string): { stage: number; major: number; minor: number } | undefined {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  if (!match) return undefined
  return { stage: match[2] === 'alpha' ? 0 : match[2] === 'beta' ? 1 : 2, major: Number(match[1]), minor: Number(match[3] ?? 0) }
}

export interface GroupVersions {
  group: string
  /** Preferred first. */
  versions: { version: string; resources: Resource[] }[]
}

/** The served resources by group and version, in the order of discovery; resources by name. */
export function groupVersions(resources: readonly Resource[]): GroupVersions[] {
  const found = new Map<string, Map<string, Resource[]>>()
  for (const resource of resources) {
    const versions = found.get(resource.group) ?? new Map<string, Resource[]>()
    found.set(resource.group, versions)
    versions.set(resource.version, [...(versions.get(resource.version) ?? []), resource])
  }
  const place = (group: string) => rank.get(group) ?? groups.length
  return [...found]
    .sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1))
    .map(([group, versions]) => ({
      group,
      versions: [...versions]
        .sort(([a], [b]) => compareVersions(a, b))
        .map(([version, list]) => ({ version, resources: list.sort((a, b) => (a.plural < b.plural ? -1 : 1)) })),
    }))
}
