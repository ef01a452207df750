/** Limits, in the specification's form; crun turns them into files of cgroup v1 or v2. */
import type { ContainerResources } from '../../runtime.ts'
import type { CgroupVersion } from '../cgroups/hierarchy.ts'
import type { OciDeviceRule, OciResources } from './oci.ts'

export function resourcesOf(wish: ContainerResources, cgroups: CgroupVersion, devices?: OciDeviceRule[]): OciResources {
  const cpu = {
    ...(wish.cpuShares ? { shares: wish.cpuShares } : {}),
    ...(wish.cpuQuota ? { quota: wish.cpuQuota, period: wish.cpuPeriod || 100_000 } : {}),
  }
  return {
    ...(devices ? { devices } : {}),
    // Swap counts together with memory: the same limit means none.
    ...(wish.memoryLimit ? { memory: { limit: wish.memoryLimit, ...(cgroups.swapAccounting ? { swap: wish.memoryLimit } : {}) } } : {}),
    ...(Object.keys(cpu).length > 0 ? { cpu } : {}),
    ...(wish.pidsLimit && wish.pidsLimit > 0 ? { pids: { limit: wish.pidsLimit } } : {}),
    // All processes of a container end together when memory runs out.
    ...(cgroups.version === 2 ? { unified: { 'memory.oom.group': '1' } } : {}),
  }
}
