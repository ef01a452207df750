import { blocks, count, type Given } from './annotation-values.ts'

/** How much one client address may ask of an Ingress. Upstream: ingress-nginx, "Rate limiting". */
export interface Limits {
  requestsPerSecond: number | undefined
  requestsPerMinute: number | undefined
  /** At once. */
  connections: number | undefined
  /** Requests above the rate that are served all the same, as a multiple of it. */
  burst: number
  /** Bytes a second of an answer, once so many bytes went at full speed. */
  rate: number | undefined
  rateAfter: number | undefined
  /** Addresses that are not limited. */
  spared: string[]
}

export function readLimits(given: Given): Limits {
  const spared = given('limit-allowlist') ?? given('limit-whitelist')
  return {
    requestsPerSecond: count(given, 'limit-rps'),
    requestsPerMinute: count(given, 'limit-rpm'),
    connections: count(given, 'limit-connections'),
    burst: count(given, 'limit-burst-multiplier') ?? 5,
    rate: count(given, 'limit-rate'),
    rateAfter: count(given, 'limit-rate-after'),
    spared: spared === undefined ? [] : blocks('limit-allowlist', spared),
  }
}

const signs: Record<string, string> = { '/': '_s', '-': '_d', '.': '_p' }
/** A name in nginx's configuration for an Ingress given by its key; no two have the same, since a key holds no underscore. */
const named = (ingress: string) => `limit_${ingress.replaceAll(/[/.-]/g, (sign) => signs[sign] ?? sign)}`

/** What nginx counts requests in, once for each Ingress. */
export function limitZones(ingress: string, { requestsPerSecond, requestsPerMinute, connections, spared }: Limits): string[] {
  if (!requestsPerSecond && !requestsPerMinute && !connections) return []
  const key = `$${named(ingress)}`
  // What has no key is not counted.
  return [
    `geo $remote_addr ${key}_spared {\n  default 0;${spared.map((range) => `\n  ${range} 1;`).join('')}\n}`,
    `map ${key}_spared ${key} {\n  0 $binary_remote_addr;\n  1 '';\n}`,
    ...(requestsPerSecond ? [`limit_req_zone ${key} zone=${named(ingress)}_rps:5m rate=${requestsPerSecond}r/s;`] : []),
    ...(requestsPerMinute ? [`limit_req_zone ${key} zone=${named(ingress)}_rpm:5m rate=${requestsPerMinute}r/m;`] : []),
    ...(connections ? [`limit_conn_zone ${key} zone=${named(ingress)}_conn:5m;`] : []),
  ]
}

export function limitLines(ingress: string, { requestsPerSecond, requestsPerMinute, connections, burst, rate, rateAfter }: Limits): string[] {
  return [
    ...(requestsPerSecond ? [`limit_req zone=${named(ingress)}_rps burst=${requestsPerSecond * burst} nodelay;`] : []),
    ...(requestsPerMinute ? [`limit_req zone=${named(ingress)}_rpm burst=${requestsPerMinute * burst} nodelay;`] : []),
    ...(connections ? [`limit_conn ${named(ingress)}_conn ${connections};`] : []),
    ...(rate ? [`limit_rate ${rate}k;`] : []),
    ...(rateAfter ? [`limit_rate_after ${rateAfter}k;`] : []),
  ]
}
