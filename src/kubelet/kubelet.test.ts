import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { Lease, Node, Pod } from '../client/resources.ts'
import { type BenchOptions, conditionOf, containerOf, NodeBench, nodeName } from './testing/node-bench.ts'

let bench: NodeBench | undefined
const start = async (options: BenchOptions = {}) => {
  bench = await NodeBench.start(options)
  return bench
}
afterEach(async () => {
  await bench?.stop()
  bench = undefined
})

describe('node', () => {
  it('registers itself, with a lease', async () => {
    const { client } = await start()
    const node = await client.get(Node, { name: nodeName })
    assert.equal(node.metadata.labels?.['kubernetes.io/hostname'], nodeName)
    assert.equal(node.status?.allocatable?.pods, '110')
    assert.equal(node.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True')
    await bench?.until('there is a lease', async () => (await client.find(Lease, { name: nodeName, namespace: 'kube-node-lease' })) !== undefined)
    const lease = await client.get(Lease, { name: nodeName, namespace: 'kube-node-lease' })
    assert.equal(lease.metadata.ownerReferences?.[0]?.uid, node.metadata.uid)
    await bench?.clock.advance(30_000)
    const later = await client.get(Lease, { name: nodeName, namespace: 'kube-node-lease' })
    assert.ok((later.spec.renewTime ?? '') > (lease.spec.renewTime ?? ''))
  })

  it('gives out what others announce on it, until they withdraw it', async () => {
    const { client } = await start()
    const announce = (dongles: string | null) =>
      client.patch(Node, { name: nodeName }, 'merge', { status: { capacity: { 'example.com/dongle': dongles } } }, { subresource: 'status' })
    const allocatable = async () => (await client.get(Node, { name: nodeName })).status?.allocatable?.['example.com/dongle']
    await announce('4')
    await bench?.until('they are allocatable', async () => (await allocatable()) === '4', 1000)
    await announce(null)
    await bench?.until('they are no more', async () => (await allocatable()) === undefined, 1000)
  })
})

describe('a pod', () => {
  it('runs, becomes ready, and goes when it is deleted', async () => {
    const node = await start()
    await node.createPod('web', {
      containers: [{ name: 'main', readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1 } }],
      terminationGracePeriodSeconds: 5,
    })
    node.lives.main = { readyAfterMs: 3000, stopMs: 1000 }
    const pod = await node.untilReady('web')
    assert.equal(pod.status?.phase, 'Running')
    assert.ok(pod.status?.podIP)
    assert.equal(pod.status?.hostIP, '192.168.0.1')
    assert.equal(pod.status?.qosClass, 'BestEffort')
    assert.match(containerOf(pod, 'main')?.containerID ?? '', /^simulated:\/\//)
    for (const type of ['PodReadyToStartContainers', 'Initialized', 'ContainersReady', 'Ready']) assert.equal(conditionOf(pod, type)?.status, 'True', type)
    await node.client.delete(Pod, { name: 'web', namespace: 'default' })
    await node.until('the pod is gone', async () => (await node.find('web')) === undefined)
    await node.clock.advance(1000)
    assert.deepEqual(await node.runtime.listPodSandboxes(), [])
    const told = await node.events()
    for (const line of ['Normal Created Container created', 'Normal Started Container started', 'Normal Killing Stopping container main'])
      assert.ok(told.includes(line), `${line} in ${told.join('\n')}`)
    assert.deepEqual(
      node.spans.map((span) => span.name),
      ['run sandbox', 'start container'],
    )
  })
})
