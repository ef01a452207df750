/**
 * Nodes are cut off, switched off and brought back at moments that chance picks, while pods are deleted and scaled.
 * Whatever happens: no ordinal of a StatefulSet runs twice, what was deleted ends, endpoints lead to ready pods alone,
 * and nobody writes over what was decided while he was away.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createInformerFactory } from '../../src/client/informer-factory.ts'
import { silentLogger as log } from '../../src/client/logger.ts'
import { Deployment, EndpointSlice, Node, Pod, Service, StatefulSet } from '../../src/client/resources.ts'
import type { V1Pod } from '../../src/machinery/schema/generated/types.ts'
import { addressOf, type NodeName, nodeNames, TwoNodes } from './two-nodes.ts'

const seeds = Number(process.env.SKIFF_SEEDS ?? 12)
/** `seconds`: how long its pods stay on a node that is not heard of. */
const template = (app: string, seconds: number) => ({
  metadata: { labels: { app } },
  spec: {
    terminationGracePeriodSeconds: 5,
    automountServiceAccountToken: false,
    tolerations: ['not-ready', 'unreachable'].map((key) => ({
      key: `node.kubernetes.io/${key}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: seconds,
    })),
    containers: [{ name: app, image: 'image:1' }],
  },
})
const isReady = ({ status }: V1Pod) => status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false

const told = ({ metadata, spec, status }: V1Pod) => `${metadata.name} on ${spec.nodeName}, deleted ${metadata.deletionTimestamp}: ${JSON.stringify(status)}`

class Run {
  readonly cluster: TwoNodes
  readonly story: string[] = []
  readonly #off = new Set<NodeName>()
  readonly #outOfService = new Set<NodeName>()
  readonly #problems: string[] = []
  readonly #stopWatching: () => void

  private constructor(cluster: TwoNodes) {
    this.cluster = cluster
    const informers = createInformerFactory({ client: cluster.client, clock: cluster.clock, log })
    informers.informer(Pod).onChange(({ type, object, previous }) => {
      if (type === 'updated' && previous && previous.metadata.uid === object.metadata.uid) this.#compare(previous, object)
    })
    this.#stopWatching = () => informers.stop()
  }

  static async start(seed: number): Promise<Run> {
    const run = new Run(await TwoNodes.start(seed))
    const { client } = run.cluster
    const selector = (app: string) => ({ matchLabels: { app } })
    const at = (name: string) => ({ name, namespace: 'default' })
    await client.create(StatefulSet, { metadata: at('db'), spec: { serviceName: 'db', replicas: 2, selector: selector('db'), template: template('db', 100) } })
    await client.create(Deployment, { metadata: at('web'), spec: { replicas: 3, selector: selector('web'), template: template('web', 20) } })
    await client.create(Service, { metadata: at('web'), spec: { clusterIP: 'None', selector: { app: 'web' }, ports: [{ port: 80 }] } })
    await run.pass(1000 * run.upTo(20))
    return run
  }

  async stop(): Promise<void> {
    this.#stopWatching()
    await this.cluster.stop()
  }

  upTo = (most: number) => Math.floor(this.cluster.clock.random() * (most + 1))

  /** No decision is taken back, and no status comes from another node. */
  #compare(before: V1Pod, after: V1Pod): void {
    const name = after.metadata.name
    const hasEnded = ({ status }: V1Pod) => status?.phase === 'Failed' || status?.phase === 'Succeeded'
    if (hasEnded(before) && !hasEnded(after)) this.#problems.push(`${name} had ended and is ${after.status?.phase}`)
    if (before.metadata.deletionTimestamp && !after.metadata.deletionTimestamp) this.#problems.push(`${name} was deleted and is not`)
    const prefix = addressOf(after.spec.nodeName ?? '', 0).slice(0, -1)
    if (after.status?.podIP && !after.status.podIP.startsWith(prefix))
      this.#problems.push(`${name} on ${after.spec.nodeName} has the address ${after.status.podIP}`)
  }

  async pods(): Promise<V1Pod[]> {
    return (await this.cluster.client.list(Pod, { namespace: 'default' })).items
  }

  /** Running containers, by pod. */
  async running(): Promise<{ pod: string; uid: string; node: NodeName }[]> {
    const found: { pod: string; uid: string; node: NodeName }[] = []
    for (const [node, { runtime }] of this.cluster.machines) {
      const sandboxes = new Map((await runtime.listPodSandboxes()).map((sandbox) => [sandbox.id, sandbox.metadata]))
      for (const { state, sandboxId } of await runtime.listContainers()) {
        const pod = sandboxes.get(sandboxId)
        if (state === 'running' && pod) found.push({ pod: pod.name, uid: pod.uid, node })
      }
    }
    return found
  }

  async check(): Promise<void> {
    const ordinals = (await this.running()).filter(({ pod }) => pod.startsWith('db-')).map(({ pod }) => pod)
    for (const name of new Set(ordinals)) if (ordinals.filter((one) => one === name).length > 1) this.#problems.push(`${name} runs twice`)
    if ((await this.#wrongEndpoints()).length > 0) {
      // The controller needs a moment.
      await this.cluster.clock.advance(2000)
      this.#problems.push(...(await this.#wrongEndpoints()))
    }
    assert.deepEqual(this.#problems, [], this.story.join('\n'))
  }

  async #wrongEndpoints(): Promise<string[]> {
    const pods = new Map((await this.pods()).map((pod) => [pod.metadata.uid, pod]))
    const { items } = await this.cluster.client.list(EndpointSlice, { namespace: 'default' })
    return items
      .flatMap(({ endpoints }) => endpoints ?? [])
      .filter(({ conditions, targetRef }) => {
        const pod = pods.get(targetRef?.uid ?? '')
        return conditions?.ready && !(pod && isReady(pod) && !pod.metadata.deletionTimestamp)
      })
      .map(({ targetRef }) => `the endpoint ${targetRef?.name} is not ready`)
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1000) {
      await this.cluster.clock.advance(1000)
      await this.check()
    }
  }

  async act(): Promise<void> {
    const { cluster } = this
    const node = nodeNames[this.upTo(1)] ?? 'node-1'
    const tell = (what: string) => this.story.push(`${new Date(cluster.clock.now()).toISOString().slice(11, 23)} ${what}`)
    switch (this.upTo(7)) {
      case 0:
      case 1:
        tell(`cut ${node}`)
        return cluster.cut(node)
      case 2:
        tell(`mend ${node}`)
        return cluster.mend(node)
      case 3:
        if (this.#off.has(node)) return
        tell(`${node} loses power`)
        this.#off.add(node)
        return cluster.switchOff(node)
      case 4:
        return this.#bringBack(node, tell)
      case 5: {
        // Only where nothing can run any more: else it is the one who says so who lets an ordinal run twice.
        if (!this.#off.has(node) || this.#outOfService.has(node)) return
        tell(`${node} is out of service`)
        this.#outOfService.add(node)
        return cluster.declareOutOfService(node)
      }
      case 6: {
        const replicas = 1 + this.upTo(4)
        tell(`web has ${replicas}`)
        await cluster.client.patch(Deployment, { namespace: 'default', name: 'web' }, 'merge', { spec: { replicas } })
        return
      }
      default: {
        const pods = await this.pods()
        const pod = pods[this.upTo(pods.length - 1)]
        if (!pod) return
        tell(`delete ${pod.metadata.name}`)
        await cluster.client.delete(Pod, pod.metadata)
      }
    }
  }

  async #bringBack(node: NodeName, tell: (what: string) => void): Promise<void> {
    if (!this.#off.has(node)) return
    tell(`${node} starts`)
    if (this.#outOfService.delete(node)) await this.cluster.declareInService(node)
    this.#off.delete(node)
    this.cluster.switchOn(node)
  }

  /** Everything is whole again: so must the cluster be. */
  async recover(): Promise<void> {
    const tell = (what: string) => this.story.push(what)
    for (const node of nodeNames) {
      await this.#bringBack(node, tell)
      this.cluster.mend(node)
    }
    this.story.push('all is whole again')
    await this.pass(180_000)
    const { client } = this.cluster
    const why = this.story.join('\n')
    for (const { metadata, spec, status } of (await client.list(Node)).items) {
      assert.deepEqual(spec.taints ?? [], [], `${metadata.name}\n${why}`)
      assert.equal(status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True', `${metadata.name}\n${why}`)
    }
    const pods = await this.pods()
    const web = await client.get(Deployment, { namespace: 'default', name: 'web' })
    assert.equal(pods.length, 2 + (web.spec.replicas ?? 0), `${pods.map(told).join('\n')}\n${why}`)
    for (const pod of pods) assert.ok(isReady(pod) && !pod.metadata.deletionTimestamp, `${told(pod)}\n${why}`)
    const expected = pods.map(({ metadata, spec }) => `${metadata.name} ${metadata.uid} ${spec.nodeName}`).sort()
    assert.deepEqual((await this.running()).map(({ pod, uid, node }) => `${pod} ${uid} ${node}`).sort(), expected, why)
  }
}

for (let seed = 1; seed <= seeds; seed++) {
  test(`nodes that come and go, by chance ${seed}`, async () => {
    const run = await Run.start(seed)
    try {
      for (let i = 0; i < 14; i++) {
        await run.act()
        await run.pass(run.upTo(3) === 0 ? 1000 * run.upTo(100) : run.upTo(4000))
      }
      await run.recover()
    } finally {
      await run.stop()
    }
  })
}
