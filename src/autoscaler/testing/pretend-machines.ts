/** Makes nodes that are only objects, and does for their pods what a kubelet would: they run, and end when they are to. */
import type { Client } from '../../client/client.ts'
import { Node, Pod } from '../../client/resources.ts'
import { type Clock, timestamp } from '../../machinery/clock.ts'
import { isApiError } from '../../machinery/errors.ts'
import { type NodeMaker, type NodeToMake, poolOfName } from '../providers/made-nodes.ts'

export class PretendMachines implements NodeMaker {
  readonly #client: Client
  readonly #clock: Clock
  readonly #names = new Set<string>()
  /** Of pools whose machines never come up, or cannot even be made. */
  readonly silent = new Set<string>()
  readonly broken = new Set<string>()
  /** Names of nodes whose kubelets are away. */
  readonly dead = new Set<string>()
  /** Nobody can be asked for anything. */
  unreachable: Error | undefined
  readonly asked: NodeToMake[] = []

  constructor(client: Client, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  expected({ capacity, labels }: NodeToMake) {
    return { capacity, allocatable: capacity, labels: { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64', ...labels } }
  }

  async list() {
    if (this.unreachable) throw this.unreachable
    return [...this.#names].map((name) => ({ name, pool: poolOfName(name) ?? '' }))
  }

  async create(node: NodeToMake): Promise<void> {
    this.asked.push(node)
    if (this.broken.has(node.pool)) throw new Error('no machine is left')
    this.#names.add(node.name)
    if (this.silent.has(node.pool)) return
    await this.#clock.sleep(node.startDelayMs)
    if (this.#names.has(node.name)) await this.#register(node)
  }

  async remove(name: string): Promise<void> {
    this.#names.delete(name)
  }

  /** Registers a node, of a pool or not, that is ready at once. */
  async #register({ name, capacity, labels, taints }: NodeToMake, providerID?: string): Promise<void> {
    const spec = { taints, ...(providerID === undefined ? {} : { providerID }) }
    const node = await this.#client.create(Node, { metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } }, spec })
    await this.setReady(name, true, capacity)
    await this.#client.patch(Node, { name }, 'merge', {
      spec: { taints: node.spec.taints?.filter(({ key }) => key !== 'node.kubernetes.io/not-ready') ?? null },
    })
  }

  async setReady(name: string, ready: boolean, capacity?: Record<string, string>): Promise<void> {
    const node = await this.#client.get(Node, { name })
    const time = timestamp(this.#clock.now())
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False', reason: 'Pretended', lastTransitionTime: time, lastHeartbeatTime: time }]
    await this.#client.updateStatus(Node, { ...node, status: { ...node.status, ...(capacity ? { capacity, allocatable: capacity } : {}), conditions } })
  }

  /** A node that was made by others. */
  async addFixed(name: string, cpu: string, labels: Record<string, string> = {}, providerID?: string): Promise<void> {
    await this.#register({ name, pool: '', capacity: { cpu, memory: '16Gi', pods: '110' }, labels, taints: [], startDelayMs: 0 }, providerID)
  }

  /** What kubelets do in a while. */
  async tendPods(): Promise<void> {
    const { items } = await this.#client.list(Pod)
    for (const pod of items) {
      if (!pod.spec.nodeName || this.dead.has(pod.spec.nodeName)) continue
      try {
        if (pod.metadata.deletionTimestamp) await this.#client.delete(Pod, pod.metadata, { gracePeriodSeconds: 0 })
        else if (pod.status?.phase === 'Pending') {
          const time = timestamp(this.#clock.now())
          const conditions = [...(pod.status.conditions ?? []), { type: 'Ready', status: 'True', lastTransitionTime: time }]
          await this.#client.updateStatus(Pod, { ...pod, status: { ...pod.status, phase: 'Running', startTime: time, conditions } })
        }
      } catch (error) {
        if (!isApiError(error, 'NotFound') && !isApiError(error, 'Conflict')) throw error
      }
    }
  }
}
