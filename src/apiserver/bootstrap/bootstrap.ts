/**
 * Objects that every cluster has from its first moment: the system's namespaces, the `kubernetes` Service and where
 * it leads, the priority classes of the system, the Service range, and how extension API servers know their callers.
 */
import type { ServerPart, ServerPartFactory } from '../contracts.ts'
import { ensure } from './ensure.ts'
import { clientAuthentication, kubernetesEndpointSlice, kubernetesEndpoints, kubernetesService, serviceCidr, systemPriorityClasses } from './objects.ts'
import { ensureSystemNamespaces } from './system-namespaces.ts'

export interface BootstrapOptions {
  /** First range is that of the `kubernetes` Service, whose address is the first of it. */
  serviceCidrs?: string[]
  /** Where the API server is reached from within the cluster; absent: the Service leads nowhere yet. */
  advertise?: { address: string; port: number }
  /** PEM. */
  clientCa: string
  frontProxyCa: string
}

export function bootstrap(options: BootstrapOptions): ServerPartFactory {
  return (server): ServerPart => ({
    name: 'bootstrap',
    async start() {
      await ensureSystemNamespaces(server)
      const cidrs = options.serviceCidrs ?? ['10.96.0.0/12']
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
