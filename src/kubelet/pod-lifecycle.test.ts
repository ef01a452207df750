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

describe('restarts', () => {
  it('the first at once, then after a backoff that doubles', async () => {
    const node = await start({ lives: { main: { runMs: 1000, exitCode: 3 } } })
    await node.createPod('crash')
    const waits = await node.untilPod('crash', 'is in backoff', (pod) => containerOf(pod, 'main')?.state?.waiting?.reason === 'CrashLoopBackOff')
    const status = containerOf(waits, 'main')
    assert.equal(status?.restartCount, 1)
    assert.equal(status?.lastState?.terminated?.exitCode, 3)
    assert.equal(status?.lastState?.terminated?.reason, 'Error')
    assert.equal(status?.state?.waiting?.message, `back-off 10s restarting failed container=main pod=crash_default(${waits.metadata.uid})`)
    assert.equal(waits.status?.phase, 'Running')
    assert.equal(isReady(waits), false)
    const before = node.clock.now()
    await node.untilPod('crash', 'was started again', (pod) => containerOf(pod, 'main')?.restartCount === 2)
    const waited = node.clock.now() - before
    assert.ok(waited >= 8 * seconds && waited <= 12 * seconds, `${waited} ms`)
    await node.untilPod('crash', 'waits longer', (pod) => (containerOf(pod, 'main')?.state?.waiting?.message ?? '').startsWith('back-off 20s'))
    await node.until(
      'it has waited the longest',
      async () => (containerOf(await node.pod('crash'), 'main')?.state?.waiting?.message ?? '').startsWith('back-off 5m0s'),
      5000,
    )
    assert.ok(
      (await node.eventsOf('BackOff')).some((line) => line.startsWith('Warning BackOff Back-off restarting failed container main in pod crash_default(')),
    )
  })

  it('forget their backoff for another image, and after ten minutes without failure', async () => {
    const node = await start({
      lives: { main: (container) => (container.imageSpec.endsWith(':2') ? {} : { runMs: 1000, exitCode: 3 }), rare: { runMs: 601_000, exitCode: 1 } },
    })
    await node.createPod('fixed')
    await node.untilPod('fixed', 'waits for long', (pod) => (containerOf(pod, 'main')?.state?.waiting?.message ?? '').startsWith('back-off 40s'))
    const before = node.clock.now()
    await node.client.patch(Pod, { name: 'fixed', namespace: 'default' }, 'strategic', { spec: { containers: [{ name: 'main', image: 'image:2' }] } })
    await node.untilReady('fixed')
    assert.ok(node.clock.now() - before < 5000, 'at once')
    await node.createPod('rare', { containers: [{ name: 'rare' }] })
    await node.untilReady('rare')
    for (const restarts of [1, 2, 3]) {
      await node.clock.advance(601_000)
      await node.untilPod('rare', `was restarted ${restarts} times`, (pod) => containerOf(pod, 'rare')?.restartCount === restarts)
    }
    assert.deepEqual(
      (await node.events()).filter((line) => line.includes('failed container rare')),
      [],
    )
  })

  it('by policy: Never keeps what ended, OnFailure restarts only failures', async () => {
    const node = await start({ lives: { good: { runMs: 1000 }, bad: { runMs: 1000, exitCode: 1 } } })
    await node.createPod('never', { restartPolicy: 'Never', containers: [{ name: 'good' }, { name: 'bad' }] })
    const failed = await node.untilPod('never', 'has ended', (pod) => pod.status?.phase === 'Failed')
    assert.equal(conditionOf(failed, 'Ready')?.reason, 'PodFailed')
    await node.createPod('done', { restartPolicy: 'OnFailure', containers: [{ name: 'good' }] })
    const done = await node.untilPod('done', 'has ended', (pod) => pod.status?.phase === 'Succeeded')
    assert.equal(conditionOf(done, 'Ready')?.reason, 'PodCompleted')
    assert.equal(conditionOf(done, 'Initialized')?.reason, 'PodCompleted')
    assert.equal(containerOf(done, 'good')?.state?.terminated?.reason, 'Completed')
    await node.createPod('retry', { restartPolicy: 'OnFailure', containers: [{ name: 'good' }, { name: 'bad' }] })
    const retry = await node.untilPod('retry', 'retries', (pod) => (containerOf(pod, 'bad')?.restartCount ?? 0) > 0)
    assert.equal(containerOf(retry, 'good')?.restartCount, 0)
    assert.equal(retry.status?.phase, 'Running')
  })

  it("a container's own policy and rules come before the pod's", async () => {
    let runs = 0
    // 42 is worth another try, 1 is not.
    const node = await start({ lives: { retried: () => ({ runMs: 1000, exitCode: runs++ === 0 ? 42 : 1 }), always: { runMs: 1000 }, done: { runMs: 1000 } } })
    const rules = [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }]
    await node.createPod('rules', {
      restartPolicy: 'Never',
      containers: [{ name: 'retried', restartPolicy: 'Never', restartPolicyRules: rules }, { name: 'done' }],
    })
    const pod = await node.untilPod('rules', 'has failed', ({ status }) => status?.phase === 'Failed')
    assert.deepEqual([containerOf(pod, 'retried')?.restartCount, containerOf(pod, 'retried')?.state?.terminated?.exitCode], [1, 1])
    assert.equal(containerOf(pod, 'done')?.restartCount, 0)
    await node.createPod('own', { restartPolicy: 'Never', containers: [{ name: 'always', restartPolicy: 'Always' }, { name: 'done' }] })
    const own = await node.untilPod('own', 'restarts the one', (one) => (containerOf(one, 'always')?.restartCount ?? 0) >= 2)
    assert.deepEqual([own.status?.phase, containerOf(own, 'done')?.restartCount], ['Running', 0])
  })

  it('OOMKilled is told as such', async () => {
    const node = await start({ lives: { main: { runMs: 500, oomKilled: true } } })
    await node.createPod('greedy', { restartPolicy: 'Never' })
    const pod = await node.untilPod('greedy', 'has ended', (one) => one.status?.phase === 'Failed')
    assert.deepEqual([containerOf(pod, 'main')?.state?.terminated?.reason, containerOf(pod, 'main')?.state?.terminated?.exitCode], ['OOMKilled', 137])
  })

  it('a new image restarts the container alone', async () => {
    const node = await start()
    await node.createPod('web', { containers: [{ name: 'main' }, { name: 'other' }] })
    const before = await node.untilReady('web')
    await node.client.patch(Pod, { name: 'web', namespace: 'default' }, 'strategic', { spec: { containers: [{ name: 'main', image: 'image:2' }] } })
    const after = await node.untilPod('web', 'runs the new image', (pod) => isReady(pod) && containerOf(pod, 'main')?.restartCount === 1)
    assert.equal(containerOf(after, 'other')?.containerID, containerOf(before, 'other')?.containerID)
    assert.ok((await node.events()).includes('Normal Killing Container main definition changed, will be restarted'))
  })

  it('a lost sandbox is made again with all in it', async () => {
    const node = await start()
    await node.createPod('web')
    const before = await node.untilReady('web')
    const [sandbox] = await node.runtime.listPodSandboxes()
    await node.runtime.stopPodSandbox(sandbox?.id ?? '')
    const after = await node.untilPod('web', 'is back', (pod) => isReady(pod) && containerOf(pod, 'main')?.restartCount === 1)
    assert.notEqual(after.status?.podIP, before.status?.podIP)
    assert.equal(after.status?.podIPs?.length, 1)
    assert.ok((await node.eventsOf('SandboxChanged')).length > 0)
  })
})

