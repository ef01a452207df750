/** A node that runs short: the whole kubelet over a simulated runtime, with signals that the test says. */
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { Event, Node } from '../../client/resources.ts'
import { conditionOf, containerOf, NodeBench, nodeName } from '../testing/node-bench.ts'
import type { EvictionOptions } from './node-eviction.ts'
import type { Observation, Signal } from './thresholds.ts'

const mebi = 1024 ** 2
let bench: NodeBench | undefined
afterEach(async () => {
  await bench?.stop()
  bench = undefined
})

/** Memory of 1000 Mi, less what the simulated pods use; disk as `disk` says. */
async function start(lives: NonNullable<Parameters<typeof NodeBench.start>[0]>['lives'], eviction: EvictionOptions = {}) {
  const said = { disk: 50 }
  const node = await NodeBench.start({
    ...(lives ? { lives } : {}),
    kubelet: {
      eviction: {
        ...eviction,
        source: {
          async observe() {
            const stats = (await bench?.runtime.stats()) ?? []
            const used = stats.reduce((sum, one) => sum + one.memory.workingSetBytes, 0)
            return new Map<Signal, Observation>([
              ['memory.available', { available: 1000 * mebi - used, capacity: 1000 * mebi }],
              ['nodefs.available', { available: said.disk, capacity: 100 }],
            ])
          },
        },
      },
    },
  })
  bench = node
  return { node, said }
}
const nodeCondition = async (node: NodeBench, type: string) =>
  (await node.client.get(Node, { name: nodeName })).status?.conditions?.find((condition) => condition.type === type)
const uses = (amount: number) => ({ usage: { milliCores: 0, memoryBytes: amount * mebi } })

