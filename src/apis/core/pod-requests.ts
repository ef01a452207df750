/** What a pod needs of a node, as the scheduler counts it and the node checks it again. */
import { toMilli, toNumber } from '../../machinery/quantity.ts'
import type { V1Container, V1Pod, V1ResourceRequirements } from '../../machinery/schema/generated/types.ts'

/** CPU in thousandths, everything else in its own unit (bytes, counts). */
export type Resources = Map<string, number>

/** An amount in the unit of {@link Resources}. */
export const resourceAmount = (name: string, quantity: string): number => (name === 'cpu' ? toMilli(quantity) : toNumber(quantity))

function add(into: Resources, name: string, amount: number): void {
  into.set(name, (into.get(name) ?? 0) + amount)
}

function requestsOf(resources: V1ResourceRequirements | undefined): Resources {
  return new Map(Object.entries(resources?.requests ?? {}).map(([name, quantity]) => [name, resourceAmount(name, quantity)]))
}

function addAll(into: Resources, from: Resources): void {
  for (const [name, amount] of from) add(into, name, amount)
}

function raise(into: Resources, to: Resources): void {
  for (const [name, amount] of to) into.set(name, Math.max(into.get(name) ?? 0, amount))
}

export const isSidecar = (container: V1Container): boolean => container.restartPolicy === 'Always'

/**
 * The pod's effective requests: the sum of its containers and sidecars, or the most that an init container needs
 * beside the sidecars started before it, whichever is more; what the pod asks for as a whole in their place; plus
 * overhead (KEP-753, KEP-2837).
 */
export function podRequests(pod: V1Pod): Resources {
  const total: Resources = new Map()
  for (const container of pod.spec.containers) addAll(total, requestsOf(container.resources))
  const sidecars: Resources = new Map()
  const init: Resources = new Map()
  for (const container of pod.spec.initContainers ?? []) {
    const own = requestsOf(container.resources)
    if (isSidecar(container)) {
      addAll(total, own)
      addAll(sidecars, own)
      raise(init, sidecars)
    } else {
      addAll(own, sidecars)
      raise(init, own)
    }
  }
  raise(total, init)
  for (const [name, amount] of requestsOf(pod.spec.resources)) total.set(name, amount)
  for (const [name, quantity] of Object.entries(pod.spec.overhead ?? {})) add(total, name, resourceAmount(name, quantity))
  return total
}
