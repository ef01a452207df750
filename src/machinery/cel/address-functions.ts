/** URLs, IP addresses and ranges of them. */
import { BlockList, isIP, isIPv6 } from 'node:net'
import type { Functions } from './functions.ts'
import { CelError } from './syntax.ts'
import { type CelValue, Opaque } from './values.ts'

const [ip, cidr, url] = ['net.IP', 'net.CIDR', 'kubernetes.URL']

const own = (value: CelValue | undefined, type: string): value is Opaque => value instanceof Opaque && value.type === type
const familyOf = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4')

interface Range {
  address: string
  bits: number
  list: BlockList
}

function parseCidr(text: string): Range | undefined {
  const [address = '', bits = '', ...more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) return undefined
  const list = new BlockList()
  list.addSubnet(address, Number(bits), familyOf(address))
  return { address, bits: Number(bits), list }
}

const rangeOf = (value: Opaque) => value.value as Range

function parseUrl(text: string): URL | undefined {
  // What begins with a slash is a URL of its own, without scheme and host.
  if (text.startsWith('/') && URL.canParse(text, 'none://none')) return new URL(text, 'none://none')
  return URL.canParse(text) ? new URL(text) : undefined
}

const part = (read: (parsed: URL) => string) => (value?: CelValue) => {
  if (!own(value, url)) return undefined
  const parsed = value.value as URL
  return parsed.protocol === 'none:' && read(parsed) !== parsed.pathname ? '' : read(parsed)
}

export const addressFunctions: Functions = {
  ip(value) {
    if (typeof value !== 'string') return undefined
    if (!isIP(value)) throw new CelError(`IP Address ${JSON.stringify(value)} parse error during conversion from string`)
    return new Opaque(ip, value, value)
  },
  isIP: (value) => (typeof value === 'string' ? isIP(value) !== 0 : undefined),
  '.family': (value) => (own(value, ip) ? (isIPv6(value.identity) ? 6n : 4n) : undefined),
  '.isLoopback': (value) => (own(value, ip) ? /^127\./.test(value.identity) || value.identity === '::1' : undefined),
  '.isUnspecified': (value) => (own(value, ip) ? value.identity === '0.0.0.0' || value.identity === '::' : undefined),
  cidr(value) {
    if (typeof value !== 'string') return undefined
    const range = parseCidr(value)
    if (!range) throw new CelError(`network address parse error during conversion from string: ${JSON.stringify(value)}`)
    return new Opaque(cidr, range, value)
  },
  isCIDR: (value) => (typeof value === 'string' ? parseCidr(value) !== undefined : undefined),
  '.containsIP'(value, address) {
    const text = typeof address === 'string' ? address : own(address, ip) ? address.identity : undefined
    return own(value, cidr) && text !== undefined && isIP(text) ? rangeOf(value).list.check(text, familyOf(text)) : undefined
  },
  '.containsCIDR'(value, other) {
    const range = typeof other === 'string' ? parseCidr(other) : own(other, cidr) ? rangeOf(other) : undefined
    if (!own(value, cidr) || !range) return undefined
    const outer = rangeOf(value)
    return outer.bits <= range.bits && outer.list.check(range.address, familyOf(range.address))
  },
  '.ip': (value) => (own(value, cidr) ? new Opaque(ip, rangeOf(value).address, rangeOf(value).address) : undefined),
  '.prefixLength': (value) => (own(value, cidr) ? BigInt(rangeOf(value).bits) : undefined),
  url(value) {
    if (typeof value !== 'string') return undefined
    const parsed = parseUrl(value)
    if (!parsed) throw new CelError(`URL parse error during conversion from string: parse ${JSON.stringify(value)}: invalid URI for request`)
    return new Opaque(url, parsed, value)
  },
  isURL: (value) => (typeof value === 'string' ? parseUrl(value) !== undefined : undefined),
  '.getScheme': part(({ protocol }) => protocol.slice(0, -1)),
  '.getHost': part(({ host }) => host),
  '.getHostname': part(({ hostname }) => hostname.replace(/^\[|\]$/g, '')),
  '.getPort': part(({ port }) => port),
  '.getEscapedPath': part(({ pathname }) => pathname),
  '.getQuery'(value) {
    if (!own(value, url)) return undefined
    const query = new Map<CelValue, CelValue>()
    for (const [name, one] of (value.value as URL).searchParams) query.set(name, [...((query.get(name) as CelValue[] | undefined) ?? []), one])
    return query
  },
}
