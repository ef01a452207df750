/**
 * The cluster as it would be: nodes added, pods put on nodes or moved, judged by the scheduler's own filters over the
 * cache that follows the real one. A trial runs without a pause from its beginning to {@link end}, which takes all
 * back.
 */
import type { V1Node } from '../../machinery/schema/generated/types.ts'
import type { SchedulerCache } from '../../scheduler/cache.ts'
import type { CycleState, Plugin, Rejection } from '../../scheduler/framework.ts'
import type { NodeInfo } from '../../scheduler/node-info.ts'
import type { PodInfo } from '../../scheduler/pod-info.ts'
import { FilterRun } from '../../scheduler/scheduling-cycle.ts'

export class Trial {
  readonly #cache: SchedulerCache
  readonly #plugins: readonly Plugin[]
  readonly #undo: (() => void)[] = []

  constructor(cache: SchedulerCache, plugins: readonly Plugin[]) {
    this.#cache = cache
    this.#plugins = plugins
  }

  get nodes(): readonly NodeInfo[] {
    return this.#cache.nodes()
  }

  node(name: string): NodeInfo | undefined {
    return this.#cache.node(name)
  }

  add(node: V1Node): NodeInfo {
    this.#cache.setNode(node)
    this.#undo.push(() => this.#cache.removeNode(node.metadata.name))
    return this.#cache.node(node.metadata.name) as NodeInfo
  }

  /** What was added last goes again, as if it had never been. */
  takeBackLast(): void {
    this.#undo.pop()?.()
  }

  /** What the filters know of the pod, or why it fits nowhere. */
  filters(pod: PodInfo): FilterRun | Rejection {
    const state: CycleState = new Map()
    const filters: Plugin[] = []
    for (const plugin of this.#plugins) {
      const result = plugin.preFilter?.(pod, this.#cache, state)
      if (result === 'skip') continue
      if (result) return result
      if (plugin.filter) filters.push(plugin)
    }
    return new FilterRun(pod, filters, state)
  }

  /** Puts a pod that is on no node yet on the first of these that it fits; begins at `from`. */
  placeOnFirst(pod: PodInfo, nodes: readonly NodeInfo[], { from = 0, not }: { from?: number; not?: (node: NodeInfo) => boolean } = {}): number | undefined {
    const run = this.filters(pod)
    if (!(run instanceof FilterRun)) return undefined
    for (let i = 0; i < nodes.length; i++) {
      const at = (from + i) % nodes.length
      const node = nodes[at] as NodeInfo
      if (isTooFull(pod, node) || not?.(node) || run.check(node)) continue
      this.put(pod, node)
      return at
    }
    return undefined
  }

  put(pod: PodInfo, node: NodeInfo): void {
    this.#cache.assume(pod, node.name)
    this.#undo.push(() => this.#cache.forget(pod.key))
  }

  /** Takes a pod off its node; what comes back has no node, and may be put on another. */
  take(pod: PodInfo, node: NodeInfo): PodInfo {
    const isThere = pod.pod.spec.nodeName !== undefined
    this.#cache.removePod(pod.key)
    this.#undo.push(() => (isThere ? this.#cache.setPod(pod.pod) : this.#cache.assume(pod, node.name)))
    if (!isThere) return pod
    const { nodeName: _, ...spec } = pod.pod.spec
    return { ...pod, pod: { ...pod.pod, spec } }
  }

  /** A mark to go back to. */
  get length(): number {
    return this.#undo.length
  }

  backTo(length: number): void {
    while (this.#undo.length > length) this.#undo.pop()?.()
  }

  end(): void {
    this.backTo(0)
  }
}

/** What most nodes are refused for, asked first: of a thousand full nodes nothing else is to be known. */
function isTooFull({ cpu, memory }: PodInfo, { capacity, used }: NodeInfo): boolean {
  return (cpu > 0 && cpu > capacity.cpu - used.cpu) || (memory > 0 && memory > capacity.memory - used.memory)
}

/** The same for pods that fit the same nodes. */
export function likeness(pod: PodInfo): string {
  const { spec } = pod.pod
  const claims = (spec.volumes ?? []).flatMap((volume) =>
    volume.persistentVolumeClaim ? [volume.persistentVolumeClaim.claimName] : volume.ephemeral ? [pod.key] : [],
  )
  const parts = [
    pod.namespace,
    pod.group,
    [...pod.requests],
    pod.hostPorts,
    pod.tolerations,
    pod.nodeSelector,
    pod.requiredNodeAffinity,
    spec.topologySpreadConstraints,
    claims,
  ]
  return JSON.stringify([...parts, spec.nodeName, pod.priority])
}

/** Another pod's place may be what it waits for: what did not fit may fit a moment later. */
export const mayFitLater = (pod: PodInfo): boolean => pod.requiredAffinity.length > 0

export const isRejection = (run: FilterRun | Rejection): run is Rejection => !(run instanceof FilterRun)
