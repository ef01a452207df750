/** What the node uses: what the runtime says of all its pods, else the sum of those that are there. */
import type { NodeStats, Runtime, SandboxStats } from '../../runtime/runtime.ts'

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)

export async function nodeUsage(runtime: Runtime, sandboxes: readonly SandboxStats[], now: number): Promise<NodeStats> {
  if (runtime.nodeStats) return runtime.nodeStats()
  const of = (read: (one: SandboxStats) => number) => sum(sandboxes.map(read))
  return {
    at: now,
    cpu: { usageCoreNanoSeconds: of((one) => one.cpu.usageCoreNanoSeconds) },
    memory: {
      usageBytes: of((one) => one.memory.usageBytes),
      workingSetBytes: of((one) => one.memory.workingSetBytes),
      rssBytes: of((one) => one.memory.rssBytes),
    },
    pids: of((one) => one.pids),
  }
}

/** Nanocores of a pod: what its containers use together; undefined until one of them has a rate. */
export function nanoCores({ containers }: SandboxStats): number | undefined {
  const rates = containers.flatMap(({ cpu }) => cpu.usageNanoCores ?? [])
  return rates.length === 0 ? undefined : sum(rates)
}
