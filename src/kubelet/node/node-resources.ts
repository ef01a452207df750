import { isExtendedResource } from '../../apis/pod-spec-validation/resources.ts'
import { formatQuantity, fromWhole, quantity, subtractQuantities } from '../../machinery/quantity.ts'
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

/** Capacity less what is kept back: reserved, and, by bytes, what must be left before pods are evicted. */
export function nodeAllocatable(
  capacity: Record<string, string>,
  reserved: Record<string, string> = {},
  left: Record<string, number> = {},
): Record<string, string> {
  const entries = Object.entries(capacity).map(([name, amount]): [string, string] => {
    if (!reserved[name] && !left[name]) return [name, amount]
    const rest = subtractQuantities(subtractQuantities(amount, reserved[name] ?? '0'), fromWhole(left[name] ?? 0))
    return [name, rest.nanos < 0n ? '0' : formatQuantity({ ...rest, format: quantity(amount).format })]
  })
  return Object.fromEntries(entries)
}

/**
 * Resources that somebody else announced on the Node: they are told on, and given out, as long as the node itself knows
 * nothing of them (Kubernetes docs, "Advertise Extended Resources for a Node").
 */
export function announcedResources(shown: Record<string, string> = {}, own: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(shown).filter(([name]) => isExtendedResource(name) && !(name in own)))
}
