import { formatQuantity, quantity, subtractQuantities } from '../../machinery/quantity.ts'
import type { MachineInfo } from './machine-info.ts'

const kibibytes = (bytes: number) => `${Math.floor(bytes / 1024)}Ki`

/** What the node has, in the units that upstream writes. */
export function nodeCapacity(machine: MachineInfo, given: Record<string, string> = {}): Record<string, string> {
  return {
    cpu: String(machine.cpus),
    memory: kibibytes(machine.memoryBytes),
    'ephemeral-storage': kibibytes(machine.diskBytes),
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    pods: '110',
    ...given,
  }
}

/** Capacity less what is kept back. */
export function nodeAllocatable(capacity: Record<string, string>, reserved: Record<string, string> = {}): Record<string, string> {
  const entries = Object.entries(capacity).map(([name, amount]): [string, string] => {
    const less = reserved[name]
    if (less === undefined) return [name, amount]
    const left = subtractQuantities(amount, less)
    return [name, left.nanos < 0n ? '0' : formatQuantity({ ...left, format: quantity(amount).format })]
  })
  return Object.fromEntries(entries)
}
