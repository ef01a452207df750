import type { V1Pod, V1Service } from '../../machinery/schema/generated/types.ts'

const hasAddress = (service: V1Service) => Boolean(service.spec?.clusterIP) && service.spec?.clusterIP !== 'None'
const bracketed = (address: string) => (address.includes(':') ? `[${address}]` : address)

/**
 * `NAME_SERVICE_HOST` and its companions for each Service of the pod's namespace, and always for the API
 * server's; only for that one when the pod switched service links off.
 */
export function serviceEnvironment(pod: V1Pod, servicesIn: (namespace: string) => readonly V1Service[]): Map<string, string> {
  const chosen = new Map<string, V1Service>()
  for (const service of servicesIn('default')) if (service.metadata.name === 'kubernetes' && hasAddress(service)) chosen.set('kubernetes', service)
  if (pod.spec.enableServiceLinks !== false) {
    for (const service of servicesIn(pod.metadata.namespace)) if (hasAddress(service)) chosen.set(service.metadata.name, service)
  }
  const result = new Map<string, string>()
  for (const service of chosen.values()) addService(service, result)
  return result
}

function addService(service: V1Service, result: Map<string, string>): void {
  const name = service.metadata.name.replaceAll('-', '_').toUpperCase()
  const address = service.spec?.clusterIP ?? ''
  const ports = service.spec?.ports ?? []
  const [first] = ports
  if (!first) return
  result.set(`${name}_SERVICE_HOST`, address)
  result.set(`${name}_SERVICE_PORT`, String(first.port))
  for (const port of ports) if (port.name) result.set(`${name}_SERVICE_PORT_${port.name.replaceAll('-', '_').toUpperCase()}`, String(port.port))
  const url = (port: typeof first) => `${(port.protocol ?? 'TCP').toLowerCase()}://${bracketed(address)}:${port.port}`
  result.set(`${name}_PORT`, url(first))
  for (const port of ports) {
    const protocol = port.protocol ?? 'TCP'
    const prefix = `${name}_PORT_${port.port}_${protocol}`
    result.set(prefix, url(port))
    result.set(`${prefix}_PROTO`, protocol.toLowerCase())
    result.set(`${prefix}_PORT`, String(port.port))
    result.set(`${prefix}_ADDR`, address)
  }
}
