/** Tells on each ResourceQuota how much of it is used. What may be used is decided where it is asked for, by admission. */
import { amountsOf, scoped } from '../apis/core/quota-usage.ts'
import type { ResourceRef } from '../client/client.ts'
import { defineController, type ReconcileContext } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import * as builtIn from '../client/resources.ts'
import type { AnyObject, KubeObject } from '../machinery/object.ts'
import { addQuantities, formatQuantity } from '../machinery/quantity.ts'
import type { V1ResourceQuota } from '../machinery/schema/generated/types.ts'
import { deepEqual } from './deep-equal.ts'

const { ResourceQuota } = builtIn
/** For kinds that are not built in, whose changes nobody tells. */
const resyncSeconds = 300

const groupResource = ({ group, plural }: ResourceRef) => (group ? `${plural}.${group}` : plural)
/** Events come and go too quickly to be counted. */
const countable = (Object.values(builtIn) as unknown as ResourceRef[]).filter((resource) => resource.namespaced && resource.plural !== 'events')
const storageClassSuffix = '.storageclass.storage.k8s.io/'

/** The resource that an entry of a quota is about; undefined when it is not one that can be followed. */
export function resourceOf(entry: string): ResourceRef | undefined {
  const counted = entry.startsWith('count/') ? entry.slice('count/'.length) : undefined
  if (counted !== undefined) return countable.find((resource) => groupResource(resource) === counted)
  if (entry.includes(storageClassSuffix) || entry === 'requests.storage') return builtIn.PersistentVolumeClaim
  if (entry.startsWith('services')) return builtIn.Service
  return countable.find((resource) => resource.group === '' && resource.plural === entry) ?? builtIn.Pod
}

export const resourceQuotaController: AnyController = defineController<V1ResourceQuota>({
  name: 'resourcequota-controller',
  reconciles: ResourceQuota,
  watches: countable
    .filter((resource) => resource.plural !== ResourceQuota.plural)
    .map((resource) => ({
      resource: resource as ResourceRef<never>,
      keys: ({ metadata }: KubeObject, _previous: KubeObject | undefined, read: Pick<ReconcileContext, 'informer'>) =>
        read
          .informer(ResourceQuota)
          .inNamespace(metadata.namespace ?? '')
          .filter(({ spec }) => Object.keys(spec?.hard ?? {}).some((entry) => resourceOf(entry) === resource))
          .map((quota) => `${quota.metadata.namespace}/${quota.metadata.name}`),
    })),
  resyncSeconds,
  async reconcile(quota, context) {
    if (!quota || quota.metadata.deletionTimestamp) return
    const hard = quota.spec?.hard ?? {}
    const status = { hard, used: usedOf(quota, context) }
    if (!deepEqual(quota.status ?? {}, status)) await context.client.updateStatus(ResourceQuota, { ...quota, status })
  },
})

function usedOf({ metadata, spec = {} }: V1ResourceQuota, { informer }: ReconcileContext): Record<string, string> {
  const used: Record<string, string> = Object.fromEntries(Object.keys(spec.hard ?? {}).map((entry) => [entry, '0']))
  const resources = new Set(Object.keys(used).flatMap((entry) => resourceOf(entry) ?? []))
  for (const resource of resources) {
    for (const object of informer(resource).inNamespace(metadata.namespace ?? '') as AnyObject[]) {
      if (!scoped(resource.plural, object, spec)) continue
      for (const [entry, amount] of Object.entries(amountsOf(resource, object))) {
        const before = used[entry]
        if (before !== undefined) used[entry] = formatQuantity(addQuantities(before, amount))
      }
    }
  }
  return used
}
