/** Pods that wait for room on a node that was made for them: less important pods may not take it meanwhile. */
import type { PodInfo } from './pod-info.ts'

export class Nominations {
  readonly #byNode = new Map<string, Map<string, PodInfo>>()
  readonly #nodeOf = new Map<string, string>()

  get isEmpty(): boolean {
    return this.#nodeOf.size === 0
  }

  set(pod: PodInfo, node: string): void {
    this.remove(pod.key)
    this.#nodeOf.set(pod.key, node)
    const pods = this.#byNode.get(node) ?? new Map<string, PodInfo>()
    this.#byNode.set(node, pods.set(pod.key, pod))
  }

  remove(key: string): void {
    const node = this.#nodeOf.get(key)
    if (node === undefined) return
    this.#nodeOf.delete(key)
    const pods = this.#byNode.get(node)
    pods?.delete(key)
    if (pods?.size === 0) this.#byNode.delete(node)
  }

  nodeOf(key: string): string | undefined {
    return this.#nodeOf.get(key)
  }

  on(node: string): Iterable<PodInfo> {
    return this.#byNode.get(node)?.values() ?? []
  }
}
