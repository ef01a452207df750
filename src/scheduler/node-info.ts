/** A node with what is on it: sums kept as pods come and go, so that no plugin counts again. */

import type { HostPort } from '../apis/core/host-ports.ts'
import { type Resources, resourceAmount } from '../apis/core/pod-requests.ts'
import type { V1Node, V1Taint } from '../machinery/schema/generated/types.ts'
import type { PodGroup } from './pod-groups.ts'
import type { PodInfo } from './pod-info.ts'

export class NodeInfo {
  readonly name: string
  node: V1Node
  allocatable: Resources = new Map()
  /** The same of what nearly every pod asks for: looked at for each node in each cycle. */
  readonly capacity = { cpu: 0, memory: 0, pods: 0 }
  readonly used = { cpu: 0, memory: 0 }
  isUnschedulable = false
  labels: Record<string, string> = {}
  taints: V1Taint[] = []
  /** Bytes by image name. */
  images = new Map<string, number>()
  readonly pods = new Map<string, PodInfo>()
  /** How many of its pods are of each group; kept by the groups. */
  readonly groups = new Map<PodGroup, number>()
  readonly requested: Resources = new Map()
  readonly nonZeroRequested = { cpu: 0, memory: 0 }

  constructor(node: V1Node) {
    this.name = node.metadata.name
    this.node = node
    this.update(node)
  }

  update(node: V1Node): void {
    this.node = node
    this.labels = node.metadata.labels ?? {}
    this.taints = node.spec.taints ?? []
    this.allocatable = new Map(Object.entries(node.status?.allocatable ?? {}).map(([name, quantity]) => [name, resourceAmount(name, quantity)]))
    this.capacity.cpu = this.allocatable.get('cpu') ?? 0
    this.capacity.memory = this.allocatable.get('memory') ?? 0
    this.capacity.pods = this.allocatable.get('pods') ?? 0
    this.isUnschedulable = node.spec.unschedulable === true
    this.images = new Map((node.status?.images ?? []).flatMap((image) => (image.names ?? []).map((name) => [name, image.sizeBytes ?? 0] as const)))
  }

  add(pod: PodInfo): void {
    this.remove(pod.key)
    this.pods.set(pod.key, pod)
    this.#count(pod, 1)
  }

  /** The pod that was there. */
  remove(key: string): PodInfo | undefined {
    const pod = this.pods.get(key)
    if (!pod) return undefined
    this.pods.delete(key)
    this.#count(pod, -1)
    return pod
  }

  /** One that can be changed on trial. */
  copy(): NodeInfo {
    const copy = new NodeInfo(this.node)
    for (const pod of this.pods.values()) copy.add(pod)
    return copy
  }

  *hostPorts(): Iterable<HostPort> {
    for (const pod of this.pods.values()) yield* pod.hostPorts
  }

  #count(pod: PodInfo, sign: 1 | -1): void {
    for (const [name, amount] of pod.requests) this.requested.set(name, (this.requested.get(name) ?? 0) + sign * amount)
    this.used.cpu += sign * pod.cpu
    this.used.memory += sign * pod.memory
    this.nonZeroRequested.cpu += sign * pod.nonZeroRequests.cpu
    this.nonZeroRequested.memory += sign * pod.nonZeroRequests.memory
  }
}
