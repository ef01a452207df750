/**
 * The control groups above the containers: `kubepods`, one for each quality of service, one for each pod.
 * Two implementations, for the two layouts of the kernel; and none, where no process runs.
 */
import { toMilli, toWhole } from '../../machinery/quantity.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import { milliToQuota, milliToShares } from '../container/resources.ts'
import { isSidecar } from '../pod/identity.ts'
import { qualityOfService } from '../pod/quality-of-service.ts'

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
  const quality = qualityOfService(pod)
  const parent = quality === 'Guaranteed' ? '/kubepods' : `/kubepods/${quality.toLowerCase()}`
  return `${parent}/pod${pod.metadata.uid}`
}

/** Sums over the containers; a limit only where every container has one. */
export function podLimits(pod: V1Pod): PodLimits {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)]
  const sum = (of: (list: Record<string, string>) => number, kind: 'requests' | 'limits') =>
    containers.reduce((total, { resources }) => total + of({ ...(kind === 'requests' ? resources?.limits : {}), ...resources?.[kind] }), 0)
  const allLimit = (name: string) => containers.every(({ resources }) => resources?.limits?.[name] !== undefined)
  const cpu = (list: Record<string, string>) => toMilli(list.cpu ?? '0')
  const memory = (list: Record<string, string>) => toWhole(list.memory ?? '0')
  const limits: PodLimits = { cpuShares: milliToShares(sum(cpu, 'requests')) }
  if (allLimit('cpu')) limits.cpuQuota = milliToQuota(sum(cpu, 'limits'))
  if (allLimit('memory')) limits.memoryLimit = sum(memory, 'limits')
  return limits
}

export const noCgroups: Cgroups = {
  prepare: async () => {},
  ensurePod: async (pod) => podCgroup(pod),
  removePod: async () => {},
  podUids: async () => [],
}
