import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { WriteRecord } from '../../apiserver/contracts.ts'
import { createInProcessTransport } from '../../apiserver/in-process-transport.ts'
import { type ApiServer, createApiServer } from '../../apiserver/server.ts'
import { allowEverything } from '../../apiserver/testing/test-server.ts'
import { createClient } from '../../client/api-client.ts'
import type { Client } from '../../client/client.ts'
import { createInformerFactory } from '../../client/informer-factory.ts'
import { silentLogger } from '../../client/logger.ts'
import { Lease, Namespace, Node, Pod } from '../../client/resources.ts'
import { isApiError } from '../../machinery/errors.ts'
import { toWhole } from '../../machinery/quantity.ts'
import { VirtualClock } from '../../machinery/virtual-clock.ts'
import { MemoryStore } from '../../store/memory-store.ts'
import { PodAddresses, simulatedIndex, simulatedNodeAddress, simulatedPodBlock } from './simulated-addresses.ts'
import { parseSimulatedNodes } from './simulated-node-options.ts'
import { SimulatedNodes, type SimulatedNodesOptions } from './simulated-nodes.ts'

describe('simulated nodes', () => {
  let clock: VirtualClock
  let server: ApiServer
  let client: Client
  let writes: WriteRecord[]
  let watches: number
  let stopAll: (() => Promise<void>)[]

  const clientFor = (name: string) => createClient(createInProcessTransport(server, { user: { name, groups: [] }, userAgent: 'test' }), { userAgent: 'test' })

  beforeEach(async () => {
    clock = new VirtualClock()
    writes = []
    watches = 0
    stopAll = []
    server = createApiServer({ store: new MemoryStore(), clock, parts: [allowEverything], onWrite: (write) => void writes.push(write) })
    await server.start()
    client = clientFor('test')
    for (const name of ['default', 'kube-node-lease'])
      await client.create(Namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {} }).catch((error) => {
        if (!isApiError(error, 'AlreadyExists')) throw error
      })
  })
  afterEach(async () => {
    for (const stop of stopAll) await inTime(stop())
    await server.stop()
  })

  /** Lets time go on until it is done. */
  async function inTime<T>(work: Promise<T>): Promise<T> {
    let done = false
    const settled = work.finally(() => {
      done = true
    })
    settled.catch(() => {})
    for (let step = 0; !done && step < 2000; step++) await clock.advance(50)
    return settled
  }

  async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (let step = 0; step < 2000; step++) {
      if (await holds()) return
      await clock.advance(100)
    }
    assert.fail(`waited in vain until ${what}`)
  }

  function start(options: Partial<SimulatedNodesOptions> = {}): SimulatedNodes {
    const transport = createInProcessTransport(server, { user: { name: 'reader', groups: [] }, userAgent: 'test' })
    const reader = createClient(
      {
        close: () => transport.close(),
        request: (request) => {
          if (request.query?.watch) watches++
          return transport.request(request)
        },
      },
      { userAgent: 'test' },
    )
    const informers = createInformerFactory({ client: reader, clock, log: silentLogger })
    const context = { client: reader, informers, clock, log: silentLogger, span() {} } as unknown as SimulatedNodesOptions['context']
    const nodes = new SimulatedNodes({
      context,
      clientFor: (name) => clientFor(`system:node:${name}`),
      clusterDNS: '10.96.0.10',
      clusterDomain: 'cluster.local',
      ...options,
    })
    stopAll.push(async () => {
      const stopping = nodes.stop()
      informers.stop()
      await stopping
    })
    return nodes
  }

  const bind = (name: string, nodeName: string) =>
    client.create(Pod, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: { nodeName, containers: [{ name: 'main', image: 'web:1' }] },
    })
  const podOf = (name: string) => client.get(Pod, { name, namespace: 'default' })
  const isRunning = async (name: string) => (await podOf(name)).status?.phase === 'Running'
  const renewedAt = async (name: string) => (await client.find(Lease, { name, namespace: 'kube-node-lease' }))?.spec.renewTime

  const lives = (life: object) => ({ annotations: { 'life.simulated.skiff.dev/main': JSON.stringify(life) } })
  const pod = (name: string, metadata: object, spec: object = {}) =>
    client.create(Pod, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', ...metadata },
      spec: { nodeName: 'a', containers: [{ name: 'main', image: 'web:1' }], ...spec },
    })
  const mainOf = async (name: string) => (await podOf(name)).status?.containerStatuses?.[0]

  it('go on where they were when their server is started again, and anew when the machine was', async () => {
    const first = start({ session: 's1' })
    await inTime(first.addNode({ name: 'a' }))
    await pod('short', lives({ runMs: 120_000, exitCode: 3, terminationMessage: 'the end' }), {
      restartPolicy: 'Never',
      containers: [{ name: 'main', image: 'web:1', readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 10 } }],
    })
    await pod('broken', lives({ runMs: 1000, exitCode: 1, terminationMessage: 'why' }))
    await pod('init-ends', { annotations: { 'life.simulated.skiff.dev/init': '{"runMs":100}' } }, { initContainers: [{ name: 'init', image: 'init:1' }] })
    for (const name of ['short', 'init-ends'])
      await until(
        `${name} is ready`,
        async () => (await podOf(name)).status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
      )
    await until('one waits for its third start', async () => {
      const status = await mainOf('broken')
      return status?.restartCount === 2 && status.state?.waiting?.reason === 'CrashLoopBackOff'
    })
    const names = ['short', 'init-ends']
    const seen = async () => Promise.all(names.map(async (name) => (await podOf(name)).status))
    const before = await seen()
    const began = clock.now()
    await inTime(first.stop())
    await clock.advance(5000)
    const second = start({ session: 's1' })
    await inTime(second.resume())
    await clock.advance(1000)
    assert.deepEqual(await seen(), before)
    // How long it was to wait yet only the last kubelet knew, as upstream.
    assert.deepEqual([(await mainOf('broken'))?.restartCount, (await mainOf('broken'))?.lastState?.terminated?.message], [3, 'why'])
    const usage = (await second.samples('a'))?.pods.get('default/init-ends')?.get('main')
    assert.ok(usage && usage.startedAt < began, 'its processor time goes on')
    const [used = ''] = before.map((status) => status?.podIP)
    await pod('later', {})
    await until('another runs', () => isRunning('later'))
    assert.ok(![used, before[1]?.podIP].includes((await podOf('later')).status?.podIP), 'addresses stay taken')
    await until('what was to end has ended', async () => (await podOf('short')).status?.phase === 'Failed')
    const ended = (await mainOf('short'))?.state?.terminated
    assert.equal(Date.parse(ended?.finishedAt ?? '') - Date.parse(ended?.startedAt ?? ''), 120_000)
    assert.equal(ended?.exitCode, 3)
    await inTime(second.stop())

    const third = start({ session: 's2' })
    await inTime(third.resume())
    await until('it was started anew', async () => ((await mainOf('init-ends'))?.restartCount ?? 0) === 1)
  })

  it('a machine that was switched off in between has lost what ran on it', async () => {
    const nodes = start({ session: 's1' })
    await inTime(nodes.addNode({ name: 'a' }))
    await pod('web', {})
    await until('it runs', () => isRunning('web'))
    await inTime(nodes.stopNode('a'))
    await inTime(nodes.startNode('a'))
    await until('it was started anew', async () => ((await mainOf('web'))?.restartCount ?? 0) === 1)
    const { containerID } = (await mainOf('web')) ?? {}
    await inTime(nodes.stop())
    const again = start({ session: 's1' })
    await inTime(again.resume())
    await clock.advance(5000)
    assert.equal((await mainOf('web'))?.containerID, containerID)
  })

  it('containers fail as often as they are told to, and come back as their pods say', async () => {
    const nodes = start()
    await inTime(nodes.addNode({ name: 'a' }))
    await pod('stubborn', lives({ runMs: 1000, failureRate: 1 }))
    await pod('once', lives({ runMs: 1000, failureRate: 1 }), { restartPolicy: 'Never' })
    await pod('good', lives({ runMs: 1000, failureRate: 0 }), { restartPolicy: 'OnFailure' })
    await until('the first waits longer and longer', async () => (await mainOf('stubborn'))?.state?.waiting?.message?.includes('40s') ?? false)
    assert.equal((await mainOf('stubborn'))?.restartCount, 3)
    assert.deepEqual([(await podOf('once')).status?.phase, (await mainOf('once'))?.state?.terminated?.exitCode], ['Failed', 1])
    assert.equal((await podOf('good')).status?.phase, 'Succeeded')
  })

  it('are as they were expected to be', async () => {
    const nodes = start()
    const spec = { name: 'pool-abcde', capacity: { cpu: '2', memory: '512Mi', 'example.com/gpu': '1' }, labels: { size: 'small' } }
    const expected = nodes.expected(spec)
    await inTime(nodes.addNode(spec))
    const { metadata, status } = await client.get(Node, { name: spec.name })
    const whole = (amounts: Record<string, string> = {}) => Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, toWhole(amount)]))
    assert.deepEqual(metadata.labels, expected.labels)
    assert.deepEqual([whole(status?.capacity), whole(status?.allocatable)], [whole(expected.capacity), whole(expected.allocatable)])
  })

  it('have what they were given, addresses of their own, and share their watches', async () => {
    const nodes = start({ capacity: { cpu: '4' } })
    await inTime(nodes.resume())
    await inTime(
      Promise.all([
        nodes.addNode({ name: 'a', capacity: { memory: '1Gi' }, labels: { zone: 'x' }, providerID: 'simulated://a' }),
        nodes.addNode({ name: 'b', taints: [{ key: 'k', effect: 'NoSchedule' }] }),
      ]),
    )
    const [a, b] = await Promise.all([client.get(Node, { name: 'a' }), client.get(Node, { name: 'b' })])
    assert.deepEqual([a.status?.capacity?.cpu, a.status?.capacity?.memory, a.status?.capacity?.pods], ['4', '1Gi', '110'])
    assert.equal(a.metadata.labels?.zone, 'x')
    assert.equal(a.metadata.labels?.['skiff.dev/simulated'], 'true')
    assert.equal(a.spec.providerID, 'simulated://a')
    assert.ok(b.spec.taints?.some(({ key }) => key === 'k'))
    assert.deepEqual([a.spec.podCIDR, b.spec.podCIDR], ['240.0.0.0/24', '240.0.1.0/24'])
    await Promise.all([bind('one', 'a'), bind('two', 'b')])
    await until('both run', async () => (await isRunning('one')) && (await isRunning('two')))
    assert.equal((await podOf('two')).status?.podIP, '240.0.1.1')
    // Pods, nodes and services, whatever the number of nodes.
    assert.equal(watches, 3)
  })

  it('write as their own users, and a pod that starts without delay is one write', async () => {
    const nodes = start()
    await inTime(nodes.resume())
    await inTime(nodes.addNode({ name: 'a' }))
    await bind('one', 'a')
    writes.length = 0
    await until('it runs', () => isRunning('one'))
    const ofPod = writes.filter(({ key }) => key.includes('/pods/'))
    assert.deepEqual(
      ofPod.map(({ user }) => user.name),
      ['system:node:a'],
    )
  })

  it('a stopped one is silent and its objects stay; started again it runs its pods', async () => {
    const nodes = start()
    await inTime(nodes.resume())
    await inTime(nodes.addNode({ name: 'a' }))
    await bind('one', 'a')
    await until('it runs', () => isRunning('one'))
    await until('it has a heartbeat', async () => (await renewedAt('a')) !== undefined)
    await inTime(nodes.stopNode('a'))
    const last = await renewedAt('a')
    await clock.advance(60_000)
    assert.equal(await renewedAt('a'), last)
    assert.ok(await client.find(Node, { name: 'a' }))
    await assert.rejects(nodes.samples('a') ?? Promise.resolve(), /is off/)
    await inTime(nodes.startNode('a'))
    await until('the heartbeat goes on', async () => (await renewedAt('a')) !== last)
    await until('its pod was started anew', async () => ((await podOf('one')).status?.containerStatuses?.[0]?.restartCount ?? 0) > 0)
  })

  it('follow their objects: annotated they are off, deleted they are gone', async () => {
    const nodes = start()
    await inTime(nodes.resume())
    await inTime(nodes.addNode({ name: 'a' }))
    const annotate = (stopped: string | null) =>
      client.patch(Node, { name: 'a' }, 'merge', { metadata: { annotations: { 'simulated.skiff.dev/stopped': stopped } } })
    await annotate('true')
    await until('it is off', async () => !nodes.isRunning('a'))
    await annotate(null)
    await until('it is on', async () => nodes.isRunning('a'))
    await client.delete(Node, { name: 'a' })
    await until('it is gone', async () => nodes.names().length === 0)
    await clock.advance(30_000)
    assert.equal(await client.find(Node, { name: 'a' }), undefined)
  })

  it('a node that is removed is gone with its object, boots as long as it is said, and its place is free again', async () => {
    const nodes = start()
    await inTime(nodes.resume())
    const before = clock.monotonic()
    await inTime(nodes.addNode({ name: 'a', startDelayMs: 3000 }))
    assert.ok(clock.monotonic() - before >= 3000)
    await inTime(nodes.removeNode('a'))
    assert.equal(await client.find(Node, { name: 'a' }), undefined)
    await inTime(nodes.removeNode('a'))
    await inTime(nodes.addNode({ name: 'b' }))
    assert.equal((await client.get(Node, { name: 'b' })).spec.podCIDR, '240.0.0.0/24')
    const late = nodes.addNode({ name: 'c', startDelayMs: 60_000 })
    late.catch(() => {})
    await inTime(nodes.removeNode('c'))
    await assert.rejects(inTime(late), /switched off/)
  })

  it('another process brings back those that the API knows, where they stood', async () => {
    const first = start()
    await inTime(first.resume())
    await inTime(first.addNode({ name: 'a' }))
    await inTime(first.addNode({ name: 'b', capacity: { cpu: '3' } }))
    await inTime(first.removeNode('a'))
    for (const stop of stopAll.splice(0)) await inTime(stop())
    const second = start()
    await inTime(second.resume())
    assert.deepEqual(second.names(), ['b'])
    await inTime(second.addNode({ name: 'c' }))
    const [b, c] = await Promise.all([client.get(Node, { name: 'b' }), client.get(Node, { name: 'c' })])
    assert.equal(b.status?.capacity?.cpu, '3')
    assert.deepEqual([b.spec.podCIDR, c.spec.podCIDR], ['240.0.1.0/24', '240.0.0.0/24'])
  })

  it('tell what their pods use', async () => {
    const nodes = start({ life: { usage: { milliCores: 100, memoryBytes: 1000 } } })
    await inTime(nodes.resume())
    await inTime(nodes.addNode({ name: 'a' }))
    await bind('one', 'a')
    await until('it runs', () => isRunning('one'))
    await clock.advance(10_000)
    const samples = await nodes.samples('a')
    const main = samples?.pods.get('default/one')?.get('main')
    assert.ok(main && main.cpuSeconds >= 1 && main.cpuSeconds < 2)
    assert.equal(main.memoryBytes, 1000)
    assert.equal(samples?.node?.memoryBytes, 1000)
    assert.equal(nodes.samples('node-1'), undefined)
  })
})

