import type { V1Endpoint, V1EndpointSlice, V1Service } from '../machinery/schema/generated/types.ts'
import { addressBytes, reverseName } from './address-bytes.ts'
import type { DnsRecord } from './record.ts'

/** Seconds that an answer may be kept: Services rarely move, endpoints do. */
export const serviceTtl = 30
export const endpointTtl = 5

/** All records of a Service, by the Kubernetes DNS specification 1.1.0. Pure, and for this Service alone. */
export function serviceRecords(service: V1Service, slices: readonly V1EndpointSlice[], domain: string): DnsRecord[] {
  const { spec, metadata } = service
  const name = `${metadata.name}.${metadata.namespace}.svc.${domain}`
  if (spec.type === 'ExternalName') {
    const target = spec.externalName?.replace(/\.$/, '').toLowerCase()
    return target ? [{ name, ttl: serviceTtl, type: 'CNAME', target }] : []
  }
  const addresses = (spec.clusterIPs ?? [spec.clusterIP]).filter((address): address is string => Boolean(address) && address !== 'None')
  return addresses.length > 0 ? addressedRecords(service, name, addresses) : headlessRecords(service, name, slices)
}

function addressedRecords({ spec }: V1Service, name: string, addresses: string[]): DnsRecord[] {
  const records: DnsRecord[] = addresses.map((address) => addressRecord(name, address, serviceTtl))
  for (const address of addresses) {
    const reverse = reverseName(address)
    if (reverse) records.push({ name: reverse, ttl: serviceTtl, type: 'PTR', target: name })
  }
  for (const port of spec.ports ?? []) {
    const service = { ttl: serviceTtl, type: 'SRV', priority: 0, weight: 100, port: port.port, target: name } as const
    if (port.name) records.push({ ...service, name: portName(port.name, port.protocol, name) })
    records.push({ ...service, name })
  }
  return records
}

function headlessRecords({ spec }: V1Service, name: string, slices: readonly V1EndpointSlice[]): DnsRecord[] {
  const records = new Map<string, DnsRecord>()
  // The same endpoint may stand in two slices: each record once.
  const add = (record: DnsRecord) => records.set(JSON.stringify(record), record)
  for (const slice of slices) {
    for (const endpoint of slice.endpoints ?? []) {
      if (!isPublished(endpoint, spec.publishNotReadyAddresses)) continue
      for (const address of endpoint.addresses) {
        if (!addressBytes(address)) continue
        const own = `${endpoint.hostname?.toLowerCase() ?? address.replace(/[.:]/g, '-')}.${name}`
        add(addressRecord(name, address, endpointTtl))
        add(addressRecord(own, address, endpointTtl))
        const reverse = reverseName(address)
        if (reverse && endpoint.hostname) add({ name: reverse, ttl: endpointTtl, type: 'PTR', target: own })
        for (const port of slice.ports ?? []) {
          if (!port.port) continue
          const service = { ttl: endpointTtl, type: 'SRV', priority: 0, weight: 100, port: port.port, target: own } as const
          if (port.name) add({ ...service, name: portName(port.name, port.protocol, name) })
          add({ ...service, name })
        }
      }
    }
  }
  return [...records.values()]
}

function isPublished({ conditions }: V1Endpoint, publishNotReady: boolean | undefined): boolean {
  return publishNotReady === true || conditions?.ready !== false
}

function addressRecord(name: string, address: string, ttl: number): DnsRecord {
  return { name, ttl, type: address.includes(':') ? 'AAAA' : 'A', address }
}

function portName(port: string, protocol: string | undefined, name: string): string {
  return `_${port.toLowerCase()}._${(protocol ?? 'TCP').toLowerCase()}.${name}`
}
