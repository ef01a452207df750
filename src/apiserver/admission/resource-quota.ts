/**
 * Refuses what would take more than a quota of the namespace leaves. What is used is counted from the objects that
 * are there and from those that were just let through, so that many creates at once do not slip by together.
 */

import type { Amounts } from '../../apis/core/pod-usage.ts'
import { amountsOf, scoped } from '../../apis/core/quota-usage.ts'
import type { AnyObject } from '../../machinery/object.ts'
import { addQuantities, compareQuantities, formatQuantity } from '../../machinery/quantity.ts'
import type { V1Pod, V1ResourceQuota } from '../../machinery/schema/generated/types.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type CachedObjects, groupResource, type ServerAccess } from '../contracts.ts'
import { Reservations } from './quota-reservations.ts'
import { draftOf, refused } from './refuse.ts'

const listed = (amounts: Amounts) =>
  Object.entries(amounts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, amount]) => `${name}=${amount}`)
    .join(',')

/** Compute resources that a quota bounds must be said by every container: else nothing could be counted. */
function unsaid(pod: V1Pod, hard: Amounts): string[] {
  const missing: string[] = []
  for (const bounded of Object.keys(hard).sort()) {
    const match = /^(?:(requests|limits)\.)?(cpu|memory)$/.exec(bounded)
    if (!match) continue
    const [kind, name] = [(match[1] ?? 'requests') as 'requests' | 'limits', match[2] ?? '']
    const without = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].filter(({ resources }) => resources?.[kind]?.[name] === undefined)
    if (without.length > 0) missing.push(`${bounded} for: ${without.map((container) => container.name).join(',')}`)
  }
  return missing
}

export function resourceQuota(server: ServerAccess): AdmissionPlugin {
  const reservations = new Reservations(server.clock)

  function used(attributes: AdmissionAttributes, stored: CachedObjects, quota: V1ResourceQuota, names: string[]): Amounts {
    const { resource, namespace } = attributes
    const waiting = reservations.of(resource).filter(({ metadata }) => metadata.namespace === namespace && !stored.get(namespace, metadata.name))
    const total: Amounts = Object.fromEntries(names.map((name) => [name, '0']))
    for (const object of [...stored.list(namespace), ...waiting]) {
      if (attributes.verb === 'update' && object.metadata.name === attributes.name) continue
      if (!scoped(resource.plural, object, quota.spec ?? {})) continue
      const amounts = amountsOf(resource, object)
      for (const name of names) if (amounts[name] !== undefined) total[name] = formatQuantity(addQuantities(total[name] ?? '0', amounts[name]))
    }
    return total
  }

  function check(attributes: AdmissionAttributes, stored: CachedObjects, object: AnyObject, quota: V1ResourceQuota): boolean {
    const hard = (quota.spec?.hard ?? {}) as Amounts
    const { resource } = attributes
    if (!scoped(resource.plural, object, quota.spec ?? {})) return false
    if (resource.plural === 'pods' && attributes.verb === 'create') {
      const missing = unsaid(object as unknown as V1Pod, hard)
      if (missing.length > 0) throw refused(attributes, `failed quota: ${quota.metadata.name}: must specify ${missing.join('; ')}`)
    }
    const asked = amountsOf(resource, object)
    const before = attributes.old ? amountsOf(resource, attributes.old) : {}
    const names = Object.keys(hard).filter((name) => asked[name] !== undefined && compareQuantities(asked[name], before[name] ?? '0') > 0)
    if (names.length === 0) return false
    const total = used(attributes, stored, quota, names)
    const over = names.filter((name) => compareQuantities(addQuantities(total[name] ?? '0', asked[name] ?? '0'), hard[name] ?? '0') > 0)
    if (over.length > 0) {
      const only = (amounts: Amounts) => listed(Object.fromEntries(over.map((name) => [name, amounts[name] ?? '0'])))
      throw refused(attributes, `exceeded quota: ${quota.metadata.name}, requested: ${only(asked)}, used: ${only(total)}, limited: ${only(hard)}`)
    }
    return true
  }

  return {
    name: 'ResourceQuota',
    handles: ({ verb, namespace, subresource, resource }) =>
      namespace !== '' &&
      subresource === '' &&
      !resource.virtual &&
      (verb === 'create' || (verb === 'update' && resource.group === '' && ['services', 'persistentvolumeclaims'].includes(resource.plural))),
    async validate(attributes) {
      const quotas = [...(await server.cached('resourcequotas')).list(attributes.namespace)] as unknown as V1ResourceQuota[]
      if (quotas.length === 0) return
      const stored = await server.cached(groupResource(attributes.resource))
      const object = draftOf<AnyObject>(attributes)
      // Nothing is awaited from here: what is let through counts for the next one.
      let counted = false
      for (const quota of quotas) counted = check(attributes, stored, object, quota) || counted
      if (!counted || attributes.dryRun || attributes.verb !== 'create') return
      reservations.add(attributes.resource, object, stored)
    },
  }
}
