/**
 * The control groups above the containers: `kubepods`, one for each quality of service, one for each pod.
 * Two implementations, for the two layouts of the kernel; and none, where no process runs.
 */
import { qualityOfService } from '../../apis/core/quality-of-service.ts'
import { toMilli, toWhole } from '../../machinery/quantity.ts'
import type { V1Pod, V1ResourceRequirements } from '../../machinery/schema/generated/types.ts'
import { milliToQuota, milliToShares } from '../container/resources.ts'
import { isSidecar } from '../pod/identity.ts'

export interface Cgroups {
  /** Makes the groups for pods as a whole. `capacity` in millicores and bytes. */
  prepare(capacity: { cpu: number; memory: number }): Promise<void>
  /** Makes or changes the pod's group; returns its path below the node's root. */
  ensurePod(pod: V1Pod): Promise<string>
  /** Ends what is left in it. Idempotent. */
  removePod(uid: string): Promise<void>
  /** Pods that have a group. */
  podUids(): Promise<string[]>
}

export interface PodLimits {
  cpuShares: number
  cpuQuota?: number
  memoryLimit?: number
}

/** `/kubepods/pod<uid>`, `/kubepods/burstable/pod<uid>`, `/kubepods/besteffort/pod<uid>`. */
export function podCgroup(pod: V1Pod): string {
  const quality = qualityOfService(pod.spec)
  const parent = quality === 'Guaranteed' ? '/kubepods' : `/kubepods/${quality.toLowerCase()}`
  return `${parent}/pod${pod.metadata.uid}`
}

/**
 * What the pod asks for as a whole (KEP-2837), else sums over the containers, where a limit takes one of every container;
 * and its overhead (KEP-688).
 */
export function podLimits({ spec }: V1Pod): PodLimits {
  const containers = [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)].map(({ resources }) => resources)
  const has = (name: Compute) => (one: V1ResourceRequirements | undefined) => one?.limits?.[name] !== undefined
  const total = (kind: 'requests' | 'limits', name: Compute) => {
    const amount = (one: V1ResourceRequirements | undefined) => one?.[kind]?.[name] ?? one?.limits?.[name]
    const whole = amount(spec.resources)
    const amounts = [...(whole === undefined ? containers.map(amount) : [whole]), spec.overhead?.[name]]
    return amounts.reduce((sum, one) => sum + (one === undefined ? 0 : measure[name](one)), 0)
  }
  const isLimited = (name: Compute) => has(name)(spec.resources) || containers.every(has(name))
  const limits: PodLimits = { cpuShares: milliToShares(total('requests', 'cpu')) }
  if (isLimited('cpu')) limits.cpuQuota = milliToQuota(total('limits', 'cpu'))
  if (isLimited('memory')) limits.memoryLimit = total('limits', 'memory')
  return limits
}

type Compute = 'cpu' | 'memory'
const measure = { cpu: toMilli, memory: toWhole } as const

export const noCgroups: Cgroups = {
  prepare: async () => {},
  ensurePod: async (pod) => podCgroup(pod),
  removePod: async () => {},
  podUids: async () => [],
}
