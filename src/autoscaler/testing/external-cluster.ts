/**
 * A cluster with the real scheduler and the autoscaler, whose nodes a provider in another process makes; the machines'
 * kubelets are played here. Time is real, as the provider's is; the API server's stands still.
 */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Component, ComponentContext } from '../../client/component.ts'
import { Event, Node, Pod } from '../../client/resources.ts'
import { realClock } from '../../machinery/real-clock.ts'
import type { V1Condition } from '../../machinery/schema/generated/types.ts'
import { VirtualClock } from '../../machinery/virtual-clock.ts'
import { startScheduler } from '../../scheduler/scheduler.ts'
import { startClusterAutoscaler } from '../cluster-autoscaler.ts'
import type { CloudConfig } from '../external/cloud-config.ts'
import { externalProvider } from '../external/external-provider.ts'
import { type ExternalNodeGroup, NodePool, type NodePoolSpec } from '../node-pool.ts'
import { AutoscalerServer } from './autoscaler-server.ts'
import { PretendMachines } from './pretend-machines.ts'
import type { Behaviour, ProviderState } from './provider-process.ts'
import { end, startProvider } from './start-provider.ts'

const patienceMs = 20_000

export class ExternalCluster {
  readonly server: AutoscalerServer
  readonly directory = mkdtempSync(join(tmpdir(), 'skiff-provider-'))
  readonly #machines: PretendMachines
  readonly #stops: (() => Promise<void>)[] = []
  #provider: { address: string; child: ChildProcess } | undefined

  private constructor(server: AutoscalerServer) {
    this.server = server
    this.#machines = new PretendMachines(server.client, realClock)
  }

  /** `prepare`: puts into the provider's directory what it is to find. */
  static async start(prepare: (cluster: ExternalCluster) => Promise<CloudConfig | undefined> = async () => undefined): Promise<ExternalCluster> {
    const cluster = new ExternalCluster(await AutoscalerServer.start(new VirtualClock({ start: realClock.now() })))
    const cloudConfig = await prepare(cluster)
    await cluster.startProvider()
    cluster.#run('scheduler', (context) => startScheduler(context))
    cluster.#run('cluster-autoscaler', (context) =>
      startClusterAutoscaler(context, {
        providers: { External: externalProvider({ client: context.client, clock: realClock, ...(cloudConfig ? { cloudConfig } : {}) }) },
        settings: { scanIntervalMs: 300, gatherMs: 20, gatherLessMs: 50, initialBackoffMs: 500, evictionRetryMs: 300, scaleDownDelayAfterFailureMs: 500 },
      }),
    )
    return cluster
  }

  get client() {
    return this.server.client
  }

  get address(): string {
    return this.#provider?.address ?? ''
  }

  async startProvider(): Promise<void> {
    this.#provider = await startProvider(this.directory)
  }

  async killProvider(): Promise<void> {
    if (this.#provider) await end(this.#provider.child, 'SIGKILL')
  }

  behave(behaviour: Behaviour): void {
    writeFileSync(join(this.directory, 'behaviour.json'), JSON.stringify(behaviour))
  }

  group(name: string): ProviderState['groups'][string] {
    try {
      const { groups } = JSON.parse(readFileSync(join(this.directory, 'state.json'), 'utf8')) as ProviderState
      return groups[name] ?? { target: 0, instances: [] }
    } catch {
      // Nothing was asked of it yet.
      return { target: 0, instances: [] }
    }
  }

  async pool(name: string, external: ExternalNodeGroup = { address: this.address }, spec: Partial<NodePoolSpec> = {}): Promise<void> {
    const scaleDown = { unneededSeconds: 1, delayAfterAddSeconds: 0 }
    await this.client.create(NodePool, { metadata: { name }, spec: { kind: 'External', minSize: 0, maxSize: 5, external, scaleDown, ...spec } })
  }

  async pods(count: number, cpu = '3'): Promise<void> {
    const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'owner', uid: 'owner', controller: true }]
    for (let i = 0; i < count; i++)
      await this.client.create(Pod, {
        metadata: { name: `pod-${i}`, namespace: 'default', ownerReferences },
        spec: { containers: [{ name: 'main', image: 'main', resources: { requests: { cpu } } }] },
      })
  }

  async deletePods(): Promise<void> {
    await this.client.deleteCollection(Pod, { namespace: 'default' }, { gracePeriodSeconds: 0 })
  }

  async running(): Promise<number> {
    return (await this.client.list(Pod)).items.filter(({ status }) => status?.phase === 'Running').length
  }

  async nodes(): Promise<string[]> {
    return (await this.client.list(Node)).items.map(({ metadata }) => metadata.name)
  }

  async condition(pool: string, type: string): Promise<V1Condition | undefined> {
    return (await this.client.find(NodePool, { name: pool }))?.status?.conditions?.find((one) => one.type === type)
  }

  async events(): Promise<string[]> {
    return (await this.client.list(Event)).items.map(({ reason, message }) => `${reason}: ${message}`)
  }

  /** Lets machines do their work until it holds. */
  async until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
    const deadline = realClock.monotonic() + patienceMs
    while (!(await holds())) {
      if (realClock.monotonic() > deadline) throw new Error(`in vain: ${what}; ${(await this.events()).join('\n')}`)
      await this.#tend()
      await realClock.sleep(20)
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#stops.map((stop) => stop()))
    await this.killProvider()
    await this.server.stop()
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** Kubelets of instances that run register themselves, and do what their pods want. */
  async #tend(): Promise<void> {
    const there = await this.nodes()
    for (const group of ['large', 'small'])
      for (const { id, status } of this.group(group).instances) {
        const name = id.slice('pretend://'.length)
        if (status?.state === 1 && !there.includes(name)) await this.#machines.addFixed(name, group === 'large' ? '4' : '2', { size: group }, id)
      }
    await this.#machines.tendPods()
  }

  #run(name: string, start: (context: ComponentContext) => Component): void {
    const { stopInformers, ...context } = this.server.context(name, realClock)
    const component = start(context)
    this.#stops.push(async () => {
      const stopping = component.stop()
      stopInformers()
      await stopping
    })
  }
}