describe('memory pressure', () => {
  it('ends one pod after the other until enough is free, and tells it', async () => {
    const { node } = await start({ greedy: { ...uses(500), stopMs: 900 }, modest: uses(200), rest: uses(250) })
    await node.createPod('modest', { containers: [{ name: 'modest', resources: { requests: { memory: '300Mi' } } }] })
    await node.createPod('rest', { containers: [{ name: 'rest' }], restartPolicy: 'Never' })
    for (const name of ['modest', 'rest']) await node.untilReady(name)
    await node.clock.advance(60_000)
    assert.equal((await nodeCondition(node, 'MemoryPressure'))?.status, 'False')
    await node.createPod('greedy', { containers: [{ name: 'greedy' }], terminationGracePeriodSeconds: 600 })
    await node.untilReady('greedy')
    await node.until('the node says so', async () => (await nodeCondition(node, 'MemoryPressure'))?.status === 'True')
    const pod = await node.untilPod('greedy', 'is evicted', ({ status }) => status?.phase === 'Failed')
    assert.equal(pod.status?.reason, 'Evicted')
    assert.equal(
      pod.status?.message,
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container greedy was using 500Mi, request is 0, has larger consumption of memory. ',
    )
    const disruption = conditionOf(pod, 'DisruptionTarget')
    assert.deepEqual([disruption?.status, disruption?.reason, disruption?.message], ['True', 'TerminationByKubelet', pod.status?.message])
    assert.ok(containerOf(pod, 'greedy')?.state?.terminated)
    assert.deepEqual(await node.runtime.listContainers().then((all) => all.map(({ metadata }) => metadata.name).sort()), ['modest', 'rest'])
    const all = (await node.client.list(Event)).items
    assert.deepEqual(
      all.filter(({ reason }) => reason === 'Evicted').map(({ metadata }) => metadata.annotations),
      [{ offending_containers: 'greedy', offending_containers_usage: '500Mi', starved_resource: 'memory' }],
    )
    const told = all.filter(({ reason }) => reason === 'EvictionThresholdMet')
    assert.deepEqual(
      told.map(({ type, message, involvedObject }) => [type, message, involvedObject.kind]),
      [['Warning', 'Attempting to reclaim memory', 'Node']],
    )
    assert.equal((await node.pod('rest')).status?.phase, 'Running')

    const refused = await node.createPod('late')
    const late = await node.untilPod(refused.metadata.name, 'is refused', ({ status }) => status?.phase === 'Failed')
    assert.deepEqual([late.status?.reason, late.status?.message], ['Evicted', 'Pod was rejected: The node had condition: [MemoryPressure]. '])
    await node.clock.advance(240_000)
    assert.equal((await nodeCondition(node, 'MemoryPressure'))?.status, 'True')
    await node.clock.advance(80_000)
    assert.equal((await nodeCondition(node, 'MemoryPressure'))?.status, 'False')
  })

  it('by a soft threshold waits, and lets the pod end in its time, up to the most', async () => {
    const { node } = await start(
      { greedy: { ...uses(500), stopMs: 20_000 } },
      { hard: {}, soft: { 'memory.available': '600Mi' }, softGraceSeconds: { 'memory.available': 60 }, maxPodGracePeriodSeconds: 30 },
    )
    await node.createPod('greedy', { containers: [{ name: 'greedy' }], terminationGracePeriodSeconds: 600 })
    await node.untilReady('greedy')
    const began = node.clock.now()
    const pod = await node.untilPod('greedy', 'is evicted', ({ status }) => status?.phase === 'Failed')
    const waited = node.clock.now() - began
    assert.ok(waited >= 75_000 && waited <= 105_000, `${waited} ms: 60 s of the threshold, 20 s of the pod`)
    assert.notEqual(containerOf(pod, 'greedy')?.state?.terminated?.exitCode, 137, 'it ended by itself')
  })

  it('never ends what the system needs', async () => {
    const { node } = await start({ greedy: uses(950) })
    await node.createPod('critical', { containers: [{ name: 'greedy' }], priority: 2_000_001_000 })
    await node.untilReady('critical')
    await node.clock.advance(120_000)
    assert.equal((await node.pod('critical')).status?.phase, 'Running')
  })

  it('is not over because the kubelet was started again', async () => {
    const { node } = await start({ greedy: uses(950) })
    await node.createPod('critical', { containers: [{ name: 'greedy' }], priority: 2_000_001_000, restartPolicy: 'Never' })
    await node.until('the node says so', async () => (await nodeCondition(node, 'MemoryPressure'))?.status === 'True')
    const before = await nodeCondition(node, 'MemoryPressure')
    await node.clock.advance(60_000)
    await node.stopKubelet()
    await node.startKubelet()
    await node.clock.advance(60_000)
    const condition = await nodeCondition(node, 'MemoryPressure')
    assert.deepEqual([condition?.status, condition?.lastTransitionTime], ['True', before?.lastTransitionTime])
    await node.stopKubelet()
    await node.runtime.stopContainer((await node.runtime.listContainers())[0]?.id ?? '', 0)
    await node.startKubelet()
    await node.until('that it is over', async () => (await nodeCondition(node, 'MemoryPressure'))?.status === 'False')
  })
})

describe('disk pressure', () => {
  it('removes what nobody uses first, and pods only if that was not enough', async () => {
    const { node, said } = await start({ job: { runMs: 1000 } })
    await node.createPod('job', { containers: [{ name: 'job' }], restartPolicy: 'Never' })
    await node.createPod('web')
    await node.untilPod('job', 'is done', ({ status }) => status?.phase === 'Succeeded')
    await node.untilReady('web')
    const remove = node.runtime.removeContainer.bind(node.runtime)
    node.runtime.removeContainer = async (id) => {
      said.disk = 11
      await remove(id)
    }
    said.disk = 9
    await node.until('the node says so', async () => (await nodeCondition(node, 'DiskPressure'))?.status === 'True')
    await node.clock.advance(60_000)
    assert.equal(said.disk, 11)
    assert.equal((await node.pod('web')).status?.phase, 'Running')
    assert.equal(containerOf(await node.pod('job'), 'job')?.state?.terminated?.reason, 'Completed', 'its end is not forgotten')
    said.disk = 9
    // What nobody can remove keeps no pod from being evicted.
    node.runtime.listImages = () => Promise.reject(new Error('the disk does not answer'))
    const pod = await node.untilPod('web', 'is evicted', ({ status }) => status?.reason === 'Evicted')
    assert.match(pod.status?.message ?? '', /^The node was low on resource: ephemeral-storage\. Threshold quantity: 10, available: 9\. /)
  })
})