describe('probes', () => {
  it('startup comes before the others, liveness restarts', async () => {
    const probe = { httpGet: { port: 80 }, periodSeconds: 1 }
    const node = await start({ lives: { main: { readyAfterMs: 4500, unhealthyAfterMs: 20_000 } } })
    await node.createPod('probed', {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', startupProbe: { ...probe, failureThreshold: 10 }, readinessProbe: probe, livenessProbe: { ...probe, failureThreshold: 2 } }],
    })
    const waits = await node.untilPod('probed', 'runs', (pod) => containerOf(pod, 'main')?.state?.running !== undefined)
    assert.equal(containerOf(waits, 'main')?.started, false)
    const ready = await node.untilReady('probed')
    assert.equal(containerOf(ready, 'main')?.started, true)
    const runFor = node.clock.now() - Date.parse(containerOf(ready, 'main')?.state?.running?.startedAt ?? '')
    assert.ok(runFor >= 4500 && runFor < 7000, `${runFor} ms`)
    await node.untilPod('probed', 'was restarted', (pod) => containerOf(pod, 'main')?.restartCount === 1)
    const told = await node.events()
    assert.ok(told.includes('Warning Unhealthy Startup probe failed: HTTP probe failed with statuscode: 503'), told.join('\n'))
    assert.ok(told.includes('Warning Unhealthy Liveness probe failed: HTTP probe failed with statuscode: 503'))
    assert.ok(told.includes('Normal Killing Container main failed liveness probe, will be restarted'))
  })

  it('a startup probe that gives up ends the container', async () => {
    const node = await start({ lives: { main: { readyAfterMs: 3_600_000 } } })
    await node.createPod('slow', { containers: [{ name: 'main', startupProbe: { exec: { command: ['true'] }, periodSeconds: 1, failureThreshold: 3 } }] })
    await node.untilPod('slow', 'was restarted', (pod) => (containerOf(pod, 'main')?.restartCount ?? 0) > 0)
    assert.ok((await node.events()).includes('Normal Killing Container main failed startup probe, will be restarted'))
  })

  it('readiness comes and goes without a restart', async () => {
    let healthy = false
    const node = await start({ lives: { main: { command: () => ({ exitCode: healthy ? 0 : 1, stderr: healthy ? '' : 'not yet' }) } } })
    await node.createPod('web', {
      containers: [{ name: 'main', readinessProbe: { exec: { command: ['ready'] }, periodSeconds: 1, successThreshold: 2, failureThreshold: 2 } }],
    })
    const unready = await node.untilPod('web', 'runs', (pod) => pod.status?.phase === 'Running')
    assert.equal(conditionOf(unready, 'Ready')?.message, 'containers with unready status: [main]')
    healthy = true
    await node.untilReady('web')
    healthy = false
    const again = await node.untilPod('web', 'is unready', (pod) => !isReady(pod))
    assert.equal(containerOf(again, 'main')?.restartCount, 0)
    assert.ok((await node.events()).includes('Warning Unhealthy Readiness probe failed: not yet'))
  })
})

