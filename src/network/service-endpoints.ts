import type { V1Endpoint, V1EndpointSlice, V1ServicePort } from '../machinery/schema/generated/types.ts'
import { parseAddress } from './cidr.ts'

/** Where one port of a Service is served. */
export interface ServiceEndpoint {
  address: string
  port: number
  nodeName: string | undefined
  ready: boolean
  /** Ready but for that it is ending: takes traffic only where nobody else can. */
  servingTerminating: boolean
  hostname: string | undefined
  /** The nodes and zones that it is meant for first; empty where the slice says none. */
  forNodes: readonly string[]
  forZones: readonly string[]
}

/** Where traffic comes from. */
export interface Place {
  nodeName: string
  zone: string | undefined
}

export const serviceNameLabel = 'kubernetes.io/service-name'

/** Key of the Service that a slice belongs to. */
export function serviceKeyOf(slice: V1EndpointSlice): string | undefined {
  const service = slice.metadata.labels?.[serviceNameLabel]
  return service ? `${slice.metadata.namespace}/${service}` : undefined
}

/**
 * The IPv4 endpoints of a port, each once, in order of their addresses. During a move from one slice to another
 * an endpoint may stand in both: the one that may take traffic counts.
 */
export function endpointsOf(port: Pick<V1ServicePort, 'name' | 'protocol'>, slices: readonly V1EndpointSlice[]): ServiceEndpoint[] {
  const found = new Map<string, ServiceEndpoint>()
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue
    const slicePort = slice.ports?.find((candidate) => (candidate.name ?? '') === (port.name ?? '') && protocolOf(candidate) === protocolOf(port))
    if (!slicePort?.port) continue
    for (const endpoint of slice.endpoints ?? []) {
      const address = endpoint.addresses[0]
      if (!address || parseAddress(address) === undefined) continue
      const key = `${address}:${slicePort.port}`
      const known = found.get(key)
      if (!known || (!known.ready && isReady(endpoint))) found.set(key, toEndpoint(endpoint, address, slicePort.port))
    }
  }
  return [...found.values()].sort((a, b) => (parseAddress(a.address) ?? 0) - (parseAddress(b.address) ?? 0) || a.port - b.port)
}

/** Those that take traffic: the ready ones, else those that still serve while they end. */
export function takingTraffic(endpoints: readonly ServiceEndpoint[]): ServiceEndpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready)
  return ready.length > 0 ? ready : endpoints.filter((endpoint) => endpoint.servingTerminating)
}

/**
 * Those that are meant for the place: of its node, else of its zone, else all. Hints count only where each ready endpoint
 * has them: slices that are being changed say no half of it.
 */
export function nearest(endpoints: readonly ServiceEndpoint[], { nodeName, zone }: Place): readonly ServiceEndpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready)
  const meant = (of: 'forNodes' | 'forZones', name: string) =>
    ready.every((endpoint) => endpoint[of].length > 0) ? ready.filter((endpoint) => endpoint[of].includes(name)) : []
  const here = meant('forNodes', nodeName)
  if (here.length > 0) return here
  const near = zone === undefined ? [] : meant('forZones', zone)
  return near.length > 0 ? near : endpoints
}

function protocolOf(port: { protocol?: string }): string {
  return port.protocol ?? 'TCP'
}

/** What is not said counts as ready, as the API defines it. */
function isReady(endpoint: V1Endpoint): boolean {
  return endpoint.conditions?.ready !== false
}

function toEndpoint(endpoint: V1Endpoint, address: string, port: number): ServiceEndpoint {
  const { serving, terminating } = endpoint.conditions ?? {}
  const ready = isReady(endpoint)
  return {
    address,
    port,
    nodeName: endpoint.nodeName,
    ready,
    servingTerminating: (serving ?? ready) && terminating === true,
    hostname: endpoint.hostname,
    forNodes: (endpoint.hints?.forNodes ?? []).map(({ name }) => name),
    forZones: (endpoint.hints?.forZones ?? []).map(({ name }) => name),
  }
}
