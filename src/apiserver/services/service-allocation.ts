/** What one Service needs of addresses and node ports, taken from the allocators; all or nothing. */

import { internalError, invalid } from '../../machinery/errors.ts'
import { invalidValue } from '../../machinery/field-error.ts'
import type { V1Service } from '../../machinery/schema/generated/types.ts'
import type { Rollback } from '../contracts.ts'
import { type AddressRange, toNumber } from './address-range.ts'
import type { Allocator } from './allocator.ts'
import { checkFamilies } from './ip-families.ts'

export interface Ranges {
  addresses: AddressRange
  addressAllocator: Allocator<string>
  ports: { from: number; to: number }
  portAllocator: Allocator<number>
}

/** Changes the draft in place; what `stored` has already is its own. */
export function allocateFor(service: V1Service, stored: V1Service | undefined, ranges: Ranges): Rollback {
  checkFamilies(service)
  const undo: (() => void)[] = []
  try {
    allocateAddress(service, stored, ranges, undo)
    allocateNodePorts(service, stored, ranges, undo)
    allocateHealthCheckPort(service, ranges, undo)
  } catch (error) {
    for (const step of undo) step()
    throw error
  }
  return () => {
    for (const step of undo) step()
  }
}

const ownerOf = ({ metadata }: V1Service) => `${metadata.namespace}/${metadata.name}`

function refuse(service: V1Service, field: string, value: unknown, detail: string): never {
  throw invalid({ kind: 'Service', name: service.metadata.name }, [invalidValue(field, value, detail)])
}

function allocateAddress(service: V1Service, stored: V1Service | undefined, { addresses, addressAllocator }: Ranges, undo: (() => void)[]): void {
  const { spec } = service
  if (spec.type === 'ExternalName') return
  if (spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None') {
    spec.clusterIP = 'None'
    spec.clusterIPs ??= ['None']
    return
  }
  const owner = ownerOf(service)
  if (!spec.clusterIP) {
    const address = addressAllocator.next(owner)
    if (address === undefined) throw internalError('failed to allocate a serviceIP: range is full')
    undo.push(() => addressAllocator.cancel(address, owner))
    spec.clusterIP = address
    spec.clusterIPs = [address]
    return
  }
  const { clusterIP } = spec
  // What is no address at all is told by validation.
  if (clusterIP === stored?.spec.clusterIP || toNumber(clusterIP) === undefined) return
  if (!addresses.contains(clusterIP))
    refuse(
      service,
      'spec.clusterIPs',
      [clusterIP],
      `failed to allocate IP ${clusterIP}: the provided IP (${clusterIP}) is not in the valid range. The range of valid IPs is ${addresses.cidr}`,
    )
  if (!addressAllocator.reserve(clusterIP, owner))
    refuse(service, 'spec.clusterIPs', [clusterIP], `failed to allocate IP ${clusterIP}: provided IP is already allocated`)
  undo.push(() => addressAllocator.cancel(clusterIP, owner))
  spec.clusterIPs ??= [clusterIP]
}

const needsNodePorts = ({ type, allocateLoadBalancerNodePorts }: V1Service['spec']) =>
  type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false)

function allocateNodePorts(service: V1Service, stored: V1Service | undefined, ranges: Ranges, undo: (() => void)[]): void {
  const { spec } = service
  if (!spec.ports) return
  const own = new Set(stored?.spec.ports?.map((port) => port.nodePort))
  const asksForSome = spec.type === 'LoadBalancer' || spec.type === 'NodePort'
  if (!asksForSome) return
  spec.ports.forEach(({ nodePort }, i) => {
    if (nodePort && !own.has(nodePort)) {
      reservePort(service, nodePort, `spec.ports[${i}].nodePort`, ranges, undo)
      own.add(nodePort)
    }
  })
  if (!needsNodePorts(spec)) return
  for (const port of spec.ports) {
    if (port.nodePort) continue
    // The same port over another protocol shares the number.
    const twin = spec.ports.find((other) => other.nodePort && other.port === port.port && other.protocol !== port.protocol)?.nodePort
    const inUse = spec.ports.some((other) => other.nodePort === twin && other.protocol === port.protocol)
    port.nodePort = twin && !inUse ? twin : nextPort(service, ranges, undo)
  }
}

function allocateHealthCheckPort(service: V1Service, ranges: Ranges, undo: (() => void)[]): void {
  const { spec } = service
  if (spec.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local') return
  if (spec.healthCheckNodePort) reservePort(service, spec.healthCheckNodePort, 'spec.healthCheckNodePort', ranges, undo)
  else spec.healthCheckNodePort = nextPort(service, ranges, undo)
}

function reservePort(service: V1Service, port: number, field: string, { ports, portAllocator }: Ranges, undo: (() => void)[]): void {
  const owner = ownerOf(service)
  if (port < ports.from || port > ports.to)
    refuse(service, field, port, `provided port is not in the valid range. The range of valid ports is ${ports.from}-${ports.to}`)
  if (!portAllocator.reserve(port, owner)) refuse(service, field, port, 'provided port is already allocated')
  undo.push(() => portAllocator.cancel(port, owner))
}

function nextPort(service: V1Service, { portAllocator }: Ranges, undo: (() => void)[]): number {
  const owner = ownerOf(service)
  const port = portAllocator.next(owner)
  if (port === undefined) throw internalError('failed to allocate a nodePort: range is full')
  undo.push(() => portAllocator.cancel(port, owner))
  return port
}
