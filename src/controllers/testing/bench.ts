/** Runs controllers under a virtual clock against an API server over a store in memory, for tests. */
import { admission } from '../../apiserver/admission/admission.ts'
import { discovery } from '../../apiserver/discovery/discovery.ts'
import { createInProcessTransport } from '../../apiserver/in-process-transport.ts'
import { type ApiServer, createApiServer } from '../../apiserver/server.ts'
import { allowEverything } from '../../apiserver/testing/test-server.ts'
import { createClient } from '../../client/api-client.ts'
import type { Client } from '../../client/client.ts'
import type { Component, ComponentContext } from '../../client/component.ts'
import { type AnyController, startControllers } from '../../client/controller-runner.ts'
import { createInformerFactory } from '../../client/informer-factory.ts'
import { silentLogger } from '../../client/logger.ts'
import { Event, Namespace, Pod, ServiceAccount } from '../../client/resources.ts'
import { timestamp } from '../../machinery/clock.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import { VirtualClock } from '../../machinery/virtual-clock.ts'
import { MemoryStore } from '../../store/memory-store.ts'
import { FaultyTransport } from './faulty-transport.ts'

const user = { name: 'tester', groups: ['system:masters', 'system:authenticated'] }

export class Bench {
  readonly clock: VirtualClock
  readonly server: ApiServer
  readonly client: Client
  /** Between the controllers and the server. */
  readonly transport: FaultyTransport

  private constructor(clock: VirtualClock, server: ApiServer) {
    this.clock = clock
    this.server = server
    this.client = createClient(createInProcessTransport(server, { user, userAgent: 'test' }), { userAgent: 'test' })
    this.transport = new FaultyTransport(createInProcessTransport(server, { user, userAgent: 'controllers' }))
  }

  static async start(): Promise<Bench> {
    const clock = new VirtualClock()
    const server = createApiServer({ store: new MemoryStore(), clock, parts: [allowEverything, admission, discovery] })
    await server.start()
    const bench = new Bench(clock, server)
    await bench.client.create(Namespace, { metadata: { name: 'default' }, spec: {} })
    // Pods are admitted only where there is one.
    await bench.client.create(ServiceAccount, { metadata: { name: 'default', namespace: 'default' } })
    return bench
  }

  stop(): Promise<void> {
    return this.server.stop()
  }

  /** Starts controllers with caches of their own, as another process would. */
  run(...definitions: AnyController[]): Component {
    return this.runWith((context) => startControllers(definitions, context))
  }

  runWith(start: (context: ComponentContext) => Component): Component {
    const client = createClient(this.transport, { userAgent: 'controllers' })
    const log = silentLogger
    const informers = createInformerFactory({ client, clock: this.clock, log })
    const component = start({ client, informers, clock: this.clock, log, span() {} })
    return {
      name: component.name,
      async stop() {
        const stopping = component.stop()
        informers.stop()
        await stopping
      },
    }
  }

  /** Lets everything that is due within `ms` happen. */
  async settle(ms = 100): Promise<void> {
    await this.clock.advance(ms)
  }

  async events(): Promise<string[]> {
    const { items } = await this.client.list(Event)
    return items.map(({ type, reason, message, count }) => `${type} ${reason} ${message}${count && count > 1 ? ` x${count}` : ''}`)
  }

  /** As a kubelet would: the pods run and are ready. */
  async makeReady(pods: readonly V1Pod[]): Promise<void> {
    const time = timestamp(this.clock.now())
    for (const pod of pods) {
      if (pod.status?.conditions?.some(({ type }) => type === 'Ready') || pod.metadata.deletionTimestamp) continue
      const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: time }]
      await this.client.updateStatus(Pod, { ...pod, status: { ...pod.status, phase: 'Running', conditions } })
    }
  }

  async pods(namespace = 'default'): Promise<V1Pod[]> {
    return (await this.client.list(Pod, { namespace })).items
  }
}
