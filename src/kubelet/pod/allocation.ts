/**
 * What the node has given a pod's containers: what they asked for when it last had room for it. Until it has room for
 * what they ask now, they keep that (KEP-1287).
 */
import { isDeepStrictEqual } from 'node:util'
import type { V1Container, V1Pod, V1ResourceRequirements } from '../../machinery/schema/generated/types.ts'

/** By container name. */
export type Given = ReadonlyMap<string, V1ResourceRequirements | undefined>

/** Why the node does not give a pod what it asks for: not yet, or never. */
export interface PendingResize {
  reason: 'Deferred' | 'Infeasible'
  message: string
}

const containersOf = ({ spec }: V1Pod): V1Container[] => [...(spec.initContainers ?? []), ...spec.containers]

export const asked = (pod: V1Pod): Given => new Map(containersOf(pod).map(({ name, resources }) => [name, resources]))

/** Of a pod that another kubelet, or this one before its restart, has run: what its status says that it was given. */
export function givenBefore(pod: V1Pod): Given {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  return new Map(
    containersOf(pod).map(({ name, resources }) => {
      const status = statuses.find((one) => one.name === name)
      if (!status?.resources) return [name, resources]
      const { requests: _, limits: __, ...others } = resources ?? {}
      const { limits } = status.resources
      return [name, { ...others, ...(limits ? { limits } : {}), ...(status.allocatedResources ? { requests: status.allocatedResources } : {}) }]
    }),
  )
}

/** The pod with what it was given in place of what it asks for; the pod itself where that is the same. */
export function withGiven(pod: V1Pod, given: Given): V1Pod {
  const differs = ({ name, resources }: V1Container) => given.has(name) && !isDeepStrictEqual(given.get(name) ?? {}, resources ?? {})
  if (!containersOf(pod).some(differs)) return pod
  const give = (container: V1Container): V1Container => {
    if (!differs(container)) return container
    const { resources: _, ...rest } = container
    const resources = given.get(container.name)
    return { ...rest, ...(resources ? { resources } : {}) }
  }
  const { initContainers, containers } = pod.spec
  return { ...pod, spec: { ...pod.spec, containers: containers.map(give), ...(initContainers ? { initContainers: initContainers.map(give) } : {}) } }
}
