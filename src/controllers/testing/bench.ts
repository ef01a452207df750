/** Runs controllers under a virtual clock against a server in memory, for tests. */
import { createClient } from '../../client/api-client.ts'
import type { Client } from '../../client/client.ts'
import type { Component, ComponentContext } from '../../client/component.ts'
import { type AnyController, startControllers } from '../../client/controller-runner.ts'
import { createInformerFactory } from '../../client/informer-factory.ts'
import { silentLogger } from '../../client/logger.ts'
import { Event, Pod } from '../../client/resources.ts'
import { MemoryServer } from '../../client/testing/memory-server.ts'
import { timestamp } from '../../machinery/clock.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import { VirtualClock } from '../../machinery/virtual-clock.ts'

export class Bench {
  readonly clock = new VirtualClock()
  readonly server = new MemoryServer(this.clock)
  readonly client: Client = createClient(this.server, { userAgent: 'test' })

  /** Starts controllers with caches of their own, as another process would. */
  start(...definitions: AnyController[]): Component {
    return this.startWith((context) => startControllers(definitions, context))
  }

  startWith(start: (context: ComponentContext) => Component): Component {
    const client = createClient(this.server, { userAgent: 'controllers' })
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
      if (pod.status?.conditions) continue
      const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: time }]
      await this.client.updateStatus(Pod, { ...pod, status: { phase: 'Running', conditions } })
    }
  }

  async pods(namespace = 'default'): Promise<V1Pod[]> {
    return (await this.client.list(Pod, { namespace })).items
  }
}