describe('addresses of simulated nodes', () => {
  it('are blocks that no two share', () => {
    assert.equal(simulatedPodBlock(0), '240.0.0.0/24')
    assert.equal(simulatedPodBlock(300), '240.1.44.0/24')
    assert.equal(simulatedIndex(simulatedNodeAddress(4999)), 4999)
    assert.equal(simulatedIndex('10.89.0.1'), undefined)
  })

  it('are given to one pod at a time', () => {
    const addresses = new PodAddresses('240.0.0.0/29')
    const all = Array.from({ length: 6 }, () => addresses.take())
    assert.deepEqual(
      all,
      [1, 2, 3, 4, 5, 6].map((last) => `240.0.0.${last}`),
    )
    assert.equal(addresses.take(), undefined)
    addresses.release('240.0.0.3')
    assert.equal(addresses.take(), '240.0.0.3')
  })
})

describe('what the command line says of simulated nodes', () => {
  const parse = (count?: string, capacity?: string, life?: string) => parseSimulatedNodes({ count, capacity, life })
  it('is read', () => {
    assert.equal(parse(), undefined)
    assert.deepEqual(parse('3', 'cpu=8, memory=32Gi', '{"startDelayMs":5}'), { count: 3, capacity: { cpu: '8', memory: '32Gi' }, life: { startDelayMs: 5 } })
  })
  it('is refused with a sentence', () => {
    assert.throws(() => parse('many'), /--simulated-nodes must be a number from 0 to 65535, not 'many'/)
    assert.throws(() => parse('3', 'cpu'), /'cpu' is none/)
    assert.throws(() => parse('3', undefined, '{"startDelayMs":-1}'), /startDelayMs must be a number that is not negative/)
    assert.throws(() => parse('3', undefined, '['), /--simulated-life must be JSON/)
    assert.throws(() => parse(undefined, 'cpu=1'), /--simulated-node says nothing without --simulated-nodes/)
  })
})
