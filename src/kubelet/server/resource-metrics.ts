/** `/metrics/resource`: what the resource metrics pipeline reads. What has no sample yet is absent, not zero. */
import { Exposition } from '../../machinery/metrics/exposition.ts'
import type { NodeStats, SandboxStats } from '../../runtime/runtime.ts'
import type { PodServices } from '../pod/pod-services.ts'
import { nodeUsage } from './node-usage.ts'

type Sample = [labels: Record<string, string>, value: number | undefined, at?: number]

export async function resourceMetrics({ runtime, cache, clock, log }: PodServices): Promise<string> {
  const page = new Exposition()
  let failed = 0
  try {
    const stats = await runtime.stats()
    writeUsage(page, stats, await nodeUsage(runtime, stats, clock.now()), cache)
  } catch (error) {
    // What cannot be read is absent, and that it is so is a metric too.
    log.warn('usage could not be read', { error: String(error) })
    failed = 1
  }
  page.family('resource_scrape_error', 'gauge', '[STABLE] 1 if there was an error while getting container metrics, 0 otherwise')({}, failed)
  return page.toString()
}

function writeUsage(page: Exposition, stats: SandboxStats[], node: NodeStats, cache: PodServices['cache']): void {
  const family = (name: string, type: 'counter' | 'gauge', help: string, samples: Sample[]) => {
    const known = samples.filter(([, value]) => value !== undefined)
    if (known.length === 0) return
    const sample = page.family(name, type, `[STABLE] ${help}`)
    for (const [labels, value, at] of known) sample(labels, value ?? 0, at)
  }
  const of = ({ metadata }: SandboxStats) => ({ namespace: metadata.namespace, pod: metadata.name })
  const containers = stats.flatMap((sandbox) =>
    sandbox.containers.map((one) => ({ one, labels: { container: one.name, ...of(sandbox) }, uid: sandbox.metadata.uid })),
  )
  const ofContainers = (read: (one: SandboxStats['containers'][number]) => number | undefined) =>
    containers.map(({ one, labels }): Sample => [labels, read(one), one.at])
  const ofPods = (read: (one: SandboxStats) => number | undefined) => stats.map((one): Sample => [of(one), read(one), one.at])
  const startOf = (uid: string, id: string) => cache.get(uid).containers.find((container) => container.id === id)?.startedAt

  family(
    'container_cpu_usage_seconds_total',
    'counter',
    'Cumulative cpu time consumed by the container in core-seconds',
    ofContainers(({ cpu }) => cpu.usageCoreNanoSeconds / 1e9),
  )
  family(
    'container_memory_working_set_bytes',
    'gauge',
    'Current working set of the container in bytes',
    ofContainers(({ memory }) => memory.workingSetBytes),
  )
  family(
    'container_swap_usage_bytes',
    'gauge',
    'Current amount of the container swap usage in bytes',
    ofContainers(({ memory }) => memory.swapUsageBytes),
  )
  family(
    'container_start_time_seconds',
    'gauge',
    'Start time of the container since unix epoch in seconds',
    containers.map(({ one, labels, uid }): Sample => {
      const startedAt = startOf(uid, one.id)
      return [labels, startedAt === undefined ? undefined : startedAt / 1000]
    }),
  )
  family('node_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the node in core-seconds', [
    [{}, node.cpu.usageCoreNanoSeconds / 1e9, node.at],
  ])
  family('node_memory_working_set_bytes', 'gauge', 'Current working set of the node in bytes', [[{}, node.memory.workingSetBytes, node.at]])
  family('node_swap_usage_bytes', 'gauge', 'Current swap usage of the node in bytes', [[{}, node.memory.swapUsageBytes, node.at]])
  family(
    'pod_cpu_usage_seconds_total',
    'counter',
    'Cumulative cpu time consumed by the pod in core-seconds',
    ofPods(({ cpu }) => cpu.usageCoreNanoSeconds / 1e9),
  )
  family(
    'pod_memory_working_set_bytes',
    'gauge',
    'Current working set of the pod in bytes',
    ofPods(({ memory }) => memory.workingSetBytes),
  )
  family(
    'pod_swap_usage_bytes',
    'gauge',
    'Current amount of the pod swap usage in bytes',
    ofPods(({ memory }) => memory.swapUsageBytes),
  )
}
