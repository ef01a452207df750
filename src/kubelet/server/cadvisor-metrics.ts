/** `/metrics/cadvisor`: each container as cAdvisor tells it, as far as the runtime measures it. */
import { Exposition } from '../../machinery/metrics/exposition.ts'
import type { SandboxStats } from '../../runtime/runtime.ts'
import type { PodServices } from '../pod/pod-services.ts'

type Labels = Record<string, string>
type Sample = [labels: Labels, value: number | undefined, at: number]

export async function cadvisorMetrics({ runtime, cache, clock }: PodServices): Promise<string> {
  const page = new Exposition()
  const stats = await runtime.stats()
  const family = (name: string, type: 'counter' | 'gauge', help: string, samples: Sample[]) => {
    const known = samples.filter(([, value]) => value !== undefined)
    if (known.length === 0) return
    const sample = page.family(name, type, help)
    for (const [labels, value, at] of known) sample(labels, value ?? 0, at)
  }
  const ofPod = ({ id, metadata }: SandboxStats): Labels => ({
    container: '',
    id: `/kubepods/pod${metadata.uid}`,
    image: '',
    name: id,
    namespace: metadata.namespace,
    pod: metadata.name,
  })
  const containers = stats.flatMap((sandbox) =>
    sandbox.containers.map((one) => {
      const status = cache.get(sandbox.metadata.uid).containers.find(({ id }) => id === one.id)
      const { namespace, name: pod } = sandbox.metadata
      const labels = { container: one.name, id: `/kubepods/pod${sandbox.metadata.uid}/${one.id}`, image: status?.image ?? '', name: one.id, namespace, pod }
      return { one, labels, startedAt: status?.startedAt }
    }),
  )
  type Read<T> = (one: T) => number | undefined
  const each = (ofContainer: Read<SandboxStats['containers'][number]>, ofSandbox?: Read<SandboxStats>, more: Labels = {}): Sample[] => [
    ...containers.map(({ one, labels }): Sample => [{ ...labels, ...more }, ofContainer(one), one.at]),
    ...(ofSandbox ? stats.map((one): Sample => [{ ...ofPod(one), ...more }, ofSandbox(one), one.at]) : []),
  ]
  family(
    'container_cpu_usage_seconds_total',
    'counter',
    'Cumulative cpu time consumed in seconds.',
    each(
      ({ cpu }) => cpu.usageCoreNanoSeconds / 1e9,
      ({ cpu }) => cpu.usageCoreNanoSeconds / 1e9,
      { cpu: 'total' },
    ),
  )
  family(
    'container_memory_usage_bytes',
    'gauge',
    'Current memory usage in bytes, caches included.',
    each(
      ({ memory }) => memory.usageBytes,
      ({ memory }) => memory.usageBytes,
    ),
  )
  family(
    'container_memory_working_set_bytes',
    'gauge',
    'Current working set in bytes.',
    each(
      ({ memory }) => memory.workingSetBytes,
      ({ memory }) => memory.workingSetBytes,
    ),
  )
  family(
    'container_memory_rss',
    'gauge',
    'Size of RSS in bytes.',
    each(
      ({ memory }) => memory.rssBytes,
      ({ memory }) => memory.rssBytes,
    ),
  )
  family(
    'container_memory_swap',
    'gauge',
    'Swap usage in bytes.',
    each(
      ({ memory }) => memory.swapUsageBytes,
      ({ memory }) => memory.swapUsageBytes,
    ),
  )
  family('container_memory_failures_total', 'counter', 'Page faults.', [
    ...each(({ memory }) => memory.pageFaults, undefined, { failure_type: 'pgfault', scope: 'hierarchy' }),
    ...each(({ memory }) => memory.majorPageFaults, undefined, { failure_type: 'pgmajfault', scope: 'hierarchy' }),
  ])
  family(
    'container_fs_usage_bytes',
    'gauge',
    'Bytes that the writable layer takes.',
    each(({ rootfs }) => rootfs.usedBytes, undefined, { device: '' }),
  )
  family(
    'container_processes',
    'gauge',
    'Processes that run.',
    stats.map((one): Sample => [ofPod(one), one.pids, one.at]),
  )
  const counters = [
    ['receive_bytes', 'rxBytes', 'bytes received'],
    ['receive_errors', 'rxErrors', 'errors encountered while receiving'],
    ['transmit_bytes', 'txBytes', 'bytes transmitted'],
    ['transmit_errors', 'txErrors', 'errors encountered while transmitting'],
  ] as const
  for (const [name, field, help] of counters)
    family(
      `container_network_${name}_total`,
      'counter',
      `Cumulative count of ${help}.`,
      stats.flatMap((one) => one.network.interfaces.map((link): Sample => [{ ...ofPod(one), interface: link.name }, link[field], one.at])),
    )
  family(
    'container_last_seen',
    'gauge',
    'When the container was last seen.',
    each(
      () => clock.now() / 1000,
      () => clock.now() / 1000,
    ),
  )
  family(
    'container_start_time_seconds',
    'gauge',
    'When the container started, in seconds since the epoch.',
    containers.map(({ one, labels, startedAt }): Sample => [labels, startedAt === undefined ? undefined : startedAt / 1000, one.at]),
  )
  return page.toString()
}
