/** Keeps the EndpointSlices of each Service: its pods' addresses, whether they are ready, and where they are. */

import { changeTimeAnnotation } from '../apis/discovery/endpoint-slice.ts'
import { defineController, type ReconcileContext } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { EndpointSlice, Node, Pod, Service } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { New } from '../machinery/object.ts'
import type { DiscoveryV1EndpointPort, V1Endpoint, V1EndpointSlice, V1Pod, V1Service } from '../machinery/schema/generated/types.ts'
import { deepEqual } from './deep-equal.ts'
import { addressKey, distribute } from './endpoint-distribution.ts'
import { hintsFor } from './endpoint-hints.ts'
import { EndpointSliceMetrics } from './endpoint-slice-metrics.ts'
import { controllerReference } from './owner-reference.ts'
import { isNamespaceEnding } from './pod-control.ts'
import { isReady, readyCondition } from './pod-state.ts'
import { backends, hasSelector, hostnameIn, isHeadless, servicesOf, targetPort } from './service-backends.ts'

export const serviceNameLabel = 'kubernetes.io/service-name'
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by'
export const headlessLabel = 'service.kubernetes.io/headless'
export const sliceManager = 'endpointslice-controller.k8s.io'

export const endpointSliceController: AnyController = defineController<V1Service>({
  name: 'endpoint-slice-controller',
  reconciles: Service,
  owns: [EndpointSlice],
  watches: [{ resource: Pod, keys: servicesOf }],
  reads: [Node],
  async reconcile(service, context) {
    // Slices of a Service that is gone go with their owner.
    if (!service || service.metadata.deletionTimestamp || !hasSelector(service)) return
    const metrics = new EndpointSliceMetrics(context.metrics)
    const existing = context.owned(EndpointSlice).filter(({ metadata }) => metadata.labels?.[managedByLabel] === sliceManager && !metadata.deletionTimestamp)
    const families = addressTypes(service)
    const plans = families.flatMap((family) => planFor(service, family, existing, context))
    const kept = new Set(plans.flatMap(({ slice }) => slice?.metadata.uid ?? []))
    try {
      const done = { created: 0, updated: 0 }
      for (const plan of plans) {
        const change = await write(service, plan, context)
        if (change) done[change]++
      }
      const surplus = existing.filter((slice) => !kept.has(slice.metadata.uid))
      for (const slice of surplus) await remove(slice, context)
      metrics.synced({ ...done, deleted: surplus.length, ...compared(existing, plans) })
    } catch (error) {
      if (isNamespaceEnding(error)) return
      metrics.failed()
      const message = error instanceof Error ? error.message : String(error)
      context.event(service, 'Warning', 'FailedToUpdateEndpointSlices', `Error updating Endpoint Slices for Service ${context.key}: ${message}`)
      throw error
    }
  },
})

type Family = 'IPv4' | 'IPv6'

/** A slice as it is to be; `slice` is the one that it is now. */
interface Plan {
  slice: V1EndpointSlice | undefined
  family: Family
  ports: DiscoveryV1EndpointPort[]
  endpoints: V1Endpoint[]
}

function addressTypes(service: V1Service): Family[] {
  const families = service.spec.ipFamilies as Family[] | undefined
  if (families?.length) return families
  return [service.spec.clusterIP?.includes(':') ? 'IPv6' : 'IPv4']
}

function planFor(service: V1Service, family: Family, existing: V1EndpointSlice[], context: ReconcileContext): Plan[] {
  // Pods may give different numbers to one name: those of the same numbers share slices.
  const groups = new Map<string, { ports: DiscoveryV1EndpointPort[]; endpoints: V1Endpoint[] }>()
  for (const pod of backends(service, context)) {
    const address = addressOf(pod, family)
    if (!address) continue
    const ports = portsOf(service, pod)
    const id = JSON.stringify(ports)
    const group = groups.get(id) ?? { ports, endpoints: [] }
    group.endpoints.push(endpointOf(service, pod, address, context))
    groups.set(id, group)
  }
  const slices = existing.filter(({ addressType }) => addressType === family)
  const plans = [...groups.values()].flatMap(({ ports, endpoints }) => {
    const same = slices.filter((slice) => deepEqual(normalPorts(slice.ports), ports))
    return distribute(same, endpoints).map((part) => ({ ...part, family, ports }))
  })
  if (plans.length > 0) return plans
  // One without endpoints tells that there are none, and not that nobody has looked yet.
  return [{ slice: slices[0], family, ports: [], endpoints: [] }]
}

function addressOf(pod: V1Pod, family: Family): string | undefined {
  const addresses = pod.status?.podIPs?.map(({ ip }) => ip) ?? [pod.status?.podIP]
  return addresses.find((ip) => ip && ip.includes(':') === (family === 'IPv6'))
}

function portsOf(service: V1Service, pod: V1Pod): DiscoveryV1EndpointPort[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const number = targetPort(port, pod)
    if (number === undefined) return []
    const { name = '', protocol = 'TCP', appProtocol } = port
    return [{ name, port: number, protocol, ...(appProtocol ? { appProtocol } : {}) }]
  })
}

