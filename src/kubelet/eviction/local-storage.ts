/** Whether a pod has outgrown a limit on what it keeps on the node's disk, and which. */
import { addQuantities, compareQuantities, formatQuantity, fromWhole, isZeroQuantity, type Quantity, quantity } from '../../machinery/quantity.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import { isSidecar } from '../pod/identity.ts'
import { diskUsage, type PodUsage } from './pod-usage.ts'

const resource = 'ephemeral-storage'
const exceeds = (bytes: number, limit: Quantity) => compareQuantities(fromWhole(bytes), limit) > 0

/** Whether anything of the pod is limited, so that it has to be measured. */
export const hasStorageLimits = (pod: V1Pod): boolean => (pod.spec.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit) || podLimit(pod) !== undefined

export interface Outgrown {
  signal: 'emptydirfs.limit' | 'ephemeralpodfs.limit' | 'ephemeralcontainerfs.limit'
  message: string
}

export function outgrownLimit(pod: V1Pod, usage: PodUsage): Outgrown | undefined {
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    const limit = emptyDir?.sizeLimit
    if (limit === undefined || isZeroQuantity(limit)) continue
    if (exceeds(usage.volumes.get(name)?.bytes ?? 0, quantity(limit)))
      return { signal: 'emptydirfs.limit', message: `Usage of EmptyDir volume ${JSON.stringify(name)} exceeds the limit "${limit}". ` }
  }
  const total = podLimit(pod)
  if (total && exceeds(diskUsage(usage).bytes, total))
    return { signal: 'ephemeralpodfs.limit', message: `Pod ephemeral local storage usage exceeds the total limit of containers ${formatQuantity(total)}. ` }
  for (const { name, rootfs, logBytes } of usage.containers) {
    const limit = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((one) => one.name === name)?.resources?.limits?.[resource]
    if (limit !== undefined && exceeds(rootfs.bytes + logBytes, quantity(limit)))
      return { signal: 'ephemeralcontainerfs.limit', message: `Container ${name} exceeded its local ephemeral storage limit "${limit}". ` }
  }
  return undefined
}

/** The sum over containers and sidecars, or the most that an init container may have; undefined when nobody is limited. */
function podLimit(pod: V1Pod): Quantity | undefined {
  const limitsOf = (containers: V1Pod['spec']['containers']) => containers.flatMap(({ resources }) => resources?.limits?.[resource] ?? [])
  const inits = pod.spec.initContainers ?? []
  const running = limitsOf([...pod.spec.containers, ...inits.filter(isSidecar)])
  const before = limitsOf(inits.filter((container) => !isSidecar(container)))
  if (running.length + before.length === 0) return undefined
  const sum = running.reduce((total: Quantity, limit) => addQuantities(total, limit), { ...quantity('0'), format: quantity(running[0] ?? '0').format })
  return before.reduce((most: Quantity, limit) => (compareQuantities(limit, most) > 0 ? quantity(limit) : most), sum)
}
