import type { Name, ResourceRef } from './client.ts'

/** `/api/v1/namespaces/default/pods/x/status`. Without a namespace: the resource in all of them. */
export function resourcePath(resource: ResourceRef, at: Partial<Name> = {}, subresource?: string): string {
  const parts = resource.group === '' ? ['', 'api', resource.version] : ['', 'apis', resource.group, resource.version]
  if (resource.namespaced && at.namespace) parts.push('namespaces', encodeURIComponent(at.namespace))
  parts.push(resource.plural)
  if (at.name !== undefined) parts.push(encodeURIComponent(at.name))
  if (subresource) parts.push(subresource)
  return parts.join('/')
}

export const apiVersionOf = (resource: ResourceRef): string => (resource.group === '' ? resource.version : `${resource.group}/${resource.version}`)
