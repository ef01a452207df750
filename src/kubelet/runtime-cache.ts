/**
 * What the runtime has, by pod, kept fresh by its events and, for events that were lost, by listing now and
 * then (upstream: PLEG). Pods are told apart by the uid in their sandboxes' metadata.
 */
import type { Logger } from '../client/component.ts'
import type { Clock } from '../machinery/clock.ts'
import type { ContainerStatus, PodSandbox, Runtime } from '../runtime/runtime.ts'
import type { PodMetrics } from './pod/pod-metrics.ts'
import { nothingRuns, type PodRuntime } from './pod/pod-runtime.ts'

export interface RuntimeCacheOptions {
  runtime: Runtime
  clock: Clock
  log: Logger
  relistMs: number
  metrics?: PodMetrics | undefined
  /** The pod's sandboxes or containers may have changed. */
  onChange(uid: string): void
}

const newestSandboxFirst = (a: PodSandbox, b: PodSandbox) => b.metadata.attempt - a.metadata.attempt || b.createdAt - a.createdAt
const newestFirst = (a: ContainerStatus, b: ContainerStatus) => b.createdAt - a.createdAt || b.metadata.attempt - a.metadata.attempt

export class RuntimeCache {
  readonly #options: RuntimeCacheOptions
  readonly #pods = new Map<string, PodRuntime>()
  readonly #uidOfSandbox = new Map<string, string>()
  #lastRelist = 0

  constructor(options: RuntimeCacheOptions) {
    this.#options = options
  }

  get(uid: string): PodRuntime {
    return this.#pods.get(uid) ?? nothingRuns
  }

  uids(): string[] {
    return [...this.#pods.keys()]
  }

  /** When the runtime last answered a listing; monotonic. */
  get lastRelist(): number {
    return this.#lastRelist
  }

  /** Ends when the signal is aborted. Lists once before it resolves the first time through `ready`. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { runtime, clock, log, relistMs } = this.#options
    void this.#follow(runtime.events(signal), signal)
    let first = true
    while (!signal.aborted) {
      try {
        await this.relist()
        if (first) ready()
        first = false
      } catch (error) {
        log.warn('the runtime could not be listed', { error })
      }
      await clock.sleep(first ? 1000 : relistMs, signal).catch(() => {})
    }
  }

  async relist(): Promise<void> {
    const { runtime, clock, onChange, metrics } = this.#options
    const start = clock.monotonic()
    const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()])
    metrics?.relisted(start, this.#lastRelist)
    this.#lastRelist = clock.monotonic()
    const changed = new Set<string>()
    const seen = new Map<string, string[]>()
    for (const sandbox of sandboxes) {
      this.#uidOfSandbox.set(sandbox.id, sandbox.metadata.uid)
      append(seen, sandbox.metadata.uid, `${sandbox.id} ${sandbox.state}`)
    }
    for (const container of containers) {
      const uid = this.#uidOfSandbox.get(container.sandboxId)
      if (uid) append(seen, uid, `${container.id} ${container.state}`)
    }
    for (const [uid, now] of seen) if (signature(this.get(uid)) !== now.sort().join()) changed.add(uid)
    for (const uid of this.#pods.keys()) if (!seen.has(uid)) changed.add(uid)
    for (const sandbox of sandboxes) if (changed.has(sandbox.metadata.uid)) this.#remember(sandbox)
    for (const uid of changed) {
      await this.refresh(uid)
      onChange(uid)
    }
  }

  /** Reads the pod's state anew. */
  async refresh(uid: string): Promise<PodRuntime> {
    const { runtime } = this.#options
    const sandboxes: PodSandbox[] = []
    const containers: ContainerStatus[] = []
    for (const { id } of this.get(uid).sandboxes) {
      const sandbox = await runtime.podSandboxStatus(id)
      if (!sandbox) {
        this.#uidOfSandbox.delete(id)
        continue
      }
      sandboxes.push(sandbox)
      for (const container of await runtime.listContainers({ sandboxId: id })) {
        const status = await runtime.containerStatus(container.id)
        if (status) containers.push(status)
      }
    }
    // A sandbox that was made meanwhile has been remembered since: keep it.
    for (const sandbox of this.get(uid).sandboxes)
      if (!sandboxes.some((one) => one.id === sandbox.id) && this.#uidOfSandbox.has(sandbox.id)) sandboxes.push(sandbox)
    const state: PodRuntime = { sandboxes: sandboxes.sort(newestSandboxFirst), containers: containers.sort(newestFirst) }
    if (sandboxes.length > 0) this.#pods.set(uid, state)
    else this.#pods.delete(uid)
    return state
  }

  /** A sandbox that was just made: from now on {@link refresh} reads it. */
  async adopt(sandboxId: string): Promise<void> {
    const sandbox = await this.#options.runtime.podSandboxStatus(sandboxId)
    if (sandbox) this.#remember(sandbox)
  }

  #remember(sandbox: PodSandbox): void {
    const { uid } = sandbox.metadata
    this.#uidOfSandbox.set(sandbox.id, uid)
    const { sandboxes, containers } = this.get(uid)
    const others = sandboxes.filter((one) => one.id !== sandbox.id)
    this.#pods.set(uid, { sandboxes: [...others, sandbox].sort(newestSandboxFirst), containers })
  }

  async #follow(events: AsyncIterable<{ sandboxId: string }>, signal: AbortSignal): Promise<void> {
    try {
      for await (const { sandboxId } of events) {
        const uid = this.#uidOfSandbox.get(sandboxId)
        if (!uid) continue
        await this.refresh(uid)
        this.#options.onChange(uid)
      }
    } catch (error) {
      if (!signal.aborted) this.#options.log.warn('the events of the runtime ended; listing goes on', { error })
    }
  }
}

function append(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}

const signature = (pod: PodRuntime) =>
  [...pod.sandboxes, ...pod.containers]
    .map((one) => `${one.id} ${one.state}`)
    .sort()
    .join()
