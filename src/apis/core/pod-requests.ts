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
export function podRequests(pod: V1Pod, of = ({ resources }: V1Container): Resources => requestsOf(resources)): Resources {
  const total: Resources = new Map()
  for (const container of pod.spec.containers) addAll(total, of(container))
  const sidecars: Resources = new Map()
  const init: Resources = new Map()
  for (const container of pod.spec.initContainers ?? []) {
    const own = of(container)
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

/**
 * What a pod holds of its node: while it is resized, the more of what it asks for and what it was given; what it was
 * given alone where the node will never have the other (KEP-1287).
 */
export function heldRequests(pod: V1Pod): Resources {
  const { conditions = [], containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {}
  const statuses = new Map([...initContainerStatuses, ...containerStatuses].map((status) => [status.name, status]))
  const isInfeasible = conditions.some(({ type, reason }) => type === 'PodResizePending' && reason === 'Infeasible')
  return podRequests(pod, ({ name, resources }) => {
    const { allocatedResources, resources: actual } = statuses.get(name) ?? {}
    if (!allocatedResources && !actual) return requestsOf(resources)
    const held = requestsOf({ requests: allocatedResources ?? {} })
    raise(held, requestsOf(actual))
    if (!isInfeasible) raise(held, requestsOf(resources))
    return held
  })
}
