/** What a simulated node's kubelet would say of usage, without its text and a connection to read it by. */
import type { NodeSamples, Sample } from '../../metrics/resource-samples.ts'
import type { SimulatedRuntime } from '../../runtime/simulated/simulated-runtime.ts'

export async function simulatedSamples(runtime: SimulatedRuntime, now: number): Promise<NodeSamples> {
  const pods: NodeSamples['pods'] = new Map()
  const node: Sample = { at: now, cpuSeconds: 0, memoryBytes: 0, startedAt: 0 }
  for (const { metadata, containers } of await runtime.stats()) {
    const samples = new Map<string, Sample>()
    for (const { id, name, at, cpu, memory } of containers) {
      const cpuSeconds = cpu.usageCoreNanoSeconds / 1e9
      const { startedAt = 0 } = (await runtime.containerStatus(id)) ?? {}
      samples.set(name, { at, cpuSeconds, memoryBytes: memory.workingSetBytes, startedAt })
      node.cpuSeconds += cpuSeconds
      node.memoryBytes += memory.workingSetBytes
    }
    if (samples.size > 0) pods.set(`${metadata.namespace}/${metadata.name}`, samples)
  }
  return { node, pods }
}
