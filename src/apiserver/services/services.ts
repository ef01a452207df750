/**
 * Service addresses: cluster IPs and node ports, given at creation and change, freed when their Service is gone. What
 * is taken is read from the stored Services, so nothing is given twice after a restart.
 */
import type { AnyObject } from '../../machinery/object.ts'
import type { V1Service } from '../../machinery/schema/generated/types.ts'
import type { ServerPart, ServerPartFactory } from '../contracts.ts'
import { AddressRange } from './address-range.ts'
import { Allocator, staticBand } from './allocator.ts'
import { addRangeMetrics } from './range-metrics.ts'
import { allocateFor, type Ranges } from './service-allocation.ts'

export interface ServiceOptions {
  /** IPv4. */
  clusterIpRange?: string
  nodePorts?: { from: number; to: number }
}

export function services(options: ServiceOptions = {}): ServerPartFactory {
  return (server): ServerPart => {
    const addresses = new AddressRange(options.clusterIpRange ?? '10.96.0.0/12')
    const ports = options.nodePorts ?? { from: 30000, to: 32767 }
    const portCount = ports.to - ports.from + 1
    const { clock } = server
    const ranges: Ranges = {
      addresses,
      ports,
      addressAllocator: new Allocator({
        size: addresses.size,
        at: (i) => addresses.at(i),
        reservedForRequests: staticBand(addresses.size, 16, 16, 256),
        clock,
      }),
      portAllocator: new Allocator({ size: portCount, at: (i) => ports.from + i, reservedForRequests: staticBand(portCount, 16, 32, 128), clock }),
    }
    addRangeMetrics(server.metrics, ranges)
    let following: Promise<void> | undefined
    let unfollow = () => {}

    async function follow(): Promise<void> {
      const cached = await server.cached('services')
      for (const service of cached.list()) hold(ranges, asService(service))
      unfollow = cached.onChange(({ object, previous }) => {
        if (previous) letGo(ranges, asService(previous))
        if (object) hold(ranges, asService(object))
      })
    }
    const ready = () => {
      following ??= follow()
      return following
    }

    return {
      name: 'service addresses',
      start: ready,
      stop: () => unfollow(),
      hooks: {
        services: {
          async beforeCreate(draft) {
            await ready()
            return allocateFor(asService(draft), undefined, ranges)
          },
          async beforeUpdate(draft, stored) {
            await ready()
            return allocateFor(asService(draft), asService(stored), ranges)
          },
        },
      },
    }
  }
}

const asService = (object: AnyObject) => object as unknown as V1Service
const ownerOf = ({ metadata }: V1Service) => `${metadata.namespace}/${metadata.name}`

function portsOf({ spec }: V1Service): number[] {
  const numbers = (spec.ports ?? []).map((port) => port.nodePort)
  return [...numbers, spec.healthCheckNodePort].filter((port): port is number => !!port)
}

function hold({ addressAllocator, portAllocator }: Ranges, service: V1Service): void {
  const { clusterIP } = service.spec
  if (clusterIP && clusterIP !== 'None') addressAllocator.hold(clusterIP, ownerOf(service))
  for (const port of portsOf(service)) portAllocator.hold(port, ownerOf(service))
}

function letGo({ addressAllocator, portAllocator }: Ranges, service: V1Service): void {
  const { clusterIP } = service.spec
  if (clusterIP) addressAllocator.letGo(clusterIP, ownerOf(service))
  for (const port of portsOf(service)) portAllocator.letGo(port, ownerOf(service))
}
