/** IPv4 blocks as numbers: what address management and routing need, and no more. */
export interface Cidr {
  /** First address of the block, as an unsigned number. */
  readonly base: number
  readonly prefix: number
  /** How many addresses the block holds. */
  readonly size: number
}

export function parseAddress(text: string): number | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let value = 0
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
    value = value * 256 + Number(part)
  }
  return value
}

export function formatAddress(value: number): string {
  return `${(value >>> 24) & 255}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`
}

/** Throws for what is not an IPv4 block; bits beyond the prefix are ignored. */
export function parseCidr(text: string): Cidr {
  const [address = '', length = ''] = text.split('/')
  const value = parseAddress(address)
  const prefix = Number(length)
  if (value === undefined || !/^\d+$/.test(length) || prefix > 32) throw new Error(`not an IPv4 block: ${text}`)
  const size = 2 ** (32 - prefix)
  return { base: value - (value % size), prefix, size }
}

export function contains(cidr: Cidr, address: string): boolean {
  const value = parseAddress(address)
  return value !== undefined && value >= cidr.base && value < cidr.base + cidr.size
}

/** The n-th address of a block; 1 is the node's own in a pod block. */
export function addressAt(cidr: Cidr, index: number): string {
  return formatAddress(cidr.base + index)
}
