/** EndpointSlices of Endpoints that users keep for Services without selector, for clients that read slices alone. */
import { changeTimeAnnotation } from '../apis/discovery/endpoint-slice.ts'
import { defineController, type ReconcileContext } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { EndpointSlice, Endpoints, Service } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { New } from '../machinery/object.ts'
import type { V1Endpoint, V1EndpointAddress, V1EndpointSlice, V1EndpointSubset, V1Endpoints, V1Service } from '../machinery/schema/generated/types.ts'
import { deepEqual } from './deep-equal.ts'
import { managedByLabel, serviceNameLabel } from './endpoint-slice.ts'
import { controllerReference } from './owner-reference.ts'
import { isNamespaceEnding } from './pod-control.ts'
import { hasSelector } from './service-backends.ts'

const manager = 'endpointslicemirroring-controller.k8s.io'
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror'
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader'
const ownAnnotations = [changeTimeAnnotation, 'kubectl.kubernetes.io/last-applied-configuration']
/** Addresses of a subset beyond that are left out, as in upstream. */
const maxEndpoints = 1000

export const endpointSliceMirroring: AnyController = defineController<V1Endpoints>({
  name: 'endpointslicemirroring-controller',
  reconciles: Endpoints,
  owns: [EndpointSlice],
  watches: [{ resource: Service, keys: ({ metadata }: V1Service) => [`${metadata.namespace}/${metadata.name}`] }],
  async reconcile(endpoints, context) {
    // Slices of Endpoints that are gone go with their owner.
    if (!endpoints || endpoints.metadata.deletionTimestamp) return
    const existing = context.owned(EndpointSlice).filter(({ metadata }) => metadata.labels?.[managedByLabel] === manager && !metadata.deletionTimestamp)
    const wanted = isMirrored(endpoints, context) ? slicesOf(endpoints) : []
    const left = [...existing]
    try {
      for (const slice of wanted) {
        const same = left.findIndex((one) => one.addressType === slice.addressType && deepEqual(one.ports ?? [], slice.ports))
        const at = same >= 0 ? same : left.findIndex((one) => one.addressType === slice.addressType)
        const [found] = at >= 0 ? left.splice(at, 1) : []
        await write(found, slice, context)
      }
      for (const slice of left) await remove(slice, context)
    } catch (error) {
      if (!isNamespaceEnding(error)) throw error
    }
  },
})

function isMirrored({ metadata }: V1Endpoints, { cached, key }: ReconcileContext): boolean {
  if (metadata.labels?.[skipLabel] === 'true' || metadata.annotations?.[leaderAnnotation] !== undefined) return false
  const service = cached(Service, key)
  return service !== undefined && !hasSelector(service)
}

function slicesOf(endpoints: V1Endpoints): New<V1EndpointSlice>[] {
  const { name, namespace, labels, annotations } = endpoints.metadata
  const carried = Object.fromEntries(Object.entries(annotations ?? {}).filter(([annotation]) => !ownAnnotations.includes(annotation)))
  const metadata = {
    generateName: `${name}-`,
    namespace,
    labels: { ...labels, [serviceNameLabel]: name, [managedByLabel]: manager },
    ...(Object.keys(carried).length > 0 ? { annotations: carried } : {}),
    ownerReferences: [controllerReference(Endpoints, endpoints)],
  }
  return (endpoints.subsets ?? []).flatMap((subset) =>
    (['IPv4', 'IPv6'] as const).flatMap((addressType) => {
      const found = endpointsOf(subset, addressType === 'IPv6')
      if (found.length === 0) return []
      const ports = (subset.ports ?? []).map(({ name: port = '', protocol = 'TCP', port: number, appProtocol }) => ({
        name: port,
        port: number,
        protocol,
        ...(appProtocol ? { appProtocol } : {}),
      }))
      return [{ metadata, addressType, ports, endpoints: found }]
    }),
  )
}

function endpointsOf({ addresses = [], notReadyAddresses = [] }: V1EndpointSubset, isVersion6: boolean): V1Endpoint[] {
  const of = (list: V1EndpointAddress[], ready: boolean) =>
    list
      .filter(({ ip }) => ip.includes(':') === isVersion6)
      .map(({ ip, hostname, nodeName, targetRef }) => ({
        addresses: [ip],
        conditions: { ready },
        ...(hostname ? { hostname } : {}),
        ...(nodeName ? { nodeName } : {}),
        ...(targetRef ? { targetRef } : {}),
      }))
  return [...of(addresses, true), ...of(notReadyAddresses, false)].slice(0, maxEndpoints)
}

async function write(found: V1EndpointSlice | undefined, wanted: New<V1EndpointSlice>, { client }: ReconcileContext): Promise<void> {
  if (!found) {
    await client.create(EndpointSlice, wanted)
    return
  }
  const { labels, annotations = {} } = wanted.metadata
  const isSame =
    deepEqual(found.endpoints, wanted.endpoints) &&
    deepEqual(found.ports ?? [], wanted.ports) &&
    deepEqual(found.metadata.labels, labels) &&
    deepEqual(found.metadata.annotations ?? {}, annotations)
  if (isSame) return
  await client.update(EndpointSlice, { ...found, metadata: { ...found.metadata, labels, annotations }, ports: wanted.ports, endpoints: wanted.endpoints })
}

async function remove({ metadata }: V1EndpointSlice, { client }: ReconcileContext): Promise<void> {
  try {
    await client.delete(EndpointSlice, metadata, { preconditions: { uid: metadata.uid } })
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error
  }
}
