/**
 * Where simulated nodes and their pods stand: in 240.0.0.0/4, which nobody may use and nobody routes. So they clash
 * with no real node, pod or Service, there is room for 65,536 nodes, and a packet that is sent there by mistake (by a
 * Service with simulated endpoints) has nowhere to go.
 */
import { addressAt, contains, parseAddress, parseCidr } from '../../network/cidr.ts'

/** All of them: nodes and pods. */
export const simulatedCIDR = '240.0.0.0/4'
const pods = parseCidr('240.0.0.0/8')
/** Of the nodes themselves. */
export const simulatedNodeCIDR = '241.0.0.0/16'
const nodes = parseCidr(simulatedNodeCIDR)
const blockSize = 256

export const mostSimulatedNodes = nodes.size - 1

/** The block of pods of the node with this number, from 0. */
export const simulatedPodBlock = (index: number): string => `${addressAt(pods, index * blockSize)}/24`

export const simulatedNodeAddress = (index: number): string => addressAt(nodes, index + 1)

/** The number that {@link simulatedNodeAddress} was made of. */
export function simulatedIndex(address: string): number | undefined {
  const value = parseAddress(address)
  return value !== undefined && contains(nodes, address) ? value - nodes.base - 1 : undefined
}

/** Gives out the addresses of a node's block, each to one sandbox at a time, the longest unused first. */
export class PodAddresses {
  readonly #block
  readonly #used = new Set<string>()
  #next = 1

  constructor(podCIDR: string) {
    this.#block = parseCidr(podCIDR)
  }

  take(): string | undefined {
    const last = this.#block.size - 2
    for (let tried = 0; tried < last; tried++) {
      const address = addressAt(this.#block, this.#next)
      this.#next = this.#next >= last ? 1 : this.#next + 1
      if (this.#used.has(address)) continue
      this.#used.add(address)
      return address
    }
    return undefined
  }

  /** A sandbox has it already. */
  hold(address: string): void {
    this.#used.add(address)
  }

  release(address: string): void {
    this.#used.delete(address)
  }
}
