/** Empties a namespace that is being deleted, whatever kinds of objects it holds, and lets it go when it is empty. */
import type { Client } from '../client/client.ts'
import { defineController } from '../client/controller.ts'
import { type DiscoveredResource, discover } from '../client/discovery.ts'
import { Namespace } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { AnyObject } from '../machinery/object.ts'
import type { V1Namespace, V1Pod } from '../machinery/schema/generated/types.ts'
import { deepEqual } from './deep-equal.ts'
import { namespaceConditions, type Remains } from './namespace-conditions.ts'

const finalizer = 'kubernetes'

export const namespaceController = defineController<V1Namespace>({
  name: 'namespace-controller',
  reconciles: Namespace,
  workers: 10,
  async reconcile(namespace, { client, clock }) {
    if (!namespace?.metadata.deletionTimestamp || !namespace.spec.finalizers?.includes(finalizer)) return
    // The cache may be late: what is done here cannot be undone.
    const current = await client.find(Namespace, { name: namespace.metadata.name })
    if (current?.metadata.uid !== namespace.metadata.uid || !current.spec.finalizers?.includes(finalizer)) return
    const remains = await empty(client, namespace.metadata.name, clock.now())
    const conditions = namespaceConditions(current.status?.conditions ?? [], remains, clock.now())
    const status = { ...current.status, phase: 'Terminating', conditions }
    const latest = deepEqual(status, current.status) ? current : await client.updateStatus(Namespace, { ...current, status })
    if (remains.failed.length > 0 || remains.errors.length > 0) throw new Error([...remains.failed, ...remains.errors].join('; '))
    if (remains.counts.size > 0) return { again: remains.waitMs }
    await finalize(client, latest)
    return
  },
})

async function finalize(client: Client, namespace: V1Namespace): Promise<void> {
  const finalizers = (namespace.spec.finalizers ?? []).filter((name) => name !== finalizer)
  try {
    await client.subresource(Namespace, namespace.metadata, 'finalize', 'update', { ...namespace, spec: { ...namespace.spec, finalizers } })
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error
  }
}

/** Deletes what is in the namespace and says what is still there. Pods go first: they may need the rest to end well. */
async function empty(client: Client, namespace: string, now: number): Promise<Remains> {
  const { resources, failed } = await discover(client)
  const remains: Remains = {
    failed: failed.map(({ groupVersion, message }) => `${groupVersion}: ${message}`),
    errors: [],
    counts: new Map(),
    finalizers: new Map(),
    waitMs: 0,
  }
  const deletable = resources.filter(({ namespaced, verbs }) => namespaced && verbs.includes('delete') && verbs.includes('list'))
  const pods = deletable.filter(({ group, plural }) => group === '' && plural === 'pods')
  const others = deletable.filter((resource) => !pods.includes(resource))
  for (const stage of [pods, others]) {
    await Promise.all(stage.map((resource) => emptyOf(client, resource, namespace, remains, now)))
    if (remains.counts.size > 0) break
  }
  return remains
}

async function emptyOf(client: Client, resource: DiscoveredResource, namespace: string, remains: Remains, now: number): Promise<void> {
  const name = resource.group ? `${resource.plural}.${resource.group}` : resource.plural
  try {
    const before = await client.list(resource, { namespace })
    if (before.items.length === 0) return
    await deleteAll(client, resource, namespace, before.items)
    const { items } = await client.list(resource, { namespace })
    if (items.length === 0) return
    remains.counts.set(name, items.length)
    for (const item of items) {
      for (const held of item.metadata.finalizers ?? []) remains.finalizers.set(held, (remains.finalizers.get(held) ?? 0) + 1)
      remains.waitMs = Math.max(remains.waitMs, expectedWait(item, now))
    }
  } catch (error) {
    // The kind went while we were at it.
    if (isApiError(error, 'NotFound') || isApiError(error, 'MethodNotAllowed')) return
    remains.errors.push(error instanceof Error ? error.message : String(error))
  }
}

async function deleteAll(client: Client, resource: DiscoveredResource, namespace: string, items: AnyObject[]): Promise<void> {
  if (resource.verbs.includes('deletecollection')) {
    await client.deleteCollection(resource, { namespace }, { propagationPolicy: 'Background' })
    return
  }
  for (const { metadata } of items) {
    try {
      await client.delete(resource, { namespace, name: metadata.name }, { propagationPolicy: 'Background' })
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error
    }
  }
}

/** Looks again soon; for what ends gracefully, upstream halves what is left of its time. */
function expectedWait(item: AnyObject, now: number): number {
  const { deletionTimestamp } = item.metadata
  const isPod = item.kind === 'Pod' && ((item as unknown as V1Pod).status?.phase ?? 'Pending') !== 'Pending'
  const left = isPod && deletionTimestamp ? Math.max(0, Date.parse(deletionTimestamp) - now) : 0
  return Math.min(left / 2 + 500, 5000)
}
