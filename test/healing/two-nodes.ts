/** A cluster of two simulated machines under a virtual clock, whose nodes can be cut off, switched off and on again. */
import { admission } from '../../src/apiserver/admission/admission.ts'
import { createInProcessTransport } from '../../src/apiserver/in-process-transport.ts'
import { type ApiServer, createApiServer } from '../../src/apiserver/server.ts'
import { allowEverything } from '../../src/apiserver/testing/test-server.ts'
import { createClient } from '../../src/client/api-client.ts'
import type { Client } from '../../src/client/client.ts'
import type { Component, ComponentContext } from '../../src/client/component.ts'
import { startControllers } from '../../src/client/controller-runner.ts'
import { createInformerFactory } from '../../src/client/informer-factory.ts'
import { silentLogger as log } from '../../src/client/logger.ts'
import { Namespace, Node, ServiceAccount } from '../../src/client/resources.ts'
import { deploymentController } from '../../src/controllers/deployment.ts'
import { endpointSliceController } from '../../src/controllers/endpoint-slice.ts'
import { nodeLifecycleController } from '../../src/controllers/node-lifecycle.ts'
import { startPodGarbageCollector } from '../../src/controllers/pod-garbage-collector.ts'
import { replicaSetController } from '../../src/controllers/replica-set.ts'
import { statefulSetController } from '../../src/controllers/stateful-set.ts'
import { taintEvictionController } from '../../src/controllers/taint-eviction.ts'
import { noFiles } from '../../src/kubelet/files/no-files.ts'
import { startKubelet } from '../../src/kubelet/kubelet.ts'
import { simulatedProbes } from '../../src/kubelet/probes/network-probes.ts'
import { BreakableTransport } from '../../src/kubelet/testing/breakable-transport.ts'
import { VirtualClock } from '../../src/machinery/virtual-clock.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/simulated-runtime.ts'
import { startScheduler } from '../../src/scheduler/scheduler.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'

export const nodeNames = ['node-1', 'node-2'] as const
export type NodeName = (typeof nodeNames)[number]

export interface Machine {
  runtime: SimulatedRuntime
  link: BreakableTransport
  kubelet: Component
}

export const addressOf = (node: string, last: number) => `10.244.${node === 'node-1' ? 1 : 2}.${last}`

export class TwoNodes {
  readonly clock: VirtualClock
  readonly client: Client
  readonly machines = new Map<NodeName, Machine>()
  readonly #server: ApiServer
  readonly #components: Component[] = []
  #address = 0

  private constructor(clock: VirtualClock, server: ApiServer) {
    this.clock = clock
    this.#server = server
    this.client = createClient(this.#transport('tester'), { userAgent: 'tester' })
  }

  static async start(seed: number): Promise<TwoNodes> {
    const clock = new VirtualClock({ seed })
    const server = createApiServer({ store: new MemoryStore(), clock, parts: [allowEverything, admission] })
    await server.start()
    const cluster = new TwoNodes(clock, server)
    const { client } = cluster
    for (const name of ['default', 'kube-node-lease']) await client.create(Namespace, { metadata: { name }, spec: {} })
    await client.create(ServiceAccount, { metadata: { name: 'default', namespace: 'default' } })
    for (const name of nodeNames) cluster.switchOn(name)
    await clock.advance(1000)
    const controllers = [
      nodeLifecycleController(),
      taintEvictionController,
      statefulSetController,
      deploymentController,
      replicaSetController,
      endpointSliceController,
    ]
    cluster.#run('controllers', (context) => startControllers(controllers, context))
    cluster.#run('collector', (context) => startPodGarbageCollector(context))
    cluster.#run('scheduler', (context) => startScheduler(context))
    await clock.advance(10_000)
    return cluster
  }

  async stop(): Promise<void> {
    for (const { kubelet } of this.machines.values()) await this.#ended(kubelet.stop())
    for (const component of this.#components) await this.#ended(component.stop())
    await this.#server.stop()
  }

  /** What was said to the kubelet and by it is lost; its containers run on. */
  cut(name: NodeName): void {
    this.machines.get(name)?.link.cut()
  }

  mend(name: NodeName): void {
    this.machines.get(name)?.link.mend()
  }

  /** As when the power fails: no container of it runs any more, and nobody is told. */
  async switchOff(name: NodeName): Promise<void> {
    const machine = this.machines.get(name)
    if (!machine) return
    machine.link.cut()
    this.machines.delete(name)
    await this.#ended(machine.kubelet.stop())
  }

  /** A machine that starts has no containers. */
  switchOn(name: NodeName): void {
    const { clock } = this
    const runtime = new SimulatedRuntime({ clock, address: () => addressOf(name, 1 + (this.#address++ % 250)) })
    const link = new BreakableTransport(this.#transport(`system:node:${name}`))
    const kubelet = this.#component(createClient(link, { userAgent: 'kubelet' }), (context) => {
      const { stop } = startKubelet(context, {
        nodeName: name,
        runtime,
        addresses: [{ type: 'InternalIP', address: `192.168.0.${name === 'node-1' ? 1 : 2}` }],
        rootDirectory: '/nowhere',
        clusterDNS: ['10.96.0.10'],
        clusterDomain: 'cluster.local',
        capacity: { cpu: '8', memory: '16Gi' },
        files: noFiles,
        probes: simulatedProbes(runtime),
      })
      return { name, stop }
    })
    this.machines.set(name, { runtime, link, kubelet })
  }

  /** Somebody has looked at the machine, and says that it is off. */
  async declareOutOfService(name: NodeName): Promise<void> {
    const { spec } = await this.client.get(Node, { name })
    const taint = { key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }
    await this.client.patch(Node, { name }, 'merge', { spec: { taints: [...(spec.taints ?? []).filter(({ key }) => key !== taint.key), taint] } })
  }

  async declareInService(name: NodeName): Promise<void> {
    const { spec } = await this.client.get(Node, { name })
    const taints = (spec.taints ?? []).filter(({ key }) => key !== 'node.kubernetes.io/out-of-service')
    await this.client.patch(Node, { name }, 'merge', { spec: { taints } })
  }

  #run(name: string, start: (context: ComponentContext) => Component): void {
    this.#components.push(this.#component(createClient(this.#transport(name), { userAgent: name }), start))
  }

  #component(client: Client, start: (context: ComponentContext) => Component): Component {
    const { clock } = this
    const informers = createInformerFactory({ client, clock, log })
    const component = start({ client, informers, clock, log, span() {} })
    return {
      name: component.name,
      async stop() {
        const stopping = component.stop()
        informers.stop()
        await stopping
      },
    }
  }

  /** Ending may take its time, which nobody else lets go on. */
  async #ended(stopping: Promise<void>): Promise<void> {
    let isEnded = false
    void stopping.finally(() => {
      isEnded = true
    })
    while (!isEnded) await this.clock.advance(100)
  }

  #transport(name: string) {
    return createInProcessTransport(this.#server, { user: { name, groups: ['system:masters'] }, userAgent: name })
  }
}