const normalPorts = (ports: DiscoveryV1EndpointPort[] | undefined): DiscoveryV1EndpointPort[] =>
  (ports ?? []).map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({ name, port, protocol, ...(appProtocol ? { appProtocol } : {}) }))

function endpointOf(service: V1Service, pod: V1Pod, address: string, { cached }: ReconcileContext): V1Endpoint {
  const { namespace, name, uid, deletionTimestamp } = pod.metadata
  const serving = isReady(pod)
  const terminating = deletionTimestamp !== undefined
  const ready = service.spec.publishNotReadyAddresses || (serving && !terminating)
  const hostname = hostnameIn(service, pod)
  const { nodeName } = pod.spec
  const zone = nodeName ? cached(Node, nodeName)?.metadata.labels?.['topology.kubernetes.io/zone'] : undefined
  const hints = hintsFor({ ...(nodeName ? { nodeName } : {}), ...(zone ? { zone } : {}) }, service.spec.trafficDistribution)
  return {
    addresses: [address],
    conditions: { ready: Boolean(ready), serving, terminating },
    ...(hostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(zone ? { zone } : {}),
    ...(hints ? { hints } : {}),
  }
}

async function write(service: V1Service, plan: Plan, context: ReconcileContext): Promise<'created' | 'updated' | undefined> {
  const { slice, family, ports, endpoints } = plan
  const { client } = context
  const labels: Record<string, string> = { ...service.metadata.labels, [serviceNameLabel]: service.metadata.name, [managedByLabel]: sliceManager }
  if (isHeadless(service)) labels[headlessLabel] = ''
  else delete labels[headlessLabel]
  if (!slice) {
    const { name, namespace } = service.metadata
    const metadata = {
      generateName: `${name}-`,
      namespace,
      labels,
      ...triggered(undefined, changeTime(service, plan, context)),
      ownerReferences: [controllerReference(Service, service)],
    }
    const created: New<V1EndpointSlice> = { metadata, addressType: family, endpoints, ports }
    await client.create(EndpointSlice, created)
    return 'created'
  }
  const same = deepEqual(slice.metadata.labels, labels) && deepEqual(normalPorts(slice.ports), ports) && sameEndpoints(slice.endpoints ?? [], endpoints)
  if (same) return undefined
  await client.update(EndpointSlice, {
    ...slice,
    metadata: { ...slice.metadata, labels, ...triggered(slice.metadata.annotations, changeTime(service, plan, context)) },
    endpoints,
    ports,
  })
  return 'updated'
}

/** Endpoints that are new, and those that are gone. */
function compared(existing: readonly V1EndpointSlice[], plans: readonly Plan[]): { endpointsAdded: number; endpointsRemoved: number } {
  const before = new Set(existing.flatMap(({ endpoints = [] }) => endpoints.map(addressKey)))
  const now = new Set(plans.flatMap(({ endpoints }) => endpoints.map(addressKey)))
  return { endpointsAdded: [...now].filter((key) => !before.has(key)).length, endpointsRemoved: [...before].filter((key) => !now.has(key)).length }
}

/** When the first pod became what the slice now says of it, or the Service was made; undefined where only something went. */
function changeTime(service: V1Service, { slice, endpoints }: Plan, { cached }: ReconcileContext): number | undefined {
  const before = new Map((slice?.endpoints ?? []).map((endpoint) => [addressKey(endpoint), endpoint]))
  const times = endpoints
    .filter((endpoint) => !deepEqual(before.get(addressKey(endpoint)), endpoint))
    .flatMap(({ targetRef }) => cached(Pod, `${targetRef?.namespace}/${targetRef?.name}`) ?? [])
    .map((pod) => Date.parse(readyCondition(pod)?.lastTransitionTime ?? ''))
  if (!slice && endpoints.length === 0) times.push(Date.parse(service.metadata.creationTimestamp))
  const known = times.filter((time) => !Number.isNaN(time))
  return known.length === 0 ? undefined : Math.min(...known)
}

function triggered(annotations: Record<string, string> | undefined, at: number | undefined): { annotations?: Record<string, string> } {
  const { [changeTimeAnnotation]: _, ...others } = annotations ?? {}
  const all = { ...others, ...(at === undefined ? {} : { [changeTimeAnnotation]: new Date(at).toISOString() }) }
  return annotations || Object.keys(all).length > 0 ? { annotations: all } : {}
}

function sameEndpoints(a: V1Endpoint[], b: V1Endpoint[]): boolean {
  if (a.length !== b.length) return false
  const byAddress = new Map(a.map((endpoint) => [addressKey(endpoint), endpoint]))
  return b.every((endpoint) => deepEqual(byAddress.get(addressKey(endpoint)), endpoint))
}

async function remove({ metadata }: V1EndpointSlice, { client }: ReconcileContext): Promise<void> {
  try {
    await client.delete(EndpointSlice, metadata)
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error
  }
}
