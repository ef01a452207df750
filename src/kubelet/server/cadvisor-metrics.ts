/**
 * `/metrics/cadvisor`: the machine, each pod and each container as cAdvisor tells them, as far as the runtime measures
 * them. What is not measured is absent, not zero.
 */
import { Exposition } from '../../machinery/metrics/exposition.ts'
import type { ContainerStats, NodeStats, SandboxStats } from '../../runtime/runtime.ts'
import type { MachineInfo } from '../node/machine-info.ts'
import type { PodServices } from '../pod/pod-services.ts'
import { nodeUsage } from './node-usage.ts'

type Labels = Record<string, string>
type Sample = [labels: Labels, value: number | undefined, at: number]

/** A container, or what stands above several: a pod, the whole node. */
interface Measured {
  labels: Labels
  at: number
  cpu: NodeStats['cpu']
  memory: NodeStats['memory'] & Partial<Pick<ContainerStats['memory'], 'pageFaults' | 'majorPageFaults'>>
  details?: ContainerStats['details']
  /** Of containers. */
  rootfs?: ContainerStats['rootfs']
  startedAt?: number | undefined
  processes?: number | undefined
}

export interface CadvisorSources {
  services: Pick<PodServices, 'runtime' | 'cache' | 'clock'>
  machine: MachineInfo
}

export async function cadvisorMetrics({ services, machine }: CadvisorSources): Promise<string> {
  const { runtime, cache, clock } = services
  const page = new Page()
  const stats = await runtime.stats({ details: true })
  const containers = stats.flatMap((sandbox) => sandbox.containers.map((one) => measuredContainer(one, sandbox, cache)))
  const pods = stats.map((one): Measured => ({ ...one, labels: podLabels(one), processes: sum(one.containers.map(({ details }) => details?.processes)) }))
  const node = await nodeUsage(runtime, stats, clock.now())
  const all = [...containers, ...pods, { ...node, labels: { container: '', id: '/', image: '', name: '', namespace: '', pod: '' } }]
  writeProcessor(page, all)
  writeMemory(page, all)
  writeDisks(page, containers, all)
  writeNetwork(page, stats)
  writeLimits(page, [...containers, ...pods])
  page.each('container_processes', 'gauge', 'Number of processes that run.', all, ({ processes }) => processes)
  page.each('container_threads', 'gauge', 'Number of threads that run.', all, ({ details }) => details?.threads)
  page.each('container_last_seen', 'gauge', 'When it was last seen, in seconds since the epoch.', all, () => clock.now() / 1000)
  page.each('container_start_time_seconds', 'gauge', 'When it started, in seconds since the epoch.', containers, ({ startedAt }) =>
    startedAt === undefined ? undefined : startedAt / 1000,
  )
  writeMachine(page, machine, clock.now())
  return page.toString()
}

class Page extends Exposition {
  write(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): void {
    const known = samples.filter(([, value]) => value !== undefined)
    if (known.length === 0) return
    const sample = this.family(name, type, help)
    for (const [labels, value, at] of known) sample(labels, value ?? 0, at)
  }

  each(name: string, type: 'counter' | 'gauge', help: string, all: readonly Measured[], read: (one: Measured) => number | undefined, more: Labels = {}): void {
    this.write(name, type, help, labelled(all, read, more))
  }
}

const labelled = (all: readonly Measured[], read: (one: Measured) => number | undefined, more: Labels = {}) =>
  all.map((one): Sample => [{ ...one.labels, ...more }, read(one), one.at])

const sum = (values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0)
}
const seconds = (nanoSeconds: number | undefined) => (nanoSeconds === undefined ? undefined : nanoSeconds / 1e9)

const podLabels = ({ id, metadata }: SandboxStats): Labels => ({
  container: '',
  id: `/kubepods/pod${metadata.uid}`,
  image: '',
  name: id,
  namespace: metadata.namespace,
  pod: metadata.name,
})

function measuredContainer(one: ContainerStats, { metadata }: SandboxStats, cache: CadvisorSources['services']['cache']): Measured {
  const status = cache.get(metadata.uid).containers.find(({ id }) => id === one.id)
  const { namespace, name: pod, uid } = metadata
  const labels = { container: one.name, id: `/kubepods/pod${uid}/${one.id}`, image: status?.image ?? '', name: one.id, namespace, pod }
  return { ...one, labels, startedAt: status?.startedAt, processes: one.details?.processes }
}

function writeProcessor(page: Page, all: readonly Measured[]): void {
  const counter = (name: string, help: string, read: (one: Measured) => number | undefined, more?: Labels) =>
    page.each(`container_cpu_${name}`, 'counter', help, all, read, more)
  counter('usage_seconds_total', 'Processor time used, in seconds.', ({ cpu }) => seconds(cpu.usageCoreNanoSeconds), { cpu: 'total' })
  counter('user_seconds_total', 'Processor time used by programs themselves, in seconds.', ({ details }) => seconds(details?.cpu.userNanoSeconds))
  counter('system_seconds_total', 'Processor time used by the kernel for them, in seconds.', ({ details }) => seconds(details?.cpu.systemNanoSeconds))
  // Where there is no quota there are no periods.
  const limited = (read: (cpu: NonNullable<Measured['details']>['cpu']) => number | undefined) => (one: Measured) =>
    one.details?.cpu.quota === undefined ? undefined : read(one.details.cpu)
  counter(
    'cfs_periods_total',
    'Periods of the scheduler in which it wanted to run.',
    limited(({ periods }) => periods),
  )
  counter(
    'cfs_throttled_periods_total',
    'Periods in which it was held back.',
    limited(({ throttledPeriods }) => throttledPeriods),
  )
  counter(
    'cfs_throttled_seconds_total',
    'Time that it was held back, in seconds.',
    limited(({ throttledNanoSeconds }) => seconds(throttledNanoSeconds)),
  )
}

