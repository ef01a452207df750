import type { Clock } from '../../machinery/clock.ts'
import type { V1Container, V1ContainerStatus, V1Pod, V1Probe } from '../../machinery/schema/generated/types.ts'
import type { ContainerStatus, Runtime } from '../../runtime/runtime.ts'
import type { KubeletEvents } from '../events.ts'
import type { ProbeVerdicts } from '../pod/actions.ts'
import { isSidecar } from '../pod/identity.ts'
import { isRunning, latestOf, type PodRuntime } from '../pod/pod-runtime.ts'
import type { NetworkProbes, ProbeResult, ProbeTarget } from './probe.ts'
import type { ProbeMetrics } from './probe-metrics.ts'
import { type ProbeKind, ProbeWorker } from './probe-worker.ts'
import { runProbe } from './run-probe.ts'

export interface ProbeManagerOptions {
  runtime: Runtime
  network: NetworkProbes
  clock: Clock
  events: KubeletEvents
  metrics?: ProbeMetrics
  /** A verdict of one of the pod's probes has changed. */
  onChange(uid: string): void
}

interface Probed {
  containerId: string
  /** The newest of its pod: its address may come later than the container. */
  target: ProbeTarget
  workers: Map<ProbeKind, ProbeWorker>
}

const words: Record<ProbeKind, string> = { startup: 'Startup', readiness: 'Readiness', liveness: 'Liveness' }

/** Runs the probes of every container that runs, and says what they found. */
export class ProbeManager implements ProbeVerdicts {
  readonly #options: ProbeManagerOptions
  /** By pod uid, then container name. */
  readonly #pods = new Map<string, Map<string, Probed>>()
  readonly #byId = new Map<string, Probed>()

  constructor(options: ProbeManagerOptions) {
    this.#options = options
  }

  started(containerId: string): boolean | undefined {
    const probed = this.#byId.get(containerId)
    const worker = probed?.workers.get('startup')
    return worker ? worker.verdict : true
  }

  startup(containerId: string): boolean | undefined {
    return this.#byId.get(containerId)?.workers.get('startup')?.verdict
  }

  ready(containerId: string): boolean | undefined {
    const worker = this.#byId.get(containerId)?.workers.get('readiness')
    return worker ? worker.verdict : true
  }

  live(containerId: string): boolean | undefined {
    return this.#byId.get(containerId)?.workers.get('liveness')?.verdict
  }

  /** Starts probes of containers that run now, and ends those of containers that do not. */
  sync(pod: V1Pod, runtime: PodRuntime, podIP: string): void {
    const { uid } = pod.metadata
    const known = this.#pods.get(uid) ?? new Map<string, Probed>()
    this.#pods.set(uid, known)
    const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
    for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)]) {
      const status = latestOf(runtime, container.name)
      const probed = known.get(container.name)
      if (probed && (probed.containerId !== status?.id || !isRunning(status))) this.#end(known, container.name)
      if (!status || !isRunning(status)) continue
      const target: ProbeTarget = { pod, container, containerId: status.id, podIP }
      const still = known.get(container.name)
      if (still) still.target = target
      else this.#begin(known, container, status, target, statuses)
    }
  }

  /** The pod ends: only readiness is still asked for. */
  ending(uid: string): void {
    for (const { workers } of this.#pods.get(uid)?.values() ?? []) {
      workers.get('liveness')?.stop()
      workers.get('startup')?.stop()
    }
  }

  remove(uid: string): void {
    const known = this.#pods.get(uid)
    for (const name of [...(known?.keys() ?? [])]) if (known) this.#end(known, name)
    this.#pods.delete(uid)
  }

  stop(): void {
    for (const uid of [...this.#pods.keys()]) this.remove(uid)
  }

  #begin(known: Map<string, Probed>, container: V1Container, status: ContainerStatus, target: ProbeTarget, statuses: V1ContainerStatus[]): void {
    const probed: Probed = { containerId: status.id, target, workers: new Map() }
    const before = statuses.find((one) => one.containerID?.endsWith(`://${status.id}`))
    const add = (kind: ProbeKind, probe: V1Probe | undefined, initial: boolean | undefined) => {
      if (probe) probed.workers.set(kind, this.#worker(kind, probe, status, probed, initial))
    }
    known.set(container.name, probed)
    this.#byId.set(status.id, probed)
    add('startup', container.startupProbe, before?.started === true ? true : undefined)
    add('readiness', container.readinessProbe, before?.ready ?? false)
    add('liveness', container.livenessProbe, undefined)
    if (before?.started === true) probed.workers.get('startup')?.stop()
  }

  #worker(kind: ProbeKind, probe: V1Probe, status: ContainerStatus, probed: Probed, initial: boolean | undefined): ProbeWorker {
    const { clock, runtime, network, events, onChange } = this.#options
    return new ProbeWorker({
      kind,
      probe,
      clock,
      containerStartedAt: status.startedAt ?? clock.now(),
      initial,
      run: async () => {
        const start = clock.monotonic()
        const result = await runProbe(probe, probed.target, runtime, network)
        // That it has ended is told elsewhere, and is no failure of a probe.
        if (result.result !== 'success' && (await runtime.containerStatus(status.id))?.state !== 'running') return undefined
        this.#options.metrics?.observe(kind, probed.target, result, (clock.monotonic() - start) / 1000)
        return result
      },
      mayRun: () => kind === 'startup' || this.started(status.id) === true,
      onChange: () => {
        if (kind === 'startup') for (const worker of probed.workers.values()) if (worker.kind !== 'startup') worker.hurry()
        onChange(probed.target.pod.metadata.uid)
      },
      onFailure: ({ result, output }: ProbeResult) => {
        const what = result === 'unknown' ? 'errored and resulted in unknown state' : 'failed'
        events.container(probed.target.pod, probed.target.container, 'Warning', 'Unhealthy', `${words[kind]} probe ${what}: ${output}`)
      },
    })
  }

  #end(known: Map<string, Probed>, name: string): void {
    const probed = known.get(name)
    if (!probed) return
    for (const worker of probed.workers.values()) worker.stop()
    if (probed.workers.size > 0) this.#options.metrics?.forget(probed.target)
    known.delete(name)
    this.#byId.delete(probed.containerId)
  }
}
