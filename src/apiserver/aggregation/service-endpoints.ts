/** Where the server behind a Service listens now; or why it is not to be found, in upstream's reasons. */
import type { V1EndpointSlice, V1Service } from '../../machinery/schema/generated/types.ts'
import type { ServerAccess } from '../contracts.ts'
import type { RemoteService } from './remote-service.ts'

export interface Endpoint {
  host: string
  port: number
}

export class NotFound extends Error {
  readonly reason: string
  constructor(reason: string, message: string) {
    super(message)
    this.name = 'NotFound'
    this.reason = reason
  }
}

export async function endpointsOf(server: ServerAccess, { service: at }: RemoteService): Promise<Endpoint[]> {
  const { namespace, name, port } = at
  const words = `service/${name} in ${JSON.stringify(namespace)}`
  const service = (await server.cached('services')).get(namespace, name) as unknown as V1Service | undefined
  if (!service) throw new NotFound('ServiceNotFound', `${words} is not present`)
  if (service.spec.type === 'ExternalName') return [{ host: service.spec.externalName ?? '', port }]
  const found = service.spec.ports?.find((one) => one.port === port)
  if (!found) throw new NotFound('ServicePortError', `${words} is not listening on port ${port}`)
  const all = [...(await server.cached('endpointslices.discovery.k8s.io')).list(namespace)] as unknown as V1EndpointSlice[]
  const slices = all.filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === name)
  if (slices.length === 0) throw new NotFound('EndpointsNotFound', `cannot find endpointslices for ${words}`)
  const portName = found.name ?? ''
  const endpoints = slices.flatMap((slice) => {
    const target = slice.ports?.find((one) => (one.name ?? '') === portName)?.port
    const ready = (slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false)
    return target === undefined ? [] : ready.flatMap(({ addresses }) => addresses.map((host) => ({ host, port: target })))
  })
  if (endpoints.length > 0) return endpoints
  throw new NotFound('MissingEndpoints', `endpoints for ${words} have no addresses with port name ${JSON.stringify(portName)}`)
}
