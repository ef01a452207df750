/** Changes of requests and limits of a running pod: applied to its containers as they run, or by a restart where the container asks for one. */

import type { V1Container, V1Pod } from '../../machinery/schema/generated/types.ts'
import type { ContainerResources, ContainerStatus, Runtime } from '../../runtime/runtime.ts'
import { resourcesOf } from '../container/resources.ts'
import { isSidecar } from './identity.ts'
import { isRunning, latestOf, type PodRuntime } from './pod-runtime.ts'

type Measure = 'cpuShares' | 'cpuQuota' | 'memoryLimit'

const cpu: readonly Measure[] = ['cpuShares', 'cpuQuota']
/** No limit, where there was one: leaving it out would keep it. */
const none = -1

function changed(container: V1Container, pod: V1Pod, status: ContainerStatus): { wanted: ContainerResources; measures: Measure[] } {
  const wanted = resourcesOf(pod, container, 0)
  const measures = ([...cpu, 'memoryLimit'] as const).filter((name) => (wanted[name] ?? none) !== (status.resources[name] ?? none))
  return { wanted, measures }
}

/** Whether what has changed needs the container to start anew, by its resize policy. */
export function needsRestart(pod: V1Pod, container: V1Container, status: ContainerStatus): boolean {
  const restarts = (resource: string) =>
    container.resizePolicy?.some((policy) => policy.resourceName === resource && policy.restartPolicy === 'RestartContainer') ?? false
  return changed(container, pod, status).measures.some((measure) => restarts(cpu.includes(measure) ? 'cpu' : 'memory'))
}

const runningOnes = (pod: V1Pod, runtime: PodRuntime) =>
  [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)].flatMap((container) => {
    const status = latestOf(runtime, container.name)
    return status && isRunning(status) ? [{ container, status }] : []
  })

/** Whether it runs with other resources than the pod was given. */
export const isResizing = (pod: V1Pod, container: V1Container, status: ContainerStatus): boolean => changed(container, pod, status).measures.length > 0

export const isResized = (pod: V1Pod, runtime: PodRuntime): boolean =>
  runningOnes(pod, runtime).some(({ container, status }) => isResizing(pod, container, status))

export async function resizeContainers(pod: V1Pod, runtime: PodRuntime, of: Runtime): Promise<void> {
  for (const { container, status } of runningOnes(pod, runtime)) {
    const { wanted, measures } = changed(container, pod, status)
    if (measures.length === 0) continue
    const { oomScoreAdj: _, ...rest } = wanted
    await of.updateContainerResources(status.id, { ...Object.fromEntries(measures.map((measure) => [measure, none])), ...rest })
  }
}