describe('init containers and sidecars', () => {
  it('run one after the other before the rest', async () => {
    const order: string[] = []
    const noted = (name: string, runMs?: number) => () => {
      order.push(name)
      return runMs === undefined ? {} : { runMs }
    }
    const node = await start({ lives: { first: noted('first', 1000), second: noted('second', 1000), main: noted('main') } })
    await node.createPod('web', { initContainers: [{ name: 'first' }, { name: 'second' }] })
    const waits = await node.untilPod('web', 'initializes', (pod) => containerOf(pod, 'first')?.state?.running !== undefined)
    assert.equal(waits.status?.phase, 'Pending')
    assert.equal(containerOf(waits, 'main')?.state?.waiting?.reason, 'PodInitializing')
    assert.equal(conditionOf(waits, 'Initialized')?.message, 'containers with incomplete status: [first second]')
    const ready = await node.untilReady('web')
    assert.deepEqual(order, ['first', 'second', 'main'])
    assert.equal(containerOf(ready, 'first')?.state?.terminated?.reason, 'Completed')
    assert.equal(containerOf(ready, 'first')?.ready, true)
  })

  it('one that fails with policy Never fails the pod', async () => {
    const node = await start({ lives: { first: { runMs: 100, exitCode: 1 } } })
    await node.createPod('web', { restartPolicy: 'Never', initContainers: [{ name: 'first' }] })
    const pod = await node.untilPod('web', 'has failed', (one) => one.status?.phase === 'Failed')
    assert.equal(containerOf(pod, 'main')?.state?.terminated, undefined)
    assert.equal((await node.runtime.listContainers()).length, 1)
  })

  it('one that fails otherwise is tried again with backoff', async () => {
    let runs = 0
    const node = await start({ lives: { first: () => ({ runMs: 100, exitCode: ++runs < 3 ? 1 : 0 }) } })
    await node.createPod('web', { initContainers: [{ name: 'first' }] })
    const pod = await node.untilReady('web')
    assert.equal(containerOf(pod, 'first')?.restartCount, 2)
  })

  it('a sidecar starts before, runs beside, and ends after the rest', async () => {
    const node = await start({ lives: { side: { readyAfterMs: 2000, stopMs: 500 }, main: { stopMs: 1500 } } })
    await node.createPod('web', {
      initContainers: [{ name: 'side', restartPolicy: 'Always', startupProbe: { tcpSocket: { port: 1 }, periodSeconds: 1, failureThreshold: 10 } }],
    })
    await node.untilPod('web', 'starts its sidecar', (pod) => containerOf(pod, 'side')?.state?.running !== undefined)
    assert.equal((await node.runtime.listContainers()).length, 1)
    const ready = await node.untilReady('web')
    assert.ok((containerOf(ready, 'main')?.state?.running?.startedAt ?? '') > (containerOf(ready, 'side')?.state?.running?.startedAt ?? ''))
    await node.client.delete(Pod, { name: 'web', namespace: 'default' })
    const names = new Map((await node.runtime.listContainers()).map(({ id, metadata }) => [id, metadata.name]))
    const listening = new AbortController()
    const ends: (string | undefined)[] = []
    const reading = (async () => {
      for await (const event of node.runtime.events(listening.signal)) if (event.type === 'containerStopped') ends.push(names.get(event.containerId))
    })()
    await node.until('the pod is gone', async () => (await node.find('web')) === undefined)
    listening.abort()
    await reading
    assert.deepEqual(ends, ['main', 'side'])
  })

  it('a pod whose containers have completed does not wait for its sidecar', async () => {
    const node = await start({ lives: { side: {}, main: { runMs: 1000 } } })
    await node.createPod('job', { restartPolicy: 'Never', initContainers: [{ name: 'side', restartPolicy: 'Always' }] })
    const pod = await node.untilPod('job', 'has succeeded', (one) => one.status?.phase === 'Succeeded')
    assert.ok(containerOf(pod, 'side')?.state?.terminated)
  })

  it('a sidecar that ends is restarted', async () => {
    const node = await start({ lives: { side: { runMs: 5000, exitCode: 1 } } })
    await node.createPod('web', { initContainers: [{ name: 'side', restartPolicy: 'Always' }] })
    const pod = await node.untilPod('web', 'has a new sidecar', (one) => containerOf(one, 'side')?.restartCount === 1)
    assert.equal(containerOf(pod, 'main')?.restartCount, 0)
  })
})

