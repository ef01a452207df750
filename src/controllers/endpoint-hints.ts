/** For whom an endpoint is meant first, as `spec.trafficDistribution` of its Service wishes (KEP-2433, KEP-3015); proxies go by it. */
import type { V1Endpoint, V1EndpointHints } from '../machinery/schema/generated/types.ts'

/** `PreferClose` is the older name of `PreferSameZone`. Proxies that know no nodes in hints go by the zone. */
export function hintsFor({ nodeName, zone }: Pick<V1Endpoint, 'nodeName' | 'zone'>, distribution: string | undefined): V1EndpointHints | undefined {
  const sameNode = distribution === 'PreferSameNode'
  const byZone = zone && (sameNode || distribution === 'PreferSameZone' || distribution === 'PreferClose') ? { forZones: [{ name: zone }] } : {}
  const byNode = nodeName && sameNode ? { forNodes: [{ name: nodeName }] } : {}
  const hints = { ...byNode, ...byZone }
  return Object.keys(hints).length > 0 ? hints : undefined
}
