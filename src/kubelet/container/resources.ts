import { qualityOfService } from '../../apis/core/quality-of-service.ts'
import { toMilli, toWhole } from '../../machinery/quantity.ts'
import type { V1Container, V1Pod } from '../../machinery/schema/generated/types.ts'
import type { ContainerResources } from '../../runtime/runtime.ts'
import { isSidecar } from '../pod/identity.ts'

const period = 100_000
const minShares = 2
const minQuota = 1_000

export const milliToShares = (milli: number): number => Math.min(262_144, Math.max(minShares, Math.floor((milli * 1024) / 1000)))
export const milliToQuota = (milli: number): number => Math.max(minQuota, Math.floor((milli * period) / 1000))

/** What the container may use, as numbers of the kernel. */
export function resourcesOf(pod: V1Pod, container: V1Container, nodeMemory: number): ContainerResources {
  const { requests = {}, limits = {} } = container.resources ?? {}
  const cpuRequest = requests.cpu ?? limits.cpu
  const result: ContainerResources = {
    cpuShares: cpuRequest === undefined ? minShares : milliToShares(toMilli(cpuRequest)),
    oomScoreAdj: oomScoreAdj(pod, container, nodeMemory),
  }
  if (limits.cpu !== undefined && toMilli(limits.cpu) > 0) {
    result.cpuPeriod = period
    result.cpuQuota = milliToQuota(toMilli(limits.cpu))
  }
  if (limits.memory !== undefined && toWhole(limits.memory) > 0) result.memoryLimit = toWhole(limits.memory)
  return result
}

/** Whom the kernel ends first when memory is short: BestEffort 1000, Guaranteed -997, Burstable by its request. */
export function oomScoreAdj(pod: V1Pod, container: V1Container, nodeMemory: number): number {
  if ((pod.spec.priority ?? 0) >= 2_000_000_000) return -997
  const quality = qualityOfService(pod.spec)
  if (quality === 'Guaranteed') return -997
  if (quality === 'BestEffort') return 1000
  const share = nodeMemory === 0 ? 0 : Math.floor((1000 * memoryShare(pod, container)) / nodeMemory)
  const adjustment = 1000 - share
  if (adjustment < 3) return 3
  return adjustment === 1000 ? 999 : adjustment
}

/** In bytes: what the container asks for, and its part of what the pod asks for beyond its containers. */
function memoryShare({ spec }: V1Pod, container: V1Container): number {
  const asked = ({ resources }: V1Container) => toWhole(resources?.requests?.memory ?? resources?.limits?.memory ?? '0')
  const whole = spec.resources?.requests?.memory
  if (whole === undefined) return asked(container)
  const containers = [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)]
  const beyond = toWhole(whole) - containers.reduce((sum, one) => sum + asked(one), 0)
  return asked(container) + Math.max(0, Math.floor(beyond / containers.length))
}
