/**
 * Objects that every cluster has from its first moment: the system's namespaces, the `kubernetes` Service and where
 * it leads, the priority classes of the system, the Service range, and how extension API servers know their callers.
 */
import { isApiError } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { ServerAccess, ServerPart, ServerPartFactory } from '../contracts.ts'
import { internalRequest, pathOf } from '../internal-request.ts'
import { clientAuthentication, kubernetesEndpointSlice, kubernetesEndpoints, kubernetesService, serviceCidr, systemPriorityClasses } from './objects.ts'

export interface BootstrapOptions {
  /** First range is that of the `kubernetes` Service, whose address is the first of it. */
  serviceCidrs?: string[]
  /** Where the API server is reached from within the cluster; absent: the Service leads nowhere yet. */
  advertise?: { address: string; port: number }
  /** PEM. */
  clientCa: string
  frontProxyCa: string
}

export const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'] as const

/** Creates; or brings the fields that count to what they should be, leaving the rest of what is stored. */
async function ensure(server: ServerAccess, groupResource: string, wanted: Omit<AnyObject, 'metadata'> & { metadata: { name: string; namespace?: string } }) {
  const [plural = '', ...rest] = groupResource.split('.')
  const group = rest.join('.')
  const at = { group, version: 'v1', plural }
  const { name, namespace = '' } = wanted.metadata
  const stored = (await server.cached(groupResource)).get(namespace, name)
  try {
    if (!stored) await internalRequest(server, 'POST', pathOf(at, namespace), wanted)
    else if (!holds(stored, wanted)) await internalRequest(server, 'PUT', pathOf(at, namespace, name), merged(stored, wanted))
  } catch (error) {
    // Another server of the cluster was first.
    if (!isApiError(error, 'AlreadyExists') && !isApiError(error, 'Conflict')) throw error
  }
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether all that is wanted stands in what is stored; lists must be the same. */
function holds(stored: unknown, wanted: unknown): boolean {
  if (isMap(wanted)) return isMap(stored) && Object.entries(wanted).every(([key, value]) => value === undefined || holds(stored[key], value))
  if (Array.isArray(wanted)) return Array.isArray(stored) && stored.length === wanted.length && wanted.every((value, index) => holds(stored[index], value))
  return stored === wanted
}

function merged<T>(stored: T, wanted: unknown): T {
  if (!isMap(stored) || !isMap(wanted)) return wanted as T
  const result: Record<string, unknown> = { ...stored }
  for (const [key, value] of Object.entries(wanted)) if (value !== undefined) result[key] = merged(result[key], value)
  return result as T
}

export function bootstrap(options: BootstrapOptions): ServerPartFactory {
  return (server): ServerPart => ({
    name: 'bootstrap',
    async start() {
      const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'kubernetes.io/metadata.name': name } } })
      await Promise.all(systemNamespaces.map((name) => ensure(server, 'namespaces', namespace(name))))
      const cidrs = options.serviceCidrs ?? ['10.96.0.0/16']
      await Promise.all([
        ensure(server, 'servicecidrs.networking.k8s.io', serviceCidr(cidrs)),
        ...systemPriorityClasses.map((one) => ensure(server, 'priorityclasses.scheduling.k8s.io', one)),
        ensure(server, 'configmaps', clientAuthentication(options)),
      ])
      const { advertise } = options
      await ensure(server, 'services', kubernetesService(cidrs, advertise?.port ?? 6443))
      if (advertise) {
        await ensure(server, 'endpoints', kubernetesEndpoints(advertise))
        await ensure(server, 'endpointslices.discovery.k8s.io', kubernetesEndpointSlice(advertise))
      }
    },
  })
}
