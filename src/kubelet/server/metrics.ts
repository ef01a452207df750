/** The kubelet's metrics in Prometheus text form. */
import type { NodeStats, SandboxStats } from '../../runtime/runtime.ts'
import type { PodServices } from '../pod/pod-services.ts'
import { nanoCores, nodeUsage } from './node-usage.ts'

const label = (text: string) => text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')

class Text {
  readonly #lines: string[] = []
  family(name: string, type: 'counter' | 'gauge', help: string): void {
    this.#lines.push(`# HELP ${name} [STABLE] ${help}`, `# TYPE ${name} ${type}`)
  }
  sample(name: string, labels: Record<string, string>, value: number, at?: number): void {
    const text = Object.entries(labels)
      .map(([key, one]) => `${key}="${label(one)}"`)
      .join(',')
    this.#lines.push(`${name}${text ? `{${text}}` : ''} ${value}${at === undefined ? '' : ` ${at}`}`)
  }
  toString(): string {
    return `${this.#lines.join('\n')}\n`
  }
}

/** `/metrics/resource`: what the resource metrics pipeline reads. */
export async function resourceMetrics({ runtime, cache, clock, log }: PodServices): Promise<string> {
  const text = new Text()
  let failed = 0
  try {
    const stats = await runtime.stats()
    writeUsage(text, stats, await nodeUsage(runtime, stats, clock.now()), cache)
  } catch (error) {
    // What cannot be read is absent, and that it is so is a metric too.
    log.warn('usage could not be read', { error: String(error) })
    failed = 1
  }
  text.family('resource_scrape_error', 'gauge', '1 if there was an error while getting container metrics, 0 otherwise')
  text.sample('resource_scrape_error', {}, failed)
  return text.toString()
}

function writeUsage(text: Text, stats: SandboxStats[], node: NodeStats, cache: PodServices['cache']): void {
  const containers = stats.flatMap((sandbox) => sandbox.containers.map((one) => ({ one, sandbox })))
  const of = (sandbox: (typeof stats)[number]) => ({ namespace: sandbox.metadata.namespace, pod: sandbox.metadata.name })
  text.family('container_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the container in core-seconds')
  for (const { one, sandbox } of containers)
    text.sample('container_cpu_usage_seconds_total', { container: one.name, ...of(sandbox) }, one.cpu.usageCoreNanoSeconds / 1e9, one.at)
  text.family('container_memory_working_set_bytes', 'gauge', 'Current working set of the container in bytes')
  for (const { one, sandbox } of containers)
    text.sample('container_memory_working_set_bytes', { container: one.name, ...of(sandbox) }, one.memory.workingSetBytes, one.at)
  text.family('container_start_time_seconds', 'gauge', 'Start time of the container since unix epoch in seconds')
  for (const { one, sandbox } of containers) {
    const startedAt = cache.get(sandbox.metadata.uid).containers.find((container) => container.id === one.id)?.startedAt
    if (startedAt !== undefined) text.sample('container_start_time_seconds', { container: one.name, ...of(sandbox) }, startedAt / 1000)
  }
  text.family('node_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the node in core-seconds')
  text.sample('node_cpu_usage_seconds_total', {}, node.cpu.usageCoreNanoSeconds / 1e9, node.at)
  text.family('node_memory_working_set_bytes', 'gauge', 'Current working set of the node in bytes')
  text.sample('node_memory_working_set_bytes', {}, node.memory.workingSetBytes, node.at)
  text.family('pod_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the pod in core-seconds')
  for (const one of stats) text.sample('pod_cpu_usage_seconds_total', of(one), one.cpu.usageCoreNanoSeconds / 1e9, one.at)
  text.family('pod_memory_working_set_bytes', 'gauge', 'Current working set of the pod in bytes')
  for (const one of stats) text.sample('pod_memory_working_set_bytes', of(one), one.memory.workingSetBytes, one.at)
}

