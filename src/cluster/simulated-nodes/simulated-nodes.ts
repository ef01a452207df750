/**
 * Simulated nodes in the process of the server: each is the real kubelet over a runtime that only pretends, writes as
 * its own user, and reads by watches that all of them share. Thousands fit beside the real nodes.
 *
 * For who makes nodes on demand (a node pool): `addNode` is a machine that is switched on, `removeNode` one that is
 * given back with its Node object, `stopNode` one that dies. What is known of a node stands on its Node object, so a
 * server that starts again brings back all that are there (`resume`), whoever had asked for them.
 */

import type { Socket } from 'node:net'
import type { Client } from '../../client/client.ts'
import type { Component, ComponentContext, Logger } from '../../client/component.ts'
import { createEventRecorder } from '../../client/event-recorder.ts'
import type { Change, Informer } from '../../client/informer.ts'
import { InformerViews } from '../../client/informer-views.ts'
import { Node, Pod, Service } from '../../client/resources.ts'
import { machineLabels } from '../../kubelet/node/machine-info.ts'
import { nodeCapacity } from '../../kubelet/node/node-resources.ts'
import type { KubeletOptions } from '../../kubelet/options.ts'
import { WatchedObjects } from '../../kubelet/referenced-objects.ts'
import type { KubeletServerOptions } from '../../kubelet/server/kubelet-server.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isApiError } from '../../machinery/errors.ts'
import type { V1Node, V1Pod, V1Service, V1Taint } from '../../machinery/schema/generated/types.ts'
import type { NodeSamples } from '../../metrics/resource-samples.ts'
import type { SimulatedLife } from '../../runtime/simulated/life.ts'
import { mostSimulatedNodes, simulatedIndex, simulatedNodeAddress, simulatedPodBlock } from './simulated-addresses.ts'
import { type SimulatedMachine, simulatedMachineInfo, startSimulatedMachine } from './simulated-machine.ts'
import { simulatedSamples } from './simulated-samples.ts'

/** On every simulated Node object: `true`. */
export const simulatedLabel = 'skiff.dev/simulated'
/** On a Node object, by whoever wants to try it: the machine is off while it says `true`. */
export const stoppedAnnotation = 'simulated.skiff.dev/stopped'

export interface SimulatedNodeSpec {
  name: string
  /** `cpu`, `memory`, `pods`, `ephemeral-storage` and extended resources; the default's where absent. */
  capacity?: Record<string, string>
  /** Beside those that every kubelet sets, and {@link simulatedLabel}. */
  labels?: Record<string, string>
  taints?: V1Taint[]
  /** A block of its own out of 240.0.0.0/8 when absent. */
  podCIDR?: string
  providerID?: string
  /** From the call to the machine's first sign of life: as long as real ones take to boot; 0 when absent. */
  startDelayMs?: number
}

export interface SimulatedNodesOptions {
  /** Its client reads pods, nodes, services and what pods refer to, and deletes nodes. */
  context: ComponentContext
  /** A client that speaks as this node. */
  clientFor(nodeName: string): Client
  clusterDNS: string
  clusterDomain: string
  /** Of nodes that do not say otherwise. */
  capacity?: Record<string, string>
  /** What all containers do whose pod does not say otherwise by its annotations. */
  life?: SimulatedLife
  /** Names this life of the machine that pretends: pods go on where the last server of the same one left them. Absent: they start anew. */
  session?: string
  /** Of their kubelets, which {@link SimulatedNodes.accept} is given the connections of. */
  kubelets?: { port: number; tls(nodeName: string, address: string): Promise<KubeletServerOptions['tls']> }
  lease?: KubeletOptions['lease']
}

interface Known {
  spec: SimulatedNodeSpec
  index: number
  machine: SimulatedMachine | undefined
  /** Ends a start that is under way. */
  off: AbortController
  /** What ran on it is lost. */
  rebooted: boolean
}

export const defaultCapacity: Readonly<Record<string, string>> = { cpu: '8', memory: '32Gi', pods: '110' }

/** As many machines are switched on at the same time: more would only wait for the API server. */
const startedAtOnce = 32

export class SimulatedNodes implements Component {
  readonly name = 'simulated-nodes'
  readonly #options: SimulatedNodesOptions
  readonly #clock: Clock
  readonly #log: Logger
  readonly #nodes: Informer<V1Node>
  readonly #pods: InformerViews<V1Pod>
  readonly #nodeViews: InformerViews<V1Node>
  readonly #services: Informer<V1Service>
  readonly #objects: WatchedObjects
  readonly #known = new Map<string, Known>()
  readonly #indexes = new Set<number>()
  readonly #freed: number[] = []
  #nextIndex = 0
  readonly #undo: () => void
  readonly #endings: (() => Promise<void>)[] = []
  #starting = 0
  readonly #queue: (() => void)[] = []

