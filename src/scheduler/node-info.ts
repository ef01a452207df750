/** A node with what is on it: sums kept as pods come and go, so that no plugin counts again. */
import { toMilli, toNumber } from '../machinery/quantity.ts'
import type { V1Node, V1Taint } from '../machinery/schema/generated/types.ts'
import type { HostPort, PodInfo, Resources } from './pod-info.ts'

export class NodeInfo {
  readonly name: string
  node: V1Node
  allocatable: Resources = new Map()
  labels: Record<string, string> = {}
  taints: V1Taint[] = []
  /** Bytes by image name. */
  images = new Map<string, number>()
  readonly pods = new Map<string, PodInfo>()
  readonly requested: Resources = new Map()
  readonly nonZeroRequested = { cpu: 0, memory: 0 }
  /** How many of the pods have affinity or required anti-affinity terms: most nodes can be passed over by these. */
  withAffinity = 0
  withRequiredAntiAffinity = 0

  constructor(node: V1Node) {
    this.name = node.metadata.name
    this.node = node
    this.update(node)
  }

  update(node: V1Node): void {
    this.node = node
    this.labels = node.metadata.labels ?? {}
    this.taints = node.spec.taints ?? []
    this.allocatable = new Map(
      Object.entries(node.status?.allocatable ?? {}).map(([name, quantity]) => [name, name === 'cpu' ? toMilli(quantity) : toNumber(quantity)]),
    )
    this.images = new Map((node.status?.images ?? []).flatMap((image) => (image.names ?? []).map((name) => [name, image.sizeBytes ?? 0] as const)))
  }

  add(pod: PodInfo): void {
    this.remove(pod.key)
    this.pods.set(pod.key, pod)
    this.#count(pod, 1)
  }

  remove(key: string): void {
    const pod = this.pods.get(key)
    if (!pod) return
    this.pods.delete(key)
    this.#count(pod, -1)
  }

  *hostPorts(): Iterable<HostPort> {
    for (const pod of this.pods.values()) yield* pod.hostPorts
  }

  #count(pod: PodInfo, sign: 1 | -1): void {
    for (const [name, amount] of pod.requests) this.requested.set(name, (this.requested.get(name) ?? 0) + sign * amount)
    this.nonZeroRequested.cpu += sign * pod.nonZeroRequests.cpu
    this.nonZeroRequested.memory += sign * pod.nonZeroRequests.memory
    if (pod.hasAffinity) this.withAffinity += sign
    if (pod.requiredAntiAffinity.length > 0) this.withRequiredAntiAffinity += sign
  }
}