function writeMemory(page: Page, all: readonly Measured[]): void {
  const gauge = (name: string, help: string, read: (one: Measured) => number | undefined) => page.each(`container_memory_${name}`, 'gauge', help, all, read)
  gauge('usage_bytes', 'Memory used, caches included, in bytes.', ({ memory }) => memory.usageBytes)
  gauge('working_set_bytes', 'Memory used that cannot be given back easily, in bytes.', ({ memory }) => memory.workingSetBytes)
  gauge('rss', 'Anonymous memory, in bytes.', ({ memory }) => memory.rssBytes)
  gauge('swap', 'Swap used, in bytes.', ({ memory }) => memory.swapUsageBytes)
  gauge('cache', 'Memory that caches files, in bytes.', ({ details }) => details?.memory.cacheBytes)
  gauge('mapped_file', 'Files that are mapped into memory, in bytes.', ({ details }) => details?.memory.mappedFileBytes)
  gauge('max_usage_bytes', 'The most memory that was ever used, in bytes.', ({ details }) => details?.memory.maxUsageBytes)
  page.each('container_memory_failcnt', 'counter', 'Times that the limit was reached.', all, ({ details }) => details?.memory.limitReached)
  page.each(
    'container_oom_events_total',
    'counter',
    'Times that the kernel killed something because memory ran out.',
    all,
    ({ details }) => details?.memory.oomKills,
  )
  const scope = 'container'
  page.write('container_memory_failures_total', 'counter', 'Page faults.', [
    ...labelled(all, ({ memory }) => memory.pageFaults, { failure_type: 'pgfault', scope }),
    ...labelled(all, ({ memory }) => memory.majorPageFaults, { failure_type: 'pgmajfault', scope }),
  ])
}

function writeDisks(page: Page, containers: readonly Measured[], all: readonly Measured[]): void {
  page.each('container_fs_usage_bytes', 'gauge', 'Bytes that the writable layer takes.', containers, ({ rootfs }) => rootfs?.usedBytes, { device: '' })
  type Device = NonNullable<Measured['details']>['devices'][number]
  const devices = (name: string, help: string, read: (device: Device) => number) =>
    page.write(
      `container_fs_${name}`,
      'counter',
      help,
      all.flatMap(({ labels, at, details }) => (details?.devices ?? []).map((one): Sample => [{ ...labels, device: `/dev/${one.device}` }, read(one), at])),
    )
  devices('reads_bytes_total', 'Bytes read.', ({ readBytes }) => readBytes)
  devices('reads_total', 'Reads that were completed.', ({ reads }) => reads)
  devices('writes_bytes_total', 'Bytes written.', ({ writtenBytes }) => writtenBytes)
  devices('writes_total', 'Writes that were completed.', ({ writes }) => writes)
}

function writeNetwork(page: Page, stats: readonly SandboxStats[]): void {
  const counters = [
    ['receive_bytes', 'rxBytes', 'Bytes received.'],
    ['receive_packets', 'rxPackets', 'Packets received.'],
    ['receive_packets_dropped', 'rxDropped', 'Packets dropped while receiving.'],
    ['receive_errors', 'rxErrors', 'Errors while receiving.'],
    ['transmit_bytes', 'txBytes', 'Bytes sent.'],
    ['transmit_packets', 'txPackets', 'Packets sent.'],
    ['transmit_packets_dropped', 'txDropped', 'Packets dropped while sending.'],
    ['transmit_errors', 'txErrors', 'Errors while sending.'],
  ] as const
  for (const [name, counter, help] of counters)
    page.write(
      `container_network_${name}_total`,
      'counter',
      help,
      stats.flatMap((one) => one.network.interfaces.map((link): Sample => [{ ...podLabels(one), interface: link.name }, link[counter], one.at])),
    )
}

function writeLimits(page: Page, measured: readonly Measured[]): void {
  const gauge = (name: string, help: string, read: (one: NonNullable<Measured['details']>) => number | undefined) =>
    page.each(`container_spec_${name}`, 'gauge', help, measured, ({ details }) => details && read(details))
  gauge('cpu_period', 'Period of its processor time, in microseconds.', ({ cpu }) => cpu.period)
  gauge('cpu_quota', 'Processor time that it may use in a period, in microseconds.', ({ cpu }) => cpu.quota)
  gauge('cpu_shares', 'Its share of processor time when there is too little.', ({ cpu }) => cpu.shares)
  // Upstream's 0 is "no limit".
  gauge('memory_limit_bytes', 'Limit of its memory, in bytes; 0 for none.', ({ memory }) => memory.limitBytes ?? 0)
}

function writeMachine(page: Page, { cpus, memoryBytes, machineID, systemUUID, bootID, kernelVersion, osImage }: MachineInfo, at: number): void {
  const labels = { boot_id: bootID, machine_id: machineID, system_uuid: systemUUID }
  page.write('machine_cpu_cores', 'gauge', 'Logical processors of the machine.', [[labels, cpus, at]])
  page.write('machine_memory_bytes', 'gauge', 'Memory of the machine, in bytes.', [[labels, memoryBytes, at]])
  const versions = { cadvisorRevision: '', cadvisorVersion: '', dockerVersion: '', kernelVersion, osVersion: osImage }
  page.write('cadvisor_version_info', 'gauge', 'What the machine runs; always 1.', [[versions, 1, at]])
  page.write('container_scrape_error', 'gauge', '1 if usage could not be read.', [[{}, 0, at]])
  page.write('machine_scrape_error', 'gauge', '1 if the machine could not be read.', [[{}, 0, at]])
}
