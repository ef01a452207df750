/** `/stats/summary`: what the node, what runs on it for the system, and each of its pods use. */
import { readFileSync } from 'node:fs'
import * as os from 'node:os'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import type { ContainerStats, NodeStats, SandboxStats } from '../../runtime/runtime.ts'
import type { DirectoryUsage } from '../eviction/directory-usage.ts'
import { observeProcesses } from '../eviction/processes.ts'
import type { MachineInfo } from '../node/machine-info.ts'
import type { PodServices } from '../pod/pod-services.ts'
import { nanoCores, nodeUsage } from './node-usage.ts'
import { type FileSystemStats, fileSystemStats, volumeStats } from './volume-stats.ts'

export interface SummarySources {
  services: PodServices
  nodeName: string
  /** As the node's capacity says. */
  machine: MachineInfo
  pods(): readonly V1Pod[]
  directories: DirectoryUsage
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
const time = (at: number) => new Date(at).toISOString()
type Memory = SandboxStats['memory'] & { pageFaults?: number; majorPageFaults?: number }

export async function statsSummary({ services, nodeName, machine, pods, directories }: SummarySources): Promise<unknown> {
  const { runtime, cache, clock, files } = services
  const [stats, disk] = await Promise.all([runtime.stats(), runtime.imageFsInfo()])
  const now = clock.now()
  // A simulated node has no disk of its own that could be asked.
  const device = files.keeps ? await fileSystemStats(disk.mountpoint) : undefined
  const room = {
    availableBytes: disk.availableBytes,
    capacityBytes: disk.capacityBytes,
    ...(device ? { inodesFree: device.inodesFree, inodes: device.inodes } : {}),
  }
  const imageFs = { time: time(now), ...room, usedBytes: disk.usedBytes, inodesUsed: disk.inodesUsed }
  const node = await nodeUsage(runtime, stats, now)
  const processes = files.keeps ? await observeProcesses(runtime) : undefined
  const rates = stats.flatMap((one) => nanoCores(one) ?? [])
  const cpu = cpuOf(node.at, node.cpu.usageCoreNanoSeconds, rates.length === 0 ? undefined : sum(rates))
  const byUid = new Map(pods().map((pod) => [pod.metadata.uid, pod]))
  return {
    node: {
      nodeName,
      systemContainers: [
        ...(files.keeps ? [ownUsage(now)] : []),
        { name: 'pods', startTime: time(bootTime(now)), cpu, memory: memoryOf(node.at, node.memory, machine.memoryBytes), ...swapOf(node) },
      ],
      startTime: time(bootTime(now)),
      cpu,
      memory: memoryOf(node.at, node.memory, machine.memoryBytes),
      ...(files.keeps ? { network: networkOf(now, nodeInterfaces()) } : {}),
      fs: device ? { time: time(now), ...device } : imageFs,
      runtime: { imageFs, containerFs: imageFs },
      ...(processes ? { rlimit: { time: time(now), maxpid: processes.capacity, curproc: processes.capacity - processes.available } } : {}),
      ...swapOf(node),
    },
    pods: await Promise.all(stats.map((sandbox) => podStats(sandbox, byUid.get(sandbox.metadata.uid)))),
  }

  async function podStats(sandbox: SandboxStats, pod: V1Pod | undefined) {
    const { uid } = sandbox.metadata
    const known = cache.get(uid)
    const volumes = pod && files.keeps ? await volumeStats(pod, services, directories) : []
    const own = volumes.filter(({ pvcRef }) => !pvcRef)
    const layers = sandbox.containers
    const used = sum(layers.map(({ rootfs, logs }) => rootfs.usedBytes + logs.usedBytes)) + sum(own.map(({ usedBytes }) => usedBytes))
    const inodes = sum(layers.map(({ rootfs }) => rootfs.inodesUsed)) + sum(own.map(({ inodesUsed }) => inodesUsed))
    return {
      podRef: { name: sandbox.metadata.name, namespace: sandbox.metadata.namespace, uid },
      startTime: time(known.sandboxes[0]?.createdAt ?? now),
      containers: layers.map((one) => containerStats(one, known.containers.find(({ id }) => id === one.id)?.startedAt ?? one.at, room)),
      cpu: cpuOf(sandbox.at, sandbox.cpu.usageCoreNanoSeconds, nanoCores(sandbox)),
      memory: memoryOf(sandbox.at, sandbox.memory),
      ...(sandbox.network.interfaces.length > 0 ? { network: networkOf(sandbox.at, sandbox.network.interfaces) } : {}),
      ...(volumes.length > 0 ? { volume: volumes.map((volume) => ({ time: time(now), ...volume })) } : {}),
      'ephemeral-storage': { time: time(sandbox.at), ...room, usedBytes: used, inodesUsed: inodes },
      process_stats: { process_count: sandbox.pids },
      ...swapOf(sandbox),
    }
  }
}

function containerStats(one: ContainerStats, startedAt: number, room: Partial<FileSystemStats>) {
  return {
    name: one.name,
    startTime: time(startedAt),
    cpu: cpuOf(one.at, one.cpu.usageCoreNanoSeconds, one.cpu.usageNanoCores),
    memory: memoryOf(one.at, one.memory),
    rootfs: { time: time(one.at), ...room, usedBytes: one.rootfs.usedBytes, inodesUsed: one.rootfs.inodesUsed },
    logs: { time: time(one.at), ...room, usedBytes: one.logs.usedBytes },
    ...swapOf(one),
  }
}

const cpuOf = (at: number, nanoSeconds: number, rate: number | undefined) => ({
  time: time(at),
  ...(rate === undefined ? {} : { usageNanoCores: rate }),
  usageCoreNanoSeconds: nanoSeconds,
})

/** `available` is told where there is a bound. */
function memoryOf(at: number, { usageBytes, workingSetBytes, rssBytes, pageFaults, majorPageFaults }: Memory, bound?: number) {
  return {
    time: time(at),
    ...(bound === undefined ? {} : { availableBytes: Math.max(0, bound - workingSetBytes) }),
    usageBytes,
    workingSetBytes,
    rssBytes,
    ...(pageFaults === undefined ? {} : { pageFaults, majorPageFaults }),
  }
}

/** Absent where the kernel does not count it. */
const swapOf = ({ at, memory }: NodeStats | SandboxStats | ContainerStats) =>
  memory.swapUsageBytes === undefined ? {} : { swap: { time: time(at), swapUsageBytes: memory.swapUsageBytes } }

type Interfaces = SandboxStats['network']['interfaces']

function networkOf(at: number, interfaces: Interfaces) {
  const [first] = [...interfaces.filter(({ name }) => name === 'eth0'), ...interfaces]
  return { time: time(at), ...first, interfaces }
}

/** The kubelet is a part of this process: its numbers are the process' own. */
function ownUsage(now: number) {
  const { user, system } = process.cpuUsage()
  const rssBytes = process.memoryUsage.rss()
  return {
    name: 'kubelet',
    startTime: time(performance.timeOrigin),
    cpu: cpuOf(now, (user + system) * 1000, undefined),
    memory: memoryOf(now, { usageBytes: rssBytes, workingSetBytes: rssBytes, rssBytes }),
  }
}

const bootTime = (now: number) => now - os.uptime() * 1000

/** Of this network namespace, which is the node's. */
function nodeInterfaces(): Interfaces {
  const lines = (ifReadable('/proc/net/dev') ?? '').split('\n').slice(2)
  return lines.flatMap((line) => {
    const [name = '', counters = ''] = line.split(':')
    if (counters === '' || /^(lo|veth)/.test(name.trim())) return []
    const numbers = counters.trim().split(/\s+/).map(Number)
    return [{ name: name.trim(), rxBytes: numbers[0] ?? 0, rxErrors: numbers[2] ?? 0, txBytes: numbers[8] ?? 0, txErrors: numbers[10] ?? 0 }]
  })
}

function ifReadable(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
