import { addressAt, type Cidr, contains, parseAddress, parseCidr } from './cidr.ts'

/**
 * Addresses for the pods of one node. The block's own address, the bridge's (the first) and the last are
 * never given out. Goes round the block, so that an address rests before it is given again: clients that
 * still remember a pod that went do not meet another in its place at once.
 */
export class AddressPool {
  readonly #cidr: Cidr
  readonly #taken = new Set<string>()
  #next = 2

  constructor(podCIDR: string) {
    this.#cidr = parseCidr(podCIDR)
    if (this.#cidr.size < 4) throw new Error(`pod CIDR ${podCIDR} has no room for pods`)
  }

  /** Marks an address that is in use already, as found after a restart. */
  claim(address: string): void {
    if (!contains(this.#cidr, address)) return
    this.#taken.add(address)
    const index = (parseAddress(address) ?? 0) - this.#cidr.base
    if (index >= this.#next) this.#next = index + 1
  }

  allocate(): string {
    const first = 2
    const usable = this.#cidr.size - 3
    for (let tried = 0; tried < usable; tried++) {
      const index = first + ((this.#next - first + tried) % usable)
      const address = addressAt(this.#cidr, index)
      if (this.#taken.has(address)) continue
      this.#taken.add(address)
      this.#next = index + 1
      return address
    }
    throw new Error(`no IP addresses available in range set: ${addressAt(this.#cidr, first)}-${addressAt(this.#cidr, this.#cidr.size - 2)}`)
  }

  release(address: string): void {
    this.#taken.delete(address)
  }
}
