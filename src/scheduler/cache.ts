/**
 * All nodes with their pods, fed by informers, and ahead of them: a pod that was given a node counts there from that
 * moment (assumed), until the informer shows it bound or binding fails.
 */
import type { V1Node, V1Pod } from '../machinery/schema/generated/types.ts'
import type { Cluster } from './framework.ts'
import { NodeIndex } from './node-index.ts'
import { NodeInfo } from './node-info.ts'
import { PodGroups } from './pod-groups.ts'
import { type PodInfo, podInfo } from './pod-info.ts'

export class SchedulerCache implements Cluster {
  readonly #nodes = new Map<string, NodeInfo>()
  readonly index = new NodeIndex(this.#nodes)
  readonly groups = new PodGroups()
  readonly #namespaces = new Map<string, Record<string, string>>()
  #list: NodeInfo[] | undefined
  /** Node of each pod that counts somewhere. */
  readonly #placed = new Map<string, string>()
  readonly #assumed = new Map<string, PodInfo>()
  /** Pods bound to nodes that are not known (yet). */
  readonly #homeless = new Map<string, PodInfo>()

  sizes(): { nodes: number; pods: number; assumed_pods: number } {
    return { nodes: this.#nodes.size, pods: this.#placed.size, assumed_pods: this.#assumed.size }
  }

  nodes(): readonly NodeInfo[] {
    this.#list ??= [...this.#nodes.values()]
    return this.#list
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name)
  }

  setNode(node: V1Node): void {
    const known = this.#nodes.get(node.metadata.name)
    if (known) {
      const { labels } = known
      this.index.add(known, -1)
      known.update(node)
      this.index.add(known, 1)
      if (!sameLabels(labels, known.labels)) this.groups.relabelled(known)
      return
    }
    const info = new NodeInfo(node)
    this.#nodes.set(info.name, info)
    this.index.add(info, 1)
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
    this.index.add(info, -1)
    this.#list = undefined
    for (const pod of info.pods.values()) {
      this.#placed.delete(pod.key)
      this.groups.count(pod, info, -1)
      if (!this.#assumed.has(pod.key)) this.#homeless.set(pod.key, pod)
    }
  }

  namespaceLabels(namespace: string): Record<string, string> {
    return this.#namespaces.get(namespace) ?? {}
  }

  /** Undefined: it is gone. */
  setNamespace(name: string, labels: Record<string, string> | undefined): void {
    if (labels) this.#namespaces.set(name, labels)
    else this.#namespaces.delete(name)
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
    this.groups.count(pod, node, 1)
    this.#placed.set(pod.key, nodeName)
  }

  #unplace(key: string): void {
    const name = this.#placed.get(key)
    if (name === undefined) return
    this.#placed.delete(key)
    const node = this.#nodes.get(name)
    const pod = node?.remove(key)
    if (node && pod) this.groups.count(pod, node, -1)
  }
}

function sameLabels(a: Record<string, string>, b: Record<string, string>): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}
