/** An API server in this process that serves NodePools too, under a virtual clock. */
import { admission } from '../../apiserver/admission/admission.ts'
import { customResources } from '../../apiserver/custom-resources/custom-resources.ts'
import { discovery } from '../../apiserver/discovery/discovery.ts'
import { createInProcessTransport } from '../../apiserver/in-process-transport.ts'
import { type ApiServer, createApiServer } from '../../apiserver/server.ts'
import { allowEverything } from '../../apiserver/testing/test-server.ts'
import { createClient } from '../../client/api-client.ts'
import type { Client } from '../../client/client.ts'
import type { ComponentContext } from '../../client/component.ts'
import { createInformerFactory } from '../../client/informer-factory.ts'
import { silentLogger } from '../../client/logger.ts'
import { CustomResourceDefinition, Namespace, ServiceAccount } from '../../client/resources.ts'
import type { Clock } from '../../machinery/clock.ts'
import { readBuiltInSchema } from '../../machinery/schema/built-in.ts'
import { Schema } from '../../machinery/schema/schema.ts'
import { VirtualClock } from '../../machinery/virtual-clock.ts'
import { MemoryStore } from '../../store/memory-store.ts'
import { ensureNodePools, nodePoolDefinition } from '../node-pool-definition.ts'

const user = { name: 'tester', groups: ['system:masters', 'system:authenticated'] }

export class AutoscalerServer {
  readonly clock: VirtualClock
  readonly client: Client
  readonly #server: ApiServer

  private constructor(clock: VirtualClock, server: ApiServer) {
    this.clock = clock
    this.#server = server
    this.client = this.clientOf('test')
  }

  static async start(clock = new VirtualClock()): Promise<AutoscalerServer> {
    const schema = new Schema(readBuiltInSchema())
    const server = createApiServer({ store: new MemoryStore(), clock, schema, parts: [allowEverything, admission, customResources(schema), discovery] })
    await server.start()
    const made = new AutoscalerServer(clock, server)
    for (const name of ['default', 'kube-system']) {
      await made.client.create(Namespace, { metadata: { name }, spec: {} })
      await made.client.create(ServiceAccount, { metadata: { name: 'default', namespace: name } })
    }
    await ensureNodePools(made.client)
    const { name = '' } = nodePoolDefinition.metadata
    const isServed = async () =>
      (await made.client.get(CustomResourceDefinition, { name })).status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True')
    while (!(await isServed())) await clock.advance(10)
    return made
  }

  clientOf(userAgent: string): Client {
    return createClient(createInProcessTransport(this.#server, { user, userAgent }), { userAgent })
  }

  context(component: string, clock: Clock = this.clock): ComponentContext & { stopInformers(): void } {
    const client = this.clientOf(component)
    const informers = createInformerFactory({ client, clock, log: silentLogger })
    return { client, informers, clock, log: silentLogger, span() {}, stopInformers: () => informers.stop() }
  }

  stop(): Promise<void> {
    return this.#server.stop()
  }
}
