/**
 * All nodes with their pods, fed by informers, and ahead of them: a pod that was given a node counts there from that
 * moment (assumed), until the informer shows it bound or binding fails.
 */
import type { V1Node, V1Pod } from '../machinery/schema/generated/types.ts'
import type { Cluster } from './framework.ts'
import { NodeInfo } from './node-info.ts'
import { type PodInfo, podInfo } from './pod-info.ts'

export class SchedulerCache implements Cluster {
  readonly #nodes = new Map<string, NodeInfo>()
  #list: NodeInfo[] | undefined
  /** Node of each pod that counts somewhere. */
  readonly #placed = new Map<string, string>()
  readonly #assumed = new Map<string, PodInfo>()
  /** Pods bound to nodes that are not known (yet). */
  readonly #homeless = new Map<string, PodInfo>()

  nodes(): readonly NodeInfo[] {
    this.#list ??= [...this.#nodes.values()]
    return this.#list
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name)
  }

  setNode(node: V1Node): void {
    const known = this.#nodes.get(node.metadata.name)
    if (known) return known.update(node)
    const info = new NodeInfo(node)
    this.#nodes.set(info.name, info)
    this.#list = undefined
    for (const [key, pod] of this.#homeless) {
      if (pod.pod.spec.nodeName !== info.name) continue
      this.#homeless.delete(key)
      this.#place(pod, info.name)
    }
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name)
    if (!info) return
    this.#nodes.delete(name)
    this.#list = undefined
    for (const pod of info.pods.values()) {
      this.#placed.delete(pod.key)
      if (!this.#assumed.has(pod.key)) this.#homeless.set(pod.key, pod)
    }
  }

  /** Counts the pod on the node from now on, before the API knows. */
  assume(pod: PodInfo, node: string): void {
    this.#assumed.set(pod.key, pod)
    this.#place(pod, node)
  }

  /** Binding failed: it does not count any more. */
  forget(key: string): void {
    if (!this.#assumed.delete(key)) return
    this.#unplace(key)
  }

  isAssumed(key: string): boolean {
    return this.#assumed.has(key)
  }

  /** A pod that the API shows on a node. Ended pods use nothing. */
  setPod(pod: V1Pod): void {
    const info = podInfo(pod)
    this.#assumed.delete(info.key)
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return this.removePod(info.key)
    this.#place(info, pod.spec.nodeName ?? '')
  }

  removePod(key: string): void {
    this.#assumed.delete(key)
    this.#homeless.delete(key)
    this.#unplace(key)
  }

  #place(pod: PodInfo, nodeName: string): void {
    this.#unplace(pod.key)
    const node = this.#nodes.get(nodeName)
    if (!node) {
      this.#homeless.set(pod.key, pod)
      return
    }
    node.add(pod)
    this.#placed.set(pod.key, nodeName)
  }

  #unplace(key: string): void {
    const name = this.#placed.get(key)
    if (name === undefined) return
    this.#placed.delete(key)
    this.#nodes.get(name)?.remove(key)
  }
}
