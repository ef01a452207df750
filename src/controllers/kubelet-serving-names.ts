/**
 * Which names a kubelet may have certified for its server. A certificate for a name is the right to be taken for it, by
 * everybody who trusts the cluster's authority; upstream therefore leaves these requests to a person. Here they are
 * approved where
 * - the node `X` asks for itself: requestor and common name are both `system:node:X`;
 * - every IP is among the addresses of Node X's status (any type), and among those of no other Node, and is not
 *   a Service's cluster IP, not where the API server is reached, and not a loopback address;
 * - every DNS name is X itself or one of its status addresses of the types Hostname, InternalDNS and ExternalDNS, and none
 *   by which the API server or a Service is called (`localhost`, `kubernetes`, `kubernetes.default`, `*.svc`, `*.svc.*`).
 *
 * A node writes its own status, so it can claim an address that nobody has: then it is certified for that. What it cannot
 * have is the name of something else in the cluster. What is not approved waits for `kubectl certificate approve`.
 */
import { isIPv6, SocketAddress } from 'node:net'
import type { V1EndpointSlice, V1Node, V1Service } from '../machinery/schema/generated/types.ts'
import type { RequestedSubject } from './certificate-rules.ts'

export interface ClusterNames {
  /** All of them; the requestor's among them, once it is there. */
  nodes: readonly V1Node[]
  services: readonly V1Service[]
  endpointSlices: readonly V1EndpointSlice[]
}

const dnsTypes = ['Hostname', 'InternalDNS', 'ExternalDNS']
const addressesOf = ({ status }: V1Node) => status?.addresses ?? []

const isSpokenFor = (dnsName: string) => /^(localhost|kubernetes|kubernetes\.default|(.+\.)?svc(\..+)?)\.?$/i.test(dnsName)
/** IPv6 has many ways to write one address. */
const canonical = (address: string) => (isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address)
const isLoopback = (address: string) => address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.')

export function mayServeAs(nodeName: string, { dnsNames, addresses }: RequestedSubject, { nodes, services, endpointSlices }: ClusterNames): boolean {
  const own = nodes.find(({ metadata }) => metadata.name === nodeName)
  if (!own) return false
  const ofNode = addressesOf(own)
  const ownNames = new Set([nodeName, ...ofNode.filter(({ type }) => dnsTypes.includes(type)).map(({ address }) => address)])
  if (!dnsNames.every((name) => ownNames.has(name) && !isSpokenFor(name))) return false
  const others = nodes.filter((node) => node !== own)
  const ofOthers = new Set(others.flatMap((node) => [node.metadata.name, ...addressesOf(node).map(({ address }) => canonical(address))]))
  if (dnsNames.some((name) => ofOthers.has(name))) return false
  if (addresses.length === 0) return true
  const ownAddresses = new Set(ofNode.map(({ address }) => canonical(address)))
  const ofServices = services.flatMap(({ spec }) => [...(spec?.clusterIPs ?? []), ...(spec?.clusterIP ? [spec.clusterIP] : [])])
  const ofServer = endpointSlices.filter(isOfServer).flatMap(({ endpoints }) => (endpoints ?? []).flatMap((one) => one.addresses))
  const taken = new Set([...ofServices, ...ofServer].map(canonical))
  return addresses.map(canonical).every((one) => ownAddresses.has(one) && !ofOthers.has(one) && !taken.has(one) && !isLoopback(one))
}

const isOfServer = ({ metadata }: V1EndpointSlice) => metadata.namespace === 'default' && metadata.labels?.['kubernetes.io/service-name'] === 'kubernetes'