describe('hooks', () => {
  it('postStart holds the container back, preStop comes before the signal', async () => {
    const commands: string[] = []
    const node = await start({
      lives: {
        main: {
          command: ([word = '']) => {
            commands.push(word)
            return { exitCode: 0, takesMs: 2000 }
          },
        },
      },
    })
    await node.createPod('web', {
      containers: [{ name: 'main', lifecycle: { postStart: { exec: { command: ['begin'] } }, preStop: { exec: { command: ['end'] } } } }],
    })
    await node.untilReady('web')
    assert.deepEqual(commands, ['begin'])
    await node.client.delete(Pod, { name: 'web', namespace: 'default' })
    const before = node.clock.now()
    await node.until('the pod is gone', async () => (await node.find('web')) === undefined)
    assert.deepEqual(commands, ['begin', 'end'])
    assert.ok(node.clock.now() - before >= 2000)
  })

  it('a postStart that fails restarts the container', async () => {
    let runs = 0
    const node = await start({ lives: { main: { command: () => ({ exitCode: ++runs === 1 ? 1 : 0 }) } } })
    await node.createPod('web', { containers: [{ name: 'main', lifecycle: { postStart: { exec: { command: ['begin'] } } } }] })
    await node.untilPod('web', 'was restarted', (pod) => isReady(pod) && containerOf(pod, 'main')?.restartCount === 1)
    assert.ok((await node.eventsOf('FailedPostStartHook')).length > 0)
  })
})

describe('deletion', () => {
  it('leaves its probes nothing to say of containers that have ended', async () => {
    const node = await start({ lives: { main: { command: () => ({ exitCode: 0 }) }, slow: { stopMs: 20_000 } } })
    const readinessProbe = { exec: { command: ['look'] }, periodSeconds: 1 }
    await node.createPod('web', { containers: [{ name: 'main', readinessProbe }, { name: 'slow' }] })
    await node.untilReady('web')
    await node.client.delete(Pod, { name: 'web', namespace: 'default' })
    await node.until('it is gone', async () => (await node.find('web')) === undefined)
    assert.deepEqual(await node.eventsOf('Unhealthy'), [])
  })

  it('waits for the grace period, and a shorter one overtakes it', async () => {
    const node = await start({ lives: { main: { stopMs: 3_600_000 } } })
    await node.createPod('deaf', { terminationGracePeriodSeconds: 300 })
    await node.untilReady('deaf')
    await node.client.delete(Pod, { name: 'deaf', namespace: 'default' })
    await node.clock.advance(20 * seconds)
    assert.equal((await node.pod('deaf')).status?.phase, 'Running')
    await node.client.delete(Pod, { name: 'deaf', namespace: 'default' }, { gracePeriodSeconds: 2 })
    const before = node.clock.now()
    await node.until('the pod is gone', async () => (await node.find('deaf')) === undefined)
    assert.ok(node.clock.now() - before <= 5 * seconds, `${node.clock.now() - before} ms`)
  })

  it('a removal at once leaves nothing on the node', async () => {
    const node = await start()
    await node.createPod('web', { terminationGracePeriodSeconds: 2 })
    await node.untilReady('web')
    await node.client.delete(Pod, { name: 'web', namespace: 'default' }, { gracePeriodSeconds: 0 })
    assert.equal(await node.find('web'), undefined)
    await node.until('nothing is left', async () => (await node.runtime.listPodSandboxes()).length === 0)
  })

  it('ends a pod that is still starting', async () => {
    const node = await start({ pull: () => ({ takesMs: 60_000 }) })
    await node.createPod('web')
    await node.until('the image is pulled', async () => (await node.eventsOf('Pulling')).length > 0)
    await node.client.delete(Pod, { name: 'web', namespace: 'default' }, { gracePeriodSeconds: 3 })
    const before = node.clock.now()
    await node.until('the pod is gone', async () => (await node.find('web')) === undefined)
    assert.ok(node.clock.now() - before < 5 * seconds)
    assert.deepEqual(await node.runtime.listContainers(), [])
  })

  it('the deadline of a pod ends it', async () => {
    const node = await start()
    await node.createPod('late', { activeDeadlineSeconds: 30, terminationGracePeriodSeconds: 1 })
    await node.untilReady('late')
    const pod = await node.untilPod('late', 'has failed', (one) => one.status?.phase === 'Failed')
    assert.equal(pod.status?.reason, 'DeadlineExceeded')
    assert.equal(pod.status?.message, 'Pod was active on the node longer than the specified deadline')
  })
})

