/** GET of one object. */
import { notFound } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { Registry } from './registry.ts'
import { notOlderThan, parseResourceVersion } from './resource-version.ts'

export async function getObject(registry: Registry, namespace: string, name: string, resourceVersion: string | null): Promise<AnyObject> {
  const { storage, feed, resource } = registry
  if (resourceVersion === null || resourceVersion === '') {
    const current = await storage.current(namespace, name)
    if (!current) throw notFound(registry.about(name))
    return current.object
  }
  await storage.cache.ready()
  await notOlderThan(feed, parseResourceVersion(resourceVersion))
  const stored = storage.cache.get(resource.namespaced ? namespace : '', name)
  if (!stored) throw notFound(registry.about(name))
  return storage.fromStored(stored)
}
