/** What a kubelet's `/metrics/resource` says, read out of its Prometheus text. */

export interface Sample {
  /** Milliseconds since the epoch. */
  at: number
  /** Processor time since the start, in seconds. */
  cpuSeconds: number
  memoryBytes: number
  /** Of a container: when it started; 0 where that is not told. */
  startedAt: number
}

export interface NodeSamples {
  node: Sample | undefined
  /** By `namespace/name`, then by container. */
  pods: Map<string, Map<string, Sample>>
}

type Field = 'cpuSeconds' | 'memoryBytes' | 'startedAt'

const fields: Record<string, { of: 'node' | 'container'; field: Field }> = {
  node_cpu_usage_seconds_total: { of: 'node', field: 'cpuSeconds' },
  node_memory_working_set_bytes: { of: 'node', field: 'memoryBytes' },
  container_cpu_usage_seconds_total: { of: 'container', field: 'cpuSeconds' },
  container_memory_working_set_bytes: { of: 'container', field: 'memoryBytes' },
  container_start_time_seconds: { of: 'container', field: 'startedAt' },
}

const line = /^([a-z_]+)(?:\{(.*)\})? (\S+)(?: (\d+))?$/
const label = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g

interface Partial {
  at: number
  cpuSeconds?: number
  memoryBytes?: number
  startedAt?: number
}

/** `now` is when samples without a time of their own were taken. What lacks one of its values is left out. */
export function parseSamples(text: string, now: number): NodeSamples {
  const node: Partial = { at: 0 }
  const pods = new Map<string, Map<string, Partial>>()
  for (const one of text.split('\n')) {
    const match = line.exec(one)
    const known = match && fields[match[1] ?? '']
    if (!match || !known) continue
    const value = Number(match[3])
    if (!Number.isFinite(value)) continue
    const target = known.of === 'node' ? node : containerOf(pods, match[2] ?? '')
    target[known.field] = known.field === 'startedAt' ? value * 1000 : value
    // The processor time's: rates are made of it.
    if (known.field === 'cpuSeconds') target.at = match[4] === undefined ? now : Number(match[4])
  }
  const whole = new Map<string, Map<string, Sample>>()
  for (const [pod, containers] of pods) {
    const samples = [...containers].flatMap(([name, partial]) => {
      const sample = complete(partial)
      return sample ? [[name, sample] as const] : []
    })
    if (samples.length === containers.size) whole.set(pod, new Map(samples))
  }
  return { node: complete(node), pods: whole }
}

function containerOf(pods: Map<string, Map<string, Partial>>, text: string): Partial {
  const labels: Record<string, string> = {}
  for (const [, name = '', value = ''] of text.matchAll(label)) labels[name] = value
  const key = `${labels.namespace}/${labels.pod}`
  const containers = pods.get(key) ?? new Map<string, Partial>()
  pods.set(key, containers)
  const container = labels.container ?? ''
  const partial = containers.get(container) ?? { at: 0 }
  containers.set(container, partial)
  return partial
}

const complete = ({ at, cpuSeconds, memoryBytes, startedAt = 0 }: Partial): Sample | undefined =>
  cpuSeconds === undefined || memoryBytes === undefined ? undefined : { at, cpuSeconds, memoryBytes, startedAt }
