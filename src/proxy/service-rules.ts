import type { V1EndpointSlice, V1Service, V1ServicePort } from '../machinery/schema/generated/types.ts'
import { parseAddress } from '../network/cidr.ts'
import { endpointsOf, nearest, type Place, type ServiceEndpoint, takingTraffic } from '../network/service-endpoints.ts'
import { type Balance, type Chain, chainName, type Frontend, hitName, localSlots } from './balance-chain.ts'
import type { Element } from './element.ts'

/** What one Service needs in the table. */
export interface ServiceRules {
  elements: Element[]
  chains: Chain[]
}

const none: ServiceRules = { elements: [], chains: [] }

/** Whether the proxy has anything to do with the Service. */
export function isProxied({ metadata, spec }: V1Service): boolean {
  if (spec.type === 'ExternalName' || !spec.clusterIP || spec.clusterIP === 'None') return false
  return metadata.labels?.['service.kubernetes.io/service-proxy-name'] === undefined
}

/** From a Service and its slices to the elements and chains of the table. Pure, and for this Service alone. */
export function serviceRules(service: V1Service, slices: readonly V1EndpointSlice[], place: Place): ServiceRules {
  const clusterIP = (service.spec.clusterIPs ?? [service.spec.clusterIP]).find((address) => address && parseAddress(address) !== undefined)
  if (!isProxied(service) || !clusterIP) return none
  const rules: ServiceRules = { elements: [{ container: 'cluster-ips', key: clusterIP, value: '' }], chains: [] }
  for (const port of service.spec.ports ?? []) portRules(service, port, clusterIP, endpointsOf(port, slices), place, rules)
  return rules
}

function portRules(service: V1Service, port: V1ServicePort, clusterIP: string, endpoints: ServiceEndpoint[], place: Place, rules: ServiceRules): void {
  const { spec } = service
  const protocol = (port.protocol ?? 'TCP').toLowerCase()
  const isLocal = (endpoint: ServiceEndpoint) => endpoint.nodeName === undefined || endpoint.nodeName === place.nodeName
  const all = takingTraffic(nearest(endpoints, place))
  const local = takingTraffic(endpoints.filter(isLocal))
  const affinity = spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10800) : undefined
  const frontend = (kind: Frontend, key: string) => new FrontendRules(rules, kind, key, affinity)

  const internal = spec.internalTrafficPolicy === 'Local' ? local : all
  frontend('ip', `${clusterIP} . ${protocol} . ${port.port}`).internal(internal, endpoints.length > 0 && internal !== all)

  const externalLocal = spec.externalTrafficPolicy === 'Local'
  for (const address of externalAddresses(service)) {
    const key = `${address} . ${protocol} . ${port.port}`
    frontend('ip', key).external(all, local, externalLocal)
    if (spec.loadBalancerSourceRanges?.length && spec.type === 'LoadBalancer' && !spec.externalIPs?.includes(address)) {
      const ranges = spec.loadBalancerSourceRanges.map((range) => range.trim()).filter((range) => !range.includes(':'))
      const chain: Chain = { kind: 'firewall', frontend: key, ranges }
      rules.chains.push(chain)
      rules.elements.push({ container: 'firewall', key, value: `goto ${chainName(chain)}` })
    }
  }
  if (port.nodePort) frontend('nodeport', `${protocol} . ${port.nodePort}`).external(all, local, externalLocal)

  for (const endpoint of new Set([...all, ...local])) {
    if (isLocal(endpoint)) rules.elements.push({ container: 'local-endpoints', key: `${endpoint.address} . ${endpoint.address}`, value: '' })
  }
}

/** Addresses that lead into the cluster from outside, IPv4 only. */
function externalAddresses({ spec, status }: V1Service): string[] {
  const balancers = spec.type === 'LoadBalancer' ? (status?.loadBalancer?.ingress ?? []) : []
  const addresses = [...(spec.externalIPs ?? []), ...balancers.filter((ingress) => ingress.ipMode !== 'Proxy').map((ingress) => ingress.ip)]
  return [...new Set(addresses)].filter((address): address is string => address !== undefined && parseAddress(address) !== undefined)
}

/** Writes the elements of one frontend: its entry, its endpoints, and what session affinity needs. */
class FrontendRules {
  readonly #rules: ServiceRules
  readonly #kind: Frontend
  readonly #key: string
  readonly #affinity: number | undefined

  constructor(rules: ServiceRules, kind: Frontend, key: string, affinity: number | undefined) {
    this.#rules = rules
    this.#kind = kind
    this.#key = key
    this.#affinity = affinity
  }

  internal(endpoints: ServiceEndpoint[], elsewhere: boolean): void {
    const balance = this.#endpoints(endpoints, false)
    if (balance) this.#goto({ kind: 'balance', balance })
    // As upstream: what others could serve is dropped in silence, what nobody serves is refused.
    else this.#without(elsewhere ? 'drop' : 'goto refuse')
  }

  external(all: ServiceEndpoint[], local: ServiceEndpoint[], onlyLocal: boolean): void {
    const balance = this.#endpoints(all, false)
    if (!onlyLocal) {
      if (balance) this.#goto({ kind: 'external', balance })
      else this.#without('goto refuse')
      return
    }
    const near = this.#endpoints(local, true)
    if (balance || near) this.#goto({ kind: 'external-local', local: near, all: balance })
    else this.#without('goto refuse')
  }

  #without(value: string): void {
    this.#rules.elements.push({ container: this.#kind === 'ip' ? 'no-endpoints' : 'no-endpoints-nodeports', key: this.#key, value })
  }

  #goto(chain: Chain): void {
    this.#rules.chains.push(chain)
    this.#rules.elements.push({ container: this.#kind === 'ip' ? 'services' : 'nodeports', key: this.#key, value: `goto ${chainName(chain)}` })
  }

  #endpoints(endpoints: ServiceEndpoint[], local: boolean): Balance | undefined {
    if (endpoints.length === 0) return undefined
    const offset = local ? localSlots : 0
    const ip = this.#kind === 'ip'
    endpoints.forEach(({ address, port }, index) => {
      const slot = `${this.#key} . ${offset + index}`
      const target = `${address} . ${port}`
      if (this.#affinity === undefined) {
        this.#rules.elements.push({ container: ip ? 'endpoints' : 'nodeport-endpoints', key: slot, value: target })
        return
      }
      // A client's memory holds the endpoint's address, not its slot: slots move when endpoints come and go.
      const identity = parseAddress(address) ?? 0
      const remembered = `${this.#key} . ${identity}`
      this.#rules.elements.push(
        { container: ip ? 'sticky-slots' : 'sticky-nodeport-slots', key: slot, value: String(identity) },
        { container: ip ? 'sticky-live' : 'sticky-nodeport-live', key: remembered, value: `goto ${hitName(this.#kind, this.#affinity)}` },
        { container: ip ? 'sticky-endpoints' : 'sticky-nodeport-endpoints', key: remembered, value: target },
      )
    })
    return { frontend: this.#kind, count: endpoints.length, local, affinity: this.#affinity }
  }
}
