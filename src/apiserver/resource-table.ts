/** The resources that a server serves, found by name and by kind. */
import type { Resource } from '../apis/resource.ts'
import type { ResourceTable } from './contracts.ts'

export function createResourceTable(initial: readonly Resource[]): ResourceTable {
  const byName = new Map<string, Resource>()
  const byKind = new Map<string, Resource>()
  const handlers = new Set<() => void>()
  let generation = 0
  let list: readonly Resource[] | undefined
  const newest = new Map<string, Resource | undefined>()

  const changed = () => {
    generation++
    list = undefined
    newest.clear()
    for (const handler of handlers) handler()
  }
  const put = (resource: Resource) => {
    byName.set(`${resource.group}/${resource.version}/${resource.plural}`, resource)
    byKind.set(`${resource.group}/${resource.version}/${resource.kind}`, resource)
  }
  for (const resource of initial) put(resource)

  return {
    all() {
      list ??= [...byName.values()]
      return list
    },
    get: (group, version, plural) => byName.get(`${group}/${version}/${plural}`),
    byKind: (group, version, kind) => byKind.get(`${group}/${version}/${kind}`),
    preferred(group, plural) {
      // Asked for with every request.
      const name = `${group}/${plural}`
      if (!newest.has(name)) {
        const versions = this.all().filter((resource) => resource.group === group && resource.plural === plural)
        newest.set(name, versions.sort((a, b) => comparePriority(b.version, a.version))[0])
      }
      return newest.get(name)
    },
    add(resource) {
      put(resource)
      changed()
    },
    remove(group, version, plural) {
      const resource = byName.get(`${group}/${version}/${plural}`)
      if (!resource) return
      byName.delete(`${group}/${version}/${plural}`)
      byKind.delete(`${group}/${version}/${resource.kind}`)
      changed()
    },
    get generation() {
      return generation
    },
    onChange(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
  }
}

/** Stable before beta before alpha, then the higher number. */
function comparePriority(a: string, b: string): number {
  const [stageA, majorA, minorA] = parseVersion(a)
  const [stageB, majorB, minorB] = parseVersion(b)
  return stageA - stageB || majorA - majorB || minorA - minorB
}

function parseVersion(version: string): [number, number, number] {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  if (!match) return [-1, 0, 0]
  return [match[2] === 'alpha' ? 0 : match[2] === 'beta' ? 1 : 2, Number(match[1]), Number(match[3] ?? 0)]
}
