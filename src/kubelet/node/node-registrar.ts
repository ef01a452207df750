/** Keeps the Node object and its Lease: made when missing, told every so often that the node lives, and at once when it changes. */
import { isDeepStrictEqual } from 'node:util'
import type { Client } from '../../client/client.ts'
import type { Logger } from '../../client/component.ts'
import { Lease, Node } from '../../client/resources.ts'
import { type Clock, microTimestamp } from '../../machinery/clock.ts'
import { isApiError } from '../../machinery/errors.ts'
import type { V1Node, V1NodeStatus, V1Taint } from '../../machinery/schema/generated/types.ts'

export interface NodeRegistrarOptions {
  client: Client
  clock: Clock
  log: Logger
  nodeName: string
  labels: Record<string, string>
  taints: V1Taint[]
  podCIDR?: string
  providerID?: string
  /** The whole status as it is now. */
  status(stored: V1Node | undefined): Promise<V1NodeStatus>
  onNode(node: V1Node): void
  /** The node as the API shows it, as far as it is known. */
  shown(): V1Node | undefined
  statusSeconds: number
  /** How often it is looked whether the status has changed. */
  lookSeconds: number
  lease: { durationSeconds: number; renewSeconds: number }
}

export class NodeRegistrar {
  readonly #options: NodeRegistrarOptions
  #node: V1Node | undefined
  #writtenAt = Number.NEGATIVE_INFINITY
  #wake: (() => void) | undefined

  constructor(options: NodeRegistrarOptions) {
    this.#options = options
  }

  get node(): V1Node | undefined {
    return this.#node
  }

  /** The status is looked at now, not first at the next round. */
  hurry(): void {
    this.#wake?.()
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#keepStatus(signal), this.#keepLease(signal)])
  }

  async #keepStatus(signal: AbortSignal): Promise<void> {
    const { clock, log, lookSeconds } = this.#options
    while (!signal.aborted) {
      let pause = lookSeconds * 1000
      try {
        await this.#sync()
      } catch (error) {
        log.debug('node status not written', { error })
        pause = 1000
      }
      await this.#pause(pause, clock, signal)
    }
  }

  /** Until the time is over or somebody hurries. */
  #pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel()
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = clock.after(ms, end)
      this.#wake = end
      signal.addEventListener('abort', end, { once: true })
    })
  }

  async #sync(): Promise<void> {
    const { client, clock, nodeName, statusSeconds, onNode } = this.#options
    let node = this.#node ?? (await client.find(Node, { name: nodeName })) ?? (await this.#create())
    const fresh = clock.now() - this.#writtenAt < statusSeconds * 1000
    const status = await this.#options.status(node)
    if (this.#node && fresh && !this.#isContradicted(status) && isDeepStrictEqual(essence(status), essence(this.#node.status ?? {}))) return
    try {
      // A node that was made by another may lack what only this kubelet knows.
      const { labels } = this.#options
      if (Object.entries(labels).some(([name, value]) => node.metadata.labels?.[name] !== value))
        node = await client.patch(Node, { name: nodeName }, 'strategic', { metadata: { labels } })
      const allocatable = { ...this.#withdrawn(status), ...status.allocatable }
      node = await client.patch(Node, { name: nodeName }, 'strategic', { status: { ...status, allocatable } }, { subresource: 'status' })
    } catch (error) {
      this.#node = undefined
      throw error
    }
    this.#node = { ...node, status: { ...node.status, ...status } }
    this.#writtenAt = clock.now()
    onNode(this.#node)
  }

  /** Somebody gave the node up meanwhile: what it says of itself has to be said again. */
  #isContradicted({ conditions = [] }: V1NodeStatus): boolean {
    const shown = this.#options.shown()?.status?.conditions ?? []
    return conditions.some(({ type, status }) => shown.some((other) => other.type === type && other.status !== status))
  }

  /** Resources that are not given out any more; a patch would leave them. */
  #withdrawn({ allocatable = {} }: V1NodeStatus): Record<string, null> {
    const shown = Object.keys(this.#options.shown()?.status?.allocatable ?? {})
    return Object.fromEntries(shown.filter((name) => !(name in allocatable)).map((name) => [name, null]))
  }

  async #create(): Promise<V1Node> {
    const { client, nodeName, labels, taints, podCIDR, providerID, log } = this.#options
    const spec = { ...(podCIDR ? { podCIDR, podCIDRs: [podCIDR] } : {}), ...(providerID ? { providerID } : {}), ...(taints.length > 0 ? { taints } : {}) }
    const annotations = { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' }
    const node = await client.create(Node, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: nodeName, labels, annotations },
      spec,
      status: await this.#options.status(undefined),
    })
    log.info('node registered', { node: nodeName })
    return node
  }

  async #keepLease(signal: AbortSignal): Promise<void> {
    const { clock, log, lease } = this.#options
    while (!signal.aborted) {
      let pause = lease.renewSeconds * 1000
      try {
        await this.#renew()
      } catch (error) {
        log.debug('lease not renewed', { error })
        pause = 1000
      }
      await clock.sleep(pause, signal).catch(() => {})
    }
  }

  async #renew(): Promise<void> {
    const { client, clock, nodeName, lease } = this.#options
    const spec = { holderIdentity: nodeName, leaseDurationSeconds: lease.durationSeconds, renewTime: microTimestamp(clock.now()) }
    const at = { name: nodeName, namespace: 'kube-node-lease' }
    try {
      await client.patch(Lease, at, 'merge', { spec })
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error
      const owner = this.#node && [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: this.#node.metadata.uid }]
      // Without the node's uid the lease would outlive it; until the node is there it has no owner to name.
      if (!owner) throw new Error('the node is not registered yet')
      await client.create(Lease, {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { ...at, ownerReferences: owner },
        spec,
      })
    }
  }
}

/** What a change of is worth a write: not the times of heartbeats. */
function essence(status: V1NodeStatus): unknown {
  const { conditions, ...rest } = status
  const own = ['addresses', 'allocatable', 'capacity', 'daemonEndpoints', 'images', 'nodeInfo', 'volumesInUse']
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([name]) => own.includes(name))),
    conditions: (conditions ?? []).map(({ type, status: value, reason, message }) => ({ type, status: value, reason, message })),
  }
}
