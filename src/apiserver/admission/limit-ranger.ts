/** LimitRanges: defaults for containers that say nothing, and bounds for containers, pods and claims. */
import { podUsage, type Usage, usageOf } from '../../apis/core/pod-usage.ts'
import { compareQuantities, quantity, toNumber } from '../../machinery/quantity.ts'
import type { V1Container, V1LimitRange, V1LimitRangeItem, V1PersistentVolumeClaim, V1Pod } from '../../machinery/schema/generated/types.ts'
import type { AdmissionAttributes, AdmissionPlugin, ServerAccess } from '../contracts.ts'
import { draftOf, isWriteOf, refused } from './refuse.ts'

/** What an item says against a usage, in upstream's words. */
function violations(item: V1LimitRangeItem, { requests, limits }: Usage): string[] {
  const errors: string[] = []
  const compare = (kind: 'minimum' | 'maximum', name: string, bound: string) => {
    const required = kind === 'minimum' ? 'request' : 'limit'
    const outside = (amount: string) => (kind === 'minimum' ? compareQuantities(amount, bound) < 0 : compareQuantities(amount, bound) > 0)
    const start = `${kind} ${name} usage per ${item.type} is ${bound}`
    const [first, second] = kind === 'minimum' ? ([requests, limits] as const) : ([limits, requests] as const)
    const other = required === 'request' ? 'limit' : 'request'
    const [own, beside] = [first[name], second[name]]
    // Claims only request.
    const single = item.type === 'PersistentVolumeClaim' ? beside : undefined
    if (own === undefined && single === undefined) errors.push(`${start}.  No ${required} is specified`)
    else if (own !== undefined && outside(own)) errors.push(`${start}, but ${required} is ${own}`)
    else if (beside !== undefined && outside(beside)) errors.push(`${start}, but ${other} is ${beside}`)
  }
  for (const [name, bound] of Object.entries(item.min ?? {})) compare('minimum', name, bound)
  for (const [name, bound] of Object.entries(item.max ?? {})) compare('maximum', name, bound)
  for (const [name, bound] of Object.entries(item.maxLimitRequestRatio ?? {})) {
    const [request, limit] = [requests[name], limits[name]]
    const start = `${name} max limit to request ratio per ${item.type} is ${bound}`
    if (request === undefined || toNumber(quantity(request)) === 0) errors.push(`${start}, but no request is specified or request is 0`)
    else if (limit === undefined || toNumber(quantity(limit)) === 0) errors.push(`${start}, but no limit is specified or limit is 0`)
    else {
      const ratio = toNumber(quantity(limit)) / toNumber(quantity(request))
      if (ratio > toNumber(quantity(bound))) errors.push(`${start}, but provided ratio is ${ratio.toFixed(6)}`)
    }
  }
  return errors
}

function applyDefaults(pod: V1Pod, items: V1LimitRangeItem[]): void {
  const said: string[] = []
  const fill = (container: V1Container, what: string) => {
    for (const item of items.filter(({ type }) => type === 'Container'))
      for (const [kind, defaults] of [
        ['requests', item.defaultRequest],
        ['limits', item.default],
      ] as const) {
        const missing = Object.entries(defaults ?? {}).filter(([name]) => container.resources?.[kind]?.[name] === undefined)
        if (missing.length === 0) continue
        container.resources = { ...container.resources, [kind]: { ...container.resources?.[kind], ...Object.fromEntries(missing) } }
        const names = missing.map(([name]) => name).sort()
        said.push(`${names.join(', ')} ${kind === 'requests' ? 'request' : 'limit'} for ${what} ${container.name}`)
      }
  }
  for (const container of pod.spec?.containers ?? []) fill(container, 'container')
  for (const container of pod.spec?.initContainers ?? []) fill(container, 'init container')
  if (said.length > 0) pod.metadata.annotations = { ...pod.metadata.annotations, 'kubernetes.io/limit-ranger': `LimitRanger plugin set: ${said.join('; ')}` }
}

export function limitRanger(server: ServerAccess): AdmissionPlugin {
  async function itemsOf(namespace: string): Promise<V1LimitRangeItem[]> {
    const ranges = [...(await server.cached('limitranges')).list(namespace)] as unknown as V1LimitRange[]
    return ranges.flatMap((range) => range.spec?.limits ?? [])
  }

  function check(attributes: AdmissionAttributes, items: V1LimitRangeItem[]): string[] {
    if (attributes.resource.plural === 'persistentvolumeclaims') {
      const requests = draftOf<V1PersistentVolumeClaim>(attributes).spec?.resources?.requests ?? {}
      return items.filter(({ type }) => type === 'PersistentVolumeClaim').flatMap((item) => violations(item, { requests, limits: {} }))
    }
    const { spec } = draftOf<V1Pod>(attributes)
    if (!spec) return []
    const containers = [...spec.containers, ...(spec.initContainers ?? [])]
    return items.flatMap((item) => {
      if (item.type === 'Container') return containers.flatMap((container) => violations(item, usageOf(container)))
      return item.type === 'Pod' ? violations(item, podUsage(spec)) : []
    })
  }

  return {
    name: 'LimitRanger',
    handles: (attributes) =>
      (attributes.verb === 'create' && isWriteOf(attributes, 'pods')) ||
      ((attributes.verb === 'create' || attributes.verb === 'update') && isWriteOf(attributes, 'persistentvolumeclaims')),
    async mutate(attributes) {
      if (attributes.resource.plural === 'pods') applyDefaults(draftOf<V1Pod>(attributes), await itemsOf(attributes.namespace))
    },
    async validate(attributes) {
      const errors = check(attributes, await itemsOf(attributes.namespace))
      if (errors.length > 0) throw refused(attributes, errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`)
    },
  }
}
