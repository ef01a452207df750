/** Ends the containers of a pod within its grace: hooks first, sidecars after all others, in reverse order. */
import type { Clock } from '../../machinery/clock.ts'
import type { V1Container, V1Pod } from '../../machinery/schema/generated/types.ts'
import type { ContainerStatus, Runtime } from '../../runtime/runtime.ts'
import { runHook } from '../container/lifecycle-hook.ts'
import { messageOf } from '../container/start-error.ts'
import type { KubeletEvents } from '../events.ts'
import type { NetworkProbes } from '../probes/probe.ts'
import { allContainers, isSidecar } from './identity.ts'
import type { PodRuntime } from './pod-runtime.ts'

export interface TerminationOptions {
  runtime: Runtime
  network: NetworkProbes
  clock: Clock
  events: KubeletEvents
}

/** What a hook leaves at least for the signal, as upstream. */
const minimumSeconds = 2

export class Termination {
  readonly #options: TerminationOptions
  /** Containers whose preStop hook ran or runs: a second, shorter termination does not run it again. */
  readonly #hooked = new Set<string>()

  constructor(options: TerminationOptions) {
    this.#options = options
  }

  /** Resolves when all containers have ended. */
  async endPod(pod: V1Pod, runtime: PodRuntime, podIP: string, graceSeconds: number): Promise<void> {
    const deadline = this.#options.clock.monotonic() + graceSeconds * 1000
    const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name)
    const running = runtime.containers.filter((container) => container.state !== 'exited')
    const isOrdered = (container: ContainerStatus) => sidecars.includes(container.metadata.name)
    const end = (container: ContainerStatus) => this.endContainer(pod, container, podIP, Math.max(0, deadline - this.#options.clock.monotonic()) / 1000)
    await Promise.all(running.filter((container) => !isOrdered(container)).map(end))
    for (const name of sidecars.reverse()) for (const container of running) if (container.metadata.name === name) await end(container)
  }

  async endContainer(pod: V1Pod, container: ContainerStatus, podIP: string, graceSeconds: number, message?: string): Promise<void> {
    const { runtime, clock, events } = this.#options
    const spec = allContainers(pod).find((one) => one.container.name === container.metadata.name)?.container
    const first = !this.#hooked.has(container.id)
    if (first && container.state === 'running') {
      if (spec) events.container(pod, spec, 'Normal', 'Killing', message ?? `Stopping container ${container.metadata.name}`)
      else events.pod(pod, 'Normal', 'Killing', message ?? `Stopping container ${container.metadata.name}`)
    }
    const start = clock.monotonic()
    if (first && spec?.lifecycle?.preStop && container.state === 'running' && graceSeconds > 0) {
      this.#hooked.add(container.id)
      await this.#preStop(pod, spec, container.id, podIP, graceSeconds)
    }
    this.#hooked.add(container.id)
    const left = graceSeconds - (clock.monotonic() - start) / 1000
    await runtime.stopContainer(container.id, graceSeconds === 0 ? 0 : Math.max(left, Math.min(minimumSeconds, graceSeconds)))
    this.#hooked.delete(container.id)
  }

  async #preStop(pod: V1Pod, container: V1Container, containerId: string, podIP: string, graceSeconds: number): Promise<void> {
    const { runtime, network, clock, events } = this.#options
    const hook = container.lifecycle?.preStop
    if (!hook) return
    const over = new AbortController()
    const timer = clock.after(graceSeconds * 1000, () => over.abort(new Error('the grace period is over')))
    const ran = runHook(hook, { pod, container, containerId, podIP }, { runtime, network, clock, timeoutMs: graceSeconds * 1000, signal: over.signal })
    const timedOut = new Promise<void>((resolve) => over.signal.addEventListener('abort', () => resolve(), { once: true }))
    try {
      await Promise.race([ran, timedOut])
    } catch (error) {
      events.container(pod, container, 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${messageOf(error)}`)
    } finally {
      timer.cancel()
      ran.catch(() => {})
    }
  }
}