describe('a kubelet that starts again', () => {
  it('lets containers run on, with their readiness', async () => {
    const node = await start()
    await node.createPod('web', {
      containers: [{ name: 'main', readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 5 }, startupProbe: { tcpSocket: { port: 80 } } }],
    })
    const before = await node.untilReady('web')
    await node.stopKubelet()
    await node.clock.advance(30 * seconds)
    await node.startKubelet()
    await node.clock.advance(30 * seconds)
    const after = await node.pod('web')
    assert.equal(containerOf(after, 'main')?.containerID, containerOf(before, 'main')?.containerID)
    assert.equal(containerOf(after, 'main')?.restartCount, 0)
    assert.equal(conditionOf(after, 'Ready')?.lastTransitionTime, conditionOf(before, 'Ready')?.lastTransitionTime)
    assert.equal((await node.runtime.listContainers()).length, 1)
  })

  it('ends what belongs to pods that went meanwhile, and starts what came', async () => {
    const node = await start({ lives: { main: { runMs: 3_600_000 } } })
    await node.createPod('goes')
    await node.untilReady('goes')
    await node.stopKubelet()
    await node.client.delete(Pod, { name: 'goes', namespace: 'default' }, { gracePeriodSeconds: 0 })
    await node.createPod('comes')
    await node.startKubelet()
    await node.untilReady('comes')
    await node.until('only the new one is there', async () => (await node.runtime.listPodSandboxes()).map((one) => one.metadata.name).join() === 'comes')
  })

  it('goes on in the middle of a start and of an end', async () => {
    const node = await start({ lives: { first: { runMs: 5000 }, main: { stopMs: 5000 } } })
    await node.createPod('web', { initContainers: [{ name: 'first' }] })
    await node.untilPod('web', 'initializes', (pod) => containerOf(pod, 'first')?.state?.running !== undefined)
    await node.stopKubelet()
    await node.startKubelet()
    const ready = await node.untilReady('web')
    assert.equal(containerOf(ready, 'first')?.restartCount, 0)
    await node.client.delete(Pod, { name: 'web', namespace: 'default' })
    await node.clock.advance(1000)
    await node.stopKubelet()
    await node.startKubelet()
    await node.until('the pod is gone', async () => (await node.find('web')) === undefined)
  })
})

describe('an API server that is away', () => {
  it('changes nothing for what runs, and learns the rest afterwards', async () => {
    const node = await start({ lives: { main: { runMs: 20_000, exitCode: 1 } } })
    await node.createPod('web')
    const before = await node.untilReady('web')
    node.goAway()
    await node.clock.advance(60 * seconds)
    assert.equal(containerOf(await node.pod('web'), 'main')?.containerID, containerOf(before, 'main')?.containerID)
    node.comeBack()
    const after = await node.untilPod('web', 'is up to date', (pod) => (containerOf(pod, 'main')?.restartCount ?? 0) >= 1)
    assert.equal(after.metadata.uid, before.metadata.uid)
    await node.client.delete(Pod, { name: 'web', namespace: 'default' })
    await node.until('the pod is gone', async () => (await node.find('web')) === undefined)
  })
})