  constructor(options: SimulatedNodesOptions) {
    const { client, clock, informers } = options.context
    this.#options = options
    this.#clock = clock
    this.#log = options.context.log
    this.#nodes = informers.informer(Node)
    this.#services = informers.informer(Service)
    const log = this.#log
    this.#pods = new InformerViews({ informer: informers.informer(Pod), name: 'node', partOf: ({ spec }) => spec.nodeName, log })
    this.#nodeViews = new InformerViews({ informer: this.#nodes, name: 'name', partOf: ({ metadata }) => metadata.name, log })
    // No file is kept fresh here; a pod that lacks an object asks again by itself.
    this.#objects = new WatchedObjects({ client, clock, log, onChange() {} })
    this.#undo = this.#nodes.onChange((change) => this.#follow(change))
  }

  /** Names of those that are there, switched on or not. */
  names(): string[] {
    return [...this.#known.keys()]
  }

  /** What the node's pods use now; undefined when no simulated node is called so. Rejects while it is off. */
  samples(name: string): Promise<NodeSamples> | undefined {
    const known = this.#known.get(name)
    if (!known) return undefined
    return known.machine ? simulatedSamples(known.machine.runtime, this.#clock.now()) : Promise.reject(new Error(`the simulated node ${name} is off`))
  }

  /** A connection to the kubelet of the node with this number; paused. */
  accept(index: number, socket: Socket): void {
    const machine = [...this.#known.values()].find((known) => known.index === index)?.machine
    if (machine) machine.accept(socket)
    // As from a machine that is off.
    else socket.destroy()
  }

  isRunning(name: string): boolean {
    return this.#known.get(name)?.machine !== undefined
  }

  /**
   * Switches a machine on; resolves when its node is registered and Ready. A name that is there already is left as it
   * is. The Node object may exist: what it says of labels and taints stays. Rejects when the node was removed meanwhile.
   */
  async addNode(spec: SimulatedNodeSpec): Promise<void> {
    if (this.#known.has(spec.name)) return
    const index = this.#takeIndex(spec.name)
    const known: Known = { spec, index, machine: undefined, off: new AbortController(), rebooted: false }
    this.#known.set(spec.name, known)
    if (!isStopped(this.#nodes.get(spec.name))) await this.#switchOn(known)
  }

  /** The machine is given back: it ends, and its Node object is deleted. Resolves when that is done; unknown names are fine. */
  async removeNode(name: string): Promise<void> {
    await this.#forget(name)
    try {
      await this.#options.context.client.delete(Node, { name })
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error
    }
  }

  /** The machine dies: no heartbeat comes any more and its containers are gone, but its objects stay. */
  async stopNode(name: string): Promise<void> {
    const known = this.#known.get(name)
    if (!known) throw new Error(`no simulated node is called ${name}`)
    await this.#switchOff(known)
  }

  /** Switches a machine on again that was stopped, as after a reboot. */
  async startNode(name: string): Promise<void> {
    const known = this.#known.get(name)
    if (!known) throw new Error(`no simulated node is called ${name}`)
    await this.#switchOn(known)
  }

  /** How such a node will look. */
  expected(spec: SimulatedNodeSpec) {
    const capacity = nodeCapacity(simulatedMachineInfo(spec.name, ''), this.#capacityOf(spec))
    // Without files nothing is kept back.
    return { capacity, allocatable: capacity, labels: { ...machineLabels(spec.name, simulatedMachineInfo(spec.name, '')), ...labelsOf(spec) } }
  }

  #capacityOf({ capacity }: SimulatedNodeSpec): Record<string, string> {
    return { ...defaultCapacity, ...this.#options.capacity, ...capacity }
  }

  /** Brings back the machines of all simulated nodes that the API knows; to be called before the first {@link addNode}. */
  async resume(): Promise<void> {
    await this.#nodes.whenSynced()
    const nodes = this.#nodes.list().filter(({ metadata }) => metadata.labels?.[simulatedLabel] === 'true')
    const specs = nodes.map((node) => specOf(node))
    await Promise.all(specs.map((spec) => this.addNode(spec)))
  }

  /** What belongs to them ends with them. */
  atStop(end: () => Promise<void>): void {
    this.#endings.push(end)
  }

  /** Ends all machines; their objects stay. */
  async stop(): Promise<void> {
    this.#undo()
    await Promise.all([...this.#known.values()].map((known) => this.#switchOff(known)))
    await Promise.all(this.#endings.map((end) => end()))
    this.#objects.stop()
    this.#pods.stop()
    this.#nodeViews.stop()
  }

  async #switchOn(known: Known): Promise<void> {
    if (known.machine) return
    const { spec, index } = known
    known.off = new AbortController()
    const { signal } = known.off
    await this.#clock.sleep(spec.startDelayMs ?? 0, signal)
    await this.#turn()
    try {
      signal.throwIfAborted()
      const { context, clientFor, clusterDNS, clusterDomain, life, session, kubelets, lease } = this.#options
      const pods = this.#pods.view(spec.name)
      await Promise.race([pods.whenSynced(signal), aborted(signal)])
      const client = clientFor(spec.name)
      const address = simulatedNodeAddress(index)
      const before = this.#nodes.get(spec.name)?.status?.nodeInfo?.bootID ?? ''
      const goesOn = session !== undefined && !known.rebooted && before.startsWith(`${session}.`)
      known.rebooted = false
      known.machine = startSimulatedMachine({
        context: { ...context, client },
        nodeName: spec.name,
        address,
        bootID: goesOn ? before : `${session ?? ''}.${this.#clock.uuid()}`,
        restore: goesOn,
        ...(kubelets ? { server: { port: kubelets.port, tls: () => kubelets.tls(spec.name, address) } } : {}),
        ...(lease ? { lease } : {}),
        podCIDR: spec.podCIDR ?? simulatedPodBlock(index),
        capacity: this.#capacityOf(spec),
        labels: labelsOf(spec),
        taints: spec.taints ?? [],
        ...(spec.providerID ? { providerID: spec.providerID } : {}),
        clusterDNS,
        clusterDomain,
        life: life ?? {},
        sources: { pods, services: this.#services, nodes: this.#nodeViews.view(spec.name) },
        objects: this.#objects,
        recorder: createEventRecorder({ client, clock: this.#clock, log: this.#log, component: 'kubelet', host: spec.name }),
      })
      await Promise.race([known.machine.ready, aborted(signal)])
    } finally {
      this.#starting--
      this.#queue.shift()?.()
    }
  }

  async #switchOff(known: Known): Promise<void> {
    known.off.abort(new Error(`the simulated node ${known.spec.name} was switched off`))
    const { machine } = known
    known.machine = undefined
    known.rebooted = true
    await machine?.stop()
  }

  async #forget(name: string): Promise<void> {
    const known = this.#known.get(name)
    if (!known) return
    this.#known.delete(name)
    this.#indexes.delete(known.index)
    this.#freed.push(known.index)
    await this.#switchOff(known)
  }

  async #turn(): Promise<void> {
    if (this.#starting >= startedAtOnce) await new Promise<void>((resolve) => this.#queue.push(resolve))
    this.#starting++
  }

  /** What others do to the Node object: deleted, the machine is gone; annotated, it is off. */
  #follow({ type, object, previous }: Change<V1Node>): void {
    const { name } = object.metadata
    const known = this.#known.get(name)
    if (!known) return
    const failed = (error: unknown) => this.#log.warn('a simulated node does not follow its object', { node: name, error })
    if (type === 'deleted') void this.#forget(name).catch(failed)
    else if (isStopped(object) && !isStopped(previous)) void this.#switchOff(known).catch(failed)
    else if (!isStopped(object) && isStopped(previous)) void this.#switchOn(known).catch(failed)
  }

  /** The number of its addresses: the one that its object tells, or the first that is free. */
  #takeIndex(name: string): number {
    const address = this.#nodes.get(name)?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address
    const told = address === undefined ? undefined : simulatedIndex(address)
    const index = told === undefined || this.#indexes.has(told) ? this.#freeIndex() : told
    this.#indexes.add(index)
    return index
  }

  #freeIndex(): number {
    for (let index = this.#freed.pop(); index !== undefined; index = this.#freed.pop()) if (!this.#indexes.has(index)) return index
    while (this.#indexes.has(this.#nextIndex)) this.#nextIndex++
    if (this.#nextIndex >= mostSimulatedNodes) throw new Error(`there is room for ${mostSimulatedNodes} simulated nodes`)
    return this.#nextIndex
  }
}

const labelsOf = ({ labels }: SimulatedNodeSpec): Record<string, string> => ({ ...labels, [simulatedLabel]: 'true' })

const isStopped = (node: V1Node | undefined) => node?.metadata.annotations?.[stoppedAnnotation] === 'true'

/** How a node was asked for, as its object tells it. */
function specOf({ metadata, spec, status }: V1Node): SimulatedNodeSpec {
  return {
    name: metadata.name,
    ...(status?.capacity ? { capacity: status.capacity } : {}),
    ...(metadata.labels ? { labels: metadata.labels } : {}),
    ...(spec.podCIDR ? { podCIDR: spec.podCIDR } : {}),
    ...(spec.providerID ? { providerID: spec.providerID } : {}),
  }
}

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
