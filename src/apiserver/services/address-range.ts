/** A range of IPv4 addresses that Services are given from (`10.96.0.0/12`). */
export class AddressRange {
  readonly cidr: string
  readonly #first: number
  readonly #size: number

  constructor(cidr: string) {
    const [address = '', bits = ''] = cidr.split('/')
    const number = toNumber(address)
    const prefix = Number(bits)
    if (number === undefined || !(prefix >= 0 && prefix <= 30)) throw new Error(`${cidr} is not a range of IPv4 addresses`)
    this.cidr = cidr
    this.#size = 2 ** (32 - prefix)
    this.#first = number - (number % this.#size)
  }

  /** Without the network's own address and the broadcast address. */
  contains(address: string): boolean {
    const number = toNumber(address)
    return number !== undefined && number > this.#first && number < this.#first + this.#size - 1
  }

  /** Addresses that can be given. */
  get size(): number {
    return this.#size - 2
  }

  /** From 0. */
  at(index: number): string {
    return toAddress(this.#first + 1 + index)
  }
}

export function toNumber(address: string): number | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) return undefined
  let number = 0
  for (const part of address.split('.')) {
    const byte = Number(part)
    if (byte > 255) return undefined
    number = number * 256 + byte
  }
  return number
}

const toAddress = (number: number) => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')
