/** What sandboxes and containers use. Disk usage is walked seldom: it costs. */
import { statSync } from 'node:fs'
import type { ContainerStats, InterfaceStats, NodeStats, SandboxStats } from '../runtime.ts'
import { readPidLimits } from './cgroups/pid-limits.ts'
import { readUsage } from './cgroups/usage.ts'
import { readDetails } from './cgroups/usage-details.ts'
import type { Containers } from './containers.ts'
import type { RuntimeContext } from './context.ts'
import { directorySize } from './directory-size.ts'
import { readText } from './json-file.ts'
import { rotatedLogs } from './log-files.ts'
import { type ContainerRecord, containerState, type SandboxRecord } from './records.ts'

/** A writable layer is measured again after this many milliseconds, or after this many times as long as it took. */
const measureEvery = 5_000
const measureShare = 50
/** A rate over less than this, of two readers that ask shortly after one another, says little. */
const shortestRate = 5000

export class Stats {
  readonly #context: RuntimeContext
  readonly #containers: Containers
  readonly #disk = new Map<string, { staleAt: number; bytes: number; inodes: number }>()
  readonly #cpu = new Map<string, { at: number; usage: number; rate?: number }>()

  constructor(context: RuntimeContext, containers: Containers) {
    this.#context = context
    this.#containers = containers
  }

  async of(sandboxes: SandboxRecord[], details = false): Promise<SandboxStats[]> {
    const ready = sandboxes.filter((sandbox) => sandbox.state === 'ready')
    const all = await Promise.all(ready.map((sandbox) => this.#sandbox(sandbox, details)))
    const alive = new Set(all.flatMap((one) => one.containers.map(({ id }) => id)))
    for (const known of [this.#disk, this.#cpu]) for (const id of known.keys()) if (!alive.has(id)) known.delete(id)
    return all
  }

  node(): NodeStats {
    const { clock, cgroups, cgroupRoot, pidMax } = this.#context
    const { cpuNanoSeconds, memory, pids } = readUsage(cgroups, cgroupRoot)
    const limits = { ...(pidMax === undefined ? {} : { pidMax }), pidLimits: readPidLimits(cgroups, cgroupRoot) }
    return { at: clock.now(), cpu: { usageCoreNanoSeconds: cpuNanoSeconds }, memory, pids, ...limits }
  }

  async #sandbox(sandbox: SandboxRecord, details: boolean): Promise<SandboxStats> {
    const { clock, cgroups, cgroupRoot } = this.#context
    const running = this.#containers.of(sandbox.id).filter(({ record }) => containerState(record) === 'running')
    const containers = await Promise.all(running.map(({ record }) => this.#container(record, details)))
    const group = `${cgroupRoot}${sandbox.config.cgroupParent}`
    const { cpuNanoSeconds, memory, pids } = readUsage(cgroups, group)
    const [first] = running
    return {
      id: sandbox.id,
      metadata: sandbox.metadata,
      at: clock.now(),
      cpu: { usageCoreNanoSeconds: cpuNanoSeconds },
      memory,
      network: { interfaces: sandbox.config.network === 'node' || !first?.record.process ? [] : interfaces(first.record.process.pid) },
      pids,
      containers,
      ...(details ? { details: readDetails(cgroups, group) } : {}),
    }
  }

  async #container(record: ContainerRecord, details: boolean): Promise<ContainerStats> {
    const { clock, cgroups } = this.#context
    const usage = readUsage(cgroups, record.cgroup)
    const disk = await this.#measured(record.id)
    const at = clock.now()
    const rate = this.#rate(record.id, at, usage.cpuNanoSeconds)
    return {
      id: record.id,
      name: record.config.metadata.name,
      at,
      cpu: { usageCoreNanoSeconds: usage.cpuNanoSeconds, ...(rate === undefined ? {} : { usageNanoCores: rate }) },
      memory: usage.memory,
      rootfs: { usedBytes: disk.bytes, inodesUsed: disk.inodes },
      logs: {
        usedBytes: [record.logPath, ...rotatedLogs(record.logPath)].reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0),
      },
      ...(details ? { details: readDetails(cgroups, record.cgroup) } : {}),
    }
  }

  /** Nanocores since the last reading that is long enough ago. */
  #rate(id: string, at: number, usage: number): number | undefined {
    const before = this.#cpu.get(id)
    if (before && at - before.at < shortestRate) return before.rate
    const rate = before && Math.max(0, Math.round(((usage - before.usage) * 1000) / (at - before.at)))
    this.#cpu.set(id, { at, usage, ...(rate === undefined ? {} : { rate }) })
    return rate
  }

  async #measured(id: string): Promise<{ bytes: number; inodes: number }> {
    const { clock, paths } = this.#context
    const known = this.#disk.get(id)
    const start = clock.monotonic()
    if (known && start < known.staleAt) return known
    const size = await directorySize(`${paths.containerData(id)}/upper`)
    const end = clock.monotonic()
    const measured = { staleAt: end + Math.max(measureEvery, (end - start) * measureShare), ...size }
    this.#disk.set(id, measured)
    return measured
  }
}

/** Counters of the network that a process lives in. */
function interfaces(pid: number): InterfaceStats[] {
  const lines = (readText(`/proc/${pid}/net/dev`) ?? '').split('\n').slice(2)
  return lines.flatMap((line) => {
    const [name = '', counters = ''] = line.split(':')
    if (counters === '' || name.trim() === 'lo') return []
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0, , , , , txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = counters
      .trim()
      .split(/\s+/)
      .map(Number)
    return [{ name: name.trim(), rxBytes, rxPackets, rxErrors, rxDropped, txBytes, txPackets, txErrors, txDropped }]
  })
}
