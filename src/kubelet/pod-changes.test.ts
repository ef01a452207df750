/** What is added to a pod that runs, and changed in it. */
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { Pod } from '../client/resources.ts'
import { type BenchOptions, conditionOf, containerOf, isReady, NodeBench } from './testing/node-bench.ts'

let bench: NodeBench | undefined
const start = async (options: BenchOptions = {}) => {
  bench = await NodeBench.start(options)
  return bench
}
afterEach(async () => {
  await bench?.stop()
  bench = undefined
})

const seconds = 1000

describe('what is added to a running pod', () => {
  it('an ephemeral container starts beside the others, and stays ended', async () => {
    const node = await start({ lives: { debug: { runMs: 1000 } } })
    await node.createPod('web')
    const before = await node.untilReady('web')
    const ephemeralContainers = [
      { name: 'debug', image: 'image:1', targetContainerName: 'main', terminationMessagePolicy: 'File', imagePullPolicy: 'IfNotPresent' },
    ]
    await node.client.patch(Pod, { name: 'web', namespace: 'default' }, 'strategic', { spec: { ephemeralContainers } }, { subresource: 'ephemeralcontainers' })
    const after = await node.untilPod('web', 'has its end', (pod) => pod.status?.ephemeralContainerStatuses?.[0]?.state?.terminated?.exitCode === 0)
    assert.equal(containerOf(after, 'main')?.containerID, containerOf(before, 'main')?.containerID)
    assert.ok(isReady(after))
    await node.clock.advance(120 * seconds)
    assert.equal((await node.runtime.listContainers()).length, 2)
  })

  it('other limits, as it runs or by a restart', async () => {
    const node = await start()
    const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }]
    await node.createPod('web', { containers: [{ name: 'main', resources: { limits: { cpu: '500m', memory: '64Mi' } }, resizePolicy }] })
    const before = await node.untilReady('web')
    const resize = (limits: Record<string, string>) =>
      node.client.patch(
        Pod,
        { name: 'web', namespace: 'default' },
        'strategic',
        { spec: { containers: [{ name: 'main', resources: { limits, requests: limits } }] } },
        { subresource: 'resize' },
      )
    await resize({ cpu: '1', memory: '64Mi' })
    await node.until('the quota is larger', async () => {
      const [container] = await node.runtime.listContainers()
      return (await node.runtime.containerStatus(container?.id ?? ''))?.resources.cpuQuota === 100_000
    })
    assert.equal(containerOf(await node.pod('web'), 'main')?.containerID, containerOf(before, 'main')?.containerID)
    await resize({ cpu: '1', memory: '128Mi' })
    const after = await node.untilPod('web', 'was restarted', (pod) => isReady(pod) && containerOf(pod, 'main')?.restartCount === 1)
    assert.equal(containerOf(after, 'main')?.resources?.limits?.memory, '128Mi')
  })

  it('other limits of a sidecar', async () => {
    const node = await start()
    const sidecar = (cpu: string) => ({ name: 'side', resources: { limits: { cpu }, requests: { cpu: '100m' } } })
    await node.createPod('web', { initContainers: [{ ...sidecar('200m'), restartPolicy: 'Always' }] })
    await node.untilReady('web')
    const spec = { initContainers: [sidecar('300m')] }
    await node.client.patch(Pod, { name: 'web', namespace: 'default' }, 'strategic', { spec }, { subresource: 'resize' })
    const after = await node.untilPod('web', 'has them', (pod) => pod.status?.initContainerStatuses?.[0]?.resources?.limits?.cpu === '300m')
    assert.equal(after.status?.initContainerStatuses?.[0]?.restartCount, 0)
  })

  it('more than the node has is waited for, and given when there is room', async () => {
    const node = await start()
    await node.createPod('web', { containers: [{ name: 'main', resources: { requests: { cpu: '500m' } } }] })
    await node.createPod('other', { containers: [{ name: 'main', resources: { requests: { cpu: '500m' } } }] })
    await node.untilReady('web')
    await node.untilReady('other')
    const resize = (cpu: string) =>
      node.client.patch(
        Pod,
        { name: 'web', namespace: 'default' },
        'strategic',
        { spec: { containers: [{ name: 'main', resources: { requests: { cpu } } }] } },
        { subresource: 'resize' },
      )
    const pending = async (reason: string) => {
      const pod = await node.untilPod('web', reason, (one) => conditionOf(one, 'PodResizePending')?.reason === reason)
      const status = containerOf(pod, 'main')
      assert.deepEqual(
        [status?.resources?.requests?.cpu, status?.allocatedResources?.cpu, pod.status?.observedGeneration],
        ['500m', '500m', pod.metadata.generation],
      )
      return conditionOf(pod, 'PodResizePending')?.message
    }
    await resize('500')
    assert.equal(await pending('Infeasible'), "Node didn't have enough capacity: cpu, requested: 500000, capacity: 2000")
    await resize('1800m')
    assert.equal(await pending('Deferred'), "Node didn't have enough resource: cpu, requested: 1800, used: 500, capacity: 2000")
    assert.equal(conditionOf(await node.pod('web'), 'Ready')?.status, 'True')
    await node.client.delete(Pod, { name: 'other', namespace: 'default' })
    const given = await node.untilPod('web', 'has it', (pod) => containerOf(pod, 'main')?.allocatedResources?.cpu === '1800m')
    const after = await node.untilPod('web', 'waits no longer', (pod) => !pod.status?.conditions?.some(({ type }) => type.startsWith('PodResize')))
    assert.equal(containerOf(after, 'main')?.resources?.requests?.cpu, '1800m')
    assert.equal(containerOf(given, 'main')?.restartCount, 0)
  })

  it('a readiness gate holds the pod back until somebody opens it', async () => {
    const node = await start()
    await node.createPod('gated', { readinessGates: [{ conditionType: 'example.com/open' }] })
    const closed = await node.untilPod('gated', 'runs', (pod) => conditionOf(pod, 'ContainersReady')?.status === 'True')
    assert.equal(conditionOf(closed, 'Ready')?.reason, 'ReadinessGatesNotReady')
    assert.equal(conditionOf(closed, 'Ready')?.message, 'corresponding condition of pod readiness gate "example.com/open" does not exist.')
    const status = { conditions: [{ type: 'example.com/open', status: 'True' }] }
    await node.client.patch(Pod, { name: 'gated', namespace: 'default' }, 'strategic', { status }, { subresource: 'status' })
    const open = await node.untilReady('gated')
    assert.equal(conditionOf(open, 'example.com/open')?.status, 'True')
  })
})

it('a pod in the network of the node has its addresses', async () => {
  const node = await start()
  await node.createPod('agent', { hostNetwork: true })
  const pod = await node.untilReady('agent')
  assert.deepEqual(pod.status?.podIPs, [{ ip: '192.168.0.1' }])
  // Nobody had to find a node for it.
  assert.partialDeepStrictEqual(conditionOf(pod, 'PodScheduled'), { status: 'True', observedGeneration: 1 })
})
