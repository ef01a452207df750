import type { PodSandbox, SandboxStats } from '../runtime.ts'
import type { SimulatedContainer } from './simulated-container.ts'

/** Usage as the containers' profiles say: constant while they run, processor time adding up. */
export function simulatedStats(sandbox: PodSandbox, containers: SimulatedContainer[], now: number): SandboxStats {
  const stats = containers
    .filter((container) => container.running)
    .map((container) => {
      const { milliCores = 0, memoryBytes = 0 } = container.life.usage ?? {}
      const seconds = (now - (container.status.startedAt ?? now)) / 1000
      return {
        id: container.status.id,
        name: container.status.metadata.name,
        at: now,
        cpu: { usageCoreNanoSeconds: Math.round(seconds * milliCores * 1e6), usageNanoCores: milliCores * 1e6 },
        memory: { usageBytes: memoryBytes, workingSetBytes: memoryBytes, rssBytes: memoryBytes, pageFaults: 0, majorPageFaults: 0 },
        rootfs: { usedBytes: 0, inodesUsed: 0 },
        logs: { usedBytes: 0 },
      }
    })
  const sum = (of: (one: (typeof stats)[number]) => number) => stats.reduce((total, one) => total + of(one), 0)
  const memory = sum((one) => one.memory.usageBytes)
  return {
    id: sandbox.id,
    metadata: sandbox.metadata,
    at: now,
    cpu: { usageCoreNanoSeconds: sum((one) => one.cpu.usageCoreNanoSeconds) },
    memory: { usageBytes: memory, workingSetBytes: memory, rssBytes: memory },
    network: { interfaces: [{ name: 'eth0', rxBytes: 0, rxErrors: 0, txBytes: 0, txErrors: 0 }] },
    pids: stats.length,
    containers: stats,
  }
}
