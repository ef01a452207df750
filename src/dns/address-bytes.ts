import { isIPv4, isIPv6 } from 'node:net'

/** The 4 or 16 bytes of an address; undefined for what is none. */
export function addressBytes(address: string): number[] | undefined {
  if (isIPv4(address)) return address.split('.').map(Number)
  if (!isIPv6(address)) return undefined
  const withoutZone = address.split('%')[0] ?? ''
  const mapped = withoutZone.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, a, b, c, d) => `${(a * 256 + Number(b)).toString(16)}:${(c * 256 + Number(d)).toString(16)}`,
  )
  const [head = '', tail] = mapped.split('::')
  const first = head.split(':').filter(Boolean)
  const last = tail?.split(':').filter(Boolean) ?? []
  const groups = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => '0'), ...last].map((group) => Number.parseInt(group, 16))
  return groups.flatMap((group) => [group >> 8, group & 255])
}

/** Name in `in-addr.arpa` or `ip6.arpa` under which an address is looked up. */
export function reverseName(address: string): string | undefined {
  const bytes = addressBytes(address)
  if (!bytes) return undefined
  if (bytes.length === 4) return `${bytes.toReversed().join('.')}.in-addr.arpa`
  const nibbles = bytes.flatMap((byte) => [byte >> 4, byte & 15]).toReversed()
  return `${nibbles.map((nibble) => nibble.toString(16)).join('.')}.ip6.arpa`
}