export async function kubeletMetrics({ runtime }: PodServices, nodeName: string): Promise<string> {
  const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()])
  const text = new Text()
  text.family('kubelet_node_name', 'gauge', "The node's name. The count is always 1.")
  text.sample('kubelet_node_name', { node: nodeName }, 1)
  text.family('kubelet_running_pods', 'gauge', 'Number of pods that have a running pod sandbox')
  text.sample('kubelet_running_pods', {}, sandboxes.filter((one) => one.state === 'ready').length)
  text.family('kubelet_running_containers', 'gauge', 'Number of containers currently running')
  for (const state of ['created', 'running', 'exited', 'unknown'])
    text.sample('kubelet_running_containers', { container_state: state }, containers.filter((one) => one.state === state).length)
  return text.toString()
}

/** `/stats/summary`. */
export async function statsSummary({ runtime, cache, clock }: PodServices, nodeName: string): Promise<unknown> {
  const [stats, disk] = await Promise.all([runtime.stats(), runtime.imageFsInfo()])
  const time = (at: number) => new Date(at).toISOString()
  const fs = {
    time: time(clock.now()),
    availableBytes: disk.availableBytes,
    capacityBytes: disk.capacityBytes,
    usedBytes: disk.usedBytes,
    inodesUsed: disk.inodesUsed,
  }
  const cpuOf = (at: number, nanoSeconds: number, nanoCores?: number) => ({
    time: time(at),
    ...(nanoCores === undefined ? {} : { usageNanoCores: nanoCores }),
    usageCoreNanoSeconds: nanoSeconds,
  })
  const now = clock.now()
  const node = await nodeUsage(runtime, stats, now)
  const rates = stats.flatMap((one) => nanoCores(one) ?? [])
  return {
    node: {
      nodeName,
      startTime: time(now),
      cpu: cpuOf(node.at, node.cpu.usageCoreNanoSeconds, rates.length === 0 ? undefined : sum(rates)),
      memory: { time: time(node.at), ...node.memory },
      fs,
      runtime: { imageFs: fs },
    },
    pods: stats.map((sandbox) => ({
      podRef: { name: sandbox.metadata.name, namespace: sandbox.metadata.namespace, uid: sandbox.metadata.uid },
      startTime: time(cache.get(sandbox.metadata.uid).sandboxes[0]?.createdAt ?? now),
      containers: sandbox.containers.map((one) => ({
        name: one.name,
        startTime: time(cache.get(sandbox.metadata.uid).containers.find((container) => container.id === one.id)?.startedAt ?? one.at),
        cpu: cpuOf(one.at, one.cpu.usageCoreNanoSeconds, one.cpu.usageNanoCores),
        memory: {
          time: time(one.at),
          usageBytes: one.memory.usageBytes,
          workingSetBytes: one.memory.workingSetBytes,
          rssBytes: one.memory.rssBytes,
          pageFaults: one.memory.pageFaults,
          majorPageFaults: one.memory.majorPageFaults,
        },
        rootfs: { time: time(one.at), usedBytes: one.rootfs.usedBytes, inodesUsed: one.rootfs.inodesUsed },
        logs: { time: time(one.at), usedBytes: one.logs.usedBytes },
      })),
      cpu: cpuOf(sandbox.at, sandbox.cpu.usageCoreNanoSeconds, nanoCores(sandbox)),
      memory: {
        time: time(sandbox.at),
        usageBytes: sandbox.memory.usageBytes,
        workingSetBytes: sandbox.memory.workingSetBytes,
        rssBytes: sandbox.memory.rssBytes,
      },
      network: {
        time: time(sandbox.at),
        interfaces: sandbox.network.interfaces.map(({ name, rxBytes, rxErrors, txBytes, txErrors }) => ({ name, rxBytes, rxErrors, txBytes, txErrors })),
      },
      process_stats: { process_count: sandbox.pids },
    })),
  }
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
