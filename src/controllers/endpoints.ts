/** Keeps the Endpoints of each Service, for clients that do not know EndpointSlices. */

import { defineController, type ReconcileContext } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { Endpoints, Pod, Service } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { CoreV1EndpointPort, V1EndpointAddress, V1EndpointSubset, V1Endpoints, V1Pod, V1Service } from '../machinery/schema/generated/types.ts'
import { deepEqual } from './deep-equal.ts'
import { headlessLabel } from './endpoint-slice.ts'
import { isNamespaceEnding } from './pod-control.ts'
import { isReady } from './pod-state.ts'
import { backends, hasSelector, hostnameIn, isHeadless, servicesOf, targetPort } from './service-backends.ts'

const maxAddresses = 1000
const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity'
const managedByLabel = 'endpoints.kubernetes.io/managed-by'
const manager = 'endpoint-controller'

export const endpointsController: AnyController = defineController<V1Service>({
  name: 'endpoint-controller',
  reconciles: Service,
  watches: [
    { resource: Pod, keys: servicesOf },
    { resource: Endpoints, keys: ({ metadata }: V1Endpoints) => [`${metadata.namespace}/${metadata.name}`] },
  ],
  async reconcile(service, context) {
    const existing = context.cached(Endpoints, context.key)
    if (!service) {
      // Endpoints that users made for a Service without selector are theirs.
      if (existing?.metadata.labels?.[managedByLabel] === manager) await remove(existing, context)
      return
    }
    if (service.metadata.deletionTimestamp || !hasSelector(service)) return
    const { subsets, truncated } = limited(subsetsOf(service, context))
    const wanted = describe(service, existing, truncated)
    if (existing && deepEqual(existing.subsets ?? [], subsets) && deepEqual(existing.metadata.labels, wanted.labels)) {
      if (deepEqual(existing.metadata.annotations ?? {}, wanted.annotations)) return
    }
    try {
      const { name, namespace } = service.metadata
      if (existing) await context.client.update(Endpoints, { ...existing, metadata: { ...existing.metadata, ...wanted }, subsets })
      else await context.client.create(Endpoints, { metadata: { name, namespace, ...wanted }, subsets })
    } catch (error) {
      if (isNamespaceEnding(error)) return
      const [reason, doing] = existing ? ['FailedToUpdateEndpoint', 'update'] : ['FailedToCreateEndpoint', 'create']
      const message = error instanceof Error ? error.message : String(error)
      context.event(service, 'Warning', reason, `Failed to ${doing} endpoint ${context.key}: ${message}`)
      throw error
    }
  },
})

function describe(service: V1Service, existing: V1Endpoints | undefined, truncated: boolean) {
  const { [headlessLabel]: _, ...own } = service.metadata.labels ?? {}
  const labels: Record<string, string> = { ...own, [managedByLabel]: manager, ...(isHeadless(service) ? { [headlessLabel]: '' } : {}) }
  const { [overCapacityAnnotation]: __, ...others } = existing?.metadata.annotations ?? {}
  return { labels, annotations: truncated ? { ...others, [overCapacityAnnotation]: 'truncated' } : others }
}

function subsetsOf(service: V1Service, context: ReconcileContext): V1EndpointSubset[] {
  const groups = new Map<string, { ports: CoreV1EndpointPort[]; ready: V1EndpointAddress[]; notReady: V1EndpointAddress[] }>()
  for (const pod of backends(service, context)) {
    if (pod.metadata.deletionTimestamp && !service.spec.publishNotReadyAddresses) continue
    const ports = portsOf(service, pod)
    if (ports.length === 0 && (service.spec.ports ?? []).length > 0) continue
    const id = JSON.stringify(ports)
    const group = groups.get(id) ?? { ports, ready: [], notReady: [] }
    const list = service.spec.publishNotReadyAddresses || isReady(pod) ? group.ready : group.notReady
    list.push(addressOf(service, pod))
    groups.set(id, group)
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, ready, notReady }]) => ({
      ...(ready.length > 0 ? { addresses: ready.sort(byAddress) } : {}),
      ...(notReady.length > 0 ? { notReadyAddresses: notReady.sort(byAddress) } : {}),
      ...(ports.length > 0 ? { ports } : {}),
    }))
}

const byAddress = (a: V1EndpointAddress, b: V1EndpointAddress): number => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0)

function portsOf(service: V1Service, pod: V1Pod): CoreV1EndpointPort[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const number = targetPort(port, pod)
    if (number === undefined) return []
    const { name, protocol = 'TCP', appProtocol } = port
    return [{ ...(name ? { name } : {}), port: number, protocol, ...(appProtocol ? { appProtocol } : {}) }]
  })
}

function addressOf(service: V1Service, pod: V1Pod): V1EndpointAddress {
  const { namespace, name, uid } = pod.metadata
  const hostname = hostnameIn(service, pod)
  return {
    ip: pod.status?.podIP ?? '',
    ...(hostname ? { hostname } : {}),
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
  }
}

/** One object cannot hold any number; ready addresses go first. */
function limited(subsets: V1EndpointSubset[]): { subsets: V1EndpointSubset[]; truncated: boolean } {
  let room = maxAddresses
  let truncated = false
  const take = (addresses: V1EndpointAddress[] | undefined) => {
    const taken = addresses?.slice(0, room)
    truncated ||= (taken?.length ?? 0) < (addresses?.length ?? 0)
    room -= taken?.length ?? 0
    return taken?.length ? taken : undefined
  }
  const ready = subsets.map(({ addresses }) => take(addresses))
  const notReady = subsets.map(({ notReadyAddresses }) => take(notReadyAddresses))
  const cut = subsets.map((subset, index) => {
    const { addresses: _, notReadyAddresses: __, ...rest } = subset
    const [addresses, notReadyAddresses] = [ready[index], notReady[index]]
    return { ...(addresses ? { addresses } : {}), ...(notReadyAddresses ? { notReadyAddresses } : {}), ...rest }
  })
  return { subsets: cut.filter(({ addresses, notReadyAddresses }) => addresses || notReadyAddresses), truncated }
}

async function remove({ metadata }: V1Endpoints, { client }: ReconcileContext): Promise<void> {
  const { uid, name, namespace } = metadata
  try {
    await client.delete(Endpoints, { name, namespace }, { preconditions: { uid } })
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error
  }
}
