/** What a pod waits for until it runs on its node, and what it is refused for. */
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { ConfigMap, RuntimeClass, Secret } from '../client/resources.ts'
import { RuntimeError } from '../runtime/runtime.ts'
import { type BenchOptions, containerOf, NodeBench } from './testing/node-bench.ts'

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

describe('configuration', () => {
  it('waits for a ConfigMap and starts as soon as it is there', async () => {
    const node = await start()
    await node.createPod('web', { containers: [{ name: 'main', envFrom: [{ configMapRef: { name: 'settings' } }] }] })
    const waits = await node.untilPod('web', 'waits', (pod) => containerOf(pod, 'main')?.state?.waiting?.reason === 'CreateContainerConfigError')
    assert.equal(containerOf(waits, 'main')?.state?.waiting?.message, 'configmap "settings" not found')
    assert.equal(waits.status?.phase, 'Pending')
    assert.ok((await node.events()).includes('Warning Failed Error: configmap "settings" not found'))
    await node.client.create(ConfigMap, { metadata: { name: 'settings', namespace: 'default' }, data: { A: '1' } })
    const before = node.clock.now()
    await node.untilReady('web')
    assert.ok(node.clock.now() - before < 2 * seconds)
  })

  it('names the key that is missing; optional ones are left out', async () => {
    const node = await start()
    await node.client.create(Secret, { metadata: { name: 'pw', namespace: 'default' }, data: { a: 'YQ==' } })
    await node.createPod('strict', { containers: [{ name: 'main', env: [{ name: 'B', valueFrom: { secretKeyRef: { name: 'pw', key: 'b' } } }] }] })
    const waits = await node.untilPod('strict', 'waits', (pod) => containerOf(pod, 'main')?.state?.waiting?.reason === 'CreateContainerConfigError')
    assert.equal(containerOf(waits, 'main')?.state?.waiting?.message, "couldn't find key b in Secret default/pw")
    await node.createPod('lax', {
      containers: [{ name: 'main', env: [{ name: 'B', valueFrom: { secretKeyRef: { name: 'none', key: 'b', optional: true } } }] }],
    })
    await node.untilReady('lax')
  })

  it('a volume that cannot be mounted is told and tried again', async () => {
    const node = await start()
    await node.createPod('web', {
      volumes: [{ name: 'config', configMap: { name: 'settings' } }],
      containers: [{ name: 'main', volumeMounts: [{ name: 'config', mountPath: '/etc/config' }] }],
    })
    await node.until('it was told', async () =>
      (await node.events()).includes('Warning FailedMount MountVolume.SetUp failed for volume "config" : configmap "settings" not found'),
    )
    assert.equal(containerOf(await node.pod('web'), 'main')?.state?.waiting?.reason, 'ContainerCreating')
    await node.client.create(ConfigMap, { metadata: { name: 'settings', namespace: 'default' }, data: { A: '1' } })
    await node.untilReady('web')
  })
})

describe('images', () => {
  it('a pull that fails is told, backed off from, and tried again', async () => {
    let pulls = 0
    const node = await start({ pull: () => (++pulls < 3 ? { error: new RuntimeError('ErrImagePull', 'manifest unknown') } : { takesMs: 1250, size: 42 }) })
    await node.createPod('web')
    const failed = await node.untilPod('web', 'cannot pull', (pod) => containerOf(pod, 'main')?.state?.waiting?.reason === 'ErrImagePull')
    assert.equal(containerOf(failed, 'main')?.state?.waiting?.message, 'manifest unknown')
    const waits = await node.untilPod('web', 'is backed off', (pod) => containerOf(pod, 'main')?.state?.waiting?.reason === 'ImagePullBackOff')
    assert.equal(containerOf(waits, 'main')?.state?.waiting?.message, 'Back-off pulling image "image:1": ErrImagePull: manifest unknown')
    await node.untilReady('web')
    const told = await node.events()
    for (const line of [
      'Normal Pulling Pulling image "image:1"',
      'Warning Failed Failed to pull image "image:1": manifest unknown',
      'Warning Failed Error: ErrImagePull',
      'Normal BackOff Back-off pulling image "image:1"',
      'Warning Failed Error: ImagePullBackOff',
      'Normal Pulled Successfully pulled image "image:1" in 1.25s (1.25s including waiting). Image size: 42 bytes.',
    ])
      assert.ok(told.includes(line), `${line} in\n${told.join('\n')}`)
  })

  it('policy Never and names that are none', async () => {
    const node = await start({ pull: () => ({}) })
    await node.createPod('never', { containers: [{ name: 'main', imagePullPolicy: 'Never' }] })
    const never = await node.untilPod('never', 'waits', (pod) => containerOf(pod, 'main')?.state?.waiting?.reason === 'ErrImageNeverPull')
    assert.equal(containerOf(never, 'main')?.state?.waiting?.message, 'Container image "image:1" is not present with pull policy of Never')
    await node.createPod('bad', { containers: [{ name: 'main', image: 'Upper/Case' }] })
    await node.untilPod('bad', 'waits', (pod) => containerOf(pod, 'main')?.state?.waiting?.reason === 'InvalidImageName')
  })

  it('a RuntimeClass says what runs the pod, and user namespaces that there are not are told of', async () => {
    const node = await start()
    const handlers: (string | undefined)[] = []
    const run = node.runtime.runPodSandbox.bind(node.runtime)
    node.runtime.runPodSandbox = (config) => {
      handlers.push(config.runtimeHandler)
      return run(config)
    }
    await node.client.create(RuntimeClass, { metadata: { name: 'quick' }, handler: 'crun' })
    await node.createPod('quick', { runtimeClassName: 'quick' })
    await node.createPod('own-users', { hostUsers: false })
    await node.untilReady('quick')
    await node.untilReady('own-users')
    assert.deepEqual(handlers.sort(), ['crun', undefined])
    await node.until('it was told', async () =>
      (await node.events()).includes('Warning UserNamespaceNotSupported hostUsers: false has no effect: users in the pod are those of the node'),
    )
  })

  it('many pods share one pull', async () => {
    let pulls = 0
    const node = await start({
      pull: () => {
        pulls++
        return { takesMs: 3000 }
      },
    })
    await Promise.all(['a', 'b', 'c'].map((name) => node.createPod(name)))
    for (const name of ['a', 'b', 'c']) await node.untilReady(name)
    assert.equal(pulls, 1)
  })
})

describe('admission on the node', () => {
  it('refuses what does not fit', async () => {
    const node = await start()
    await node.createPod('big', { containers: [{ name: 'main', resources: { requests: { cpu: '3' } } }] })
    const big = await node.untilPod('big', 'is refused', (pod) => pod.status?.phase === 'Failed')
    assert.equal(big.status?.reason, 'OutOfcpu')
    assert.equal(big.status?.message, "Pod was rejected: Node didn't have enough resource: cpu, requested: 3000, used: 0, capacity: 2000")
    await node.createPod('picky', { nodeSelector: { disk: 'ssd' } })
    const picky = await node.untilPod('picky', 'is refused', (pod) => pod.status?.phase === 'Failed')
    assert.equal(picky.status?.reason, 'NodeAffinity')
    const sysctls = (...names: string[]) => ({ securityContext: { sysctls: names.map((name) => ({ name, value: '1' })) } })
    for (const [name, spec, why] of [
      ['unsafe', sysctls('net/ipv4/tcp_rmem', 'kernel.msgmax'), '"kernel.msgmax" not allowlisted'],
      ['host-net', { ...sysctls('net.ipv4.tcp_rmem'), hostNetwork: true }, '"net.ipv4.tcp_rmem" not allowed with host net enabled'],
    ] as const) {
      await node.createPod(name, spec)
      const { status } = await node.untilPod(name, 'is refused', (pod) => pod.status?.phase === 'Failed')
      assert.deepEqual([status?.reason, status?.message], ['SysctlForbidden', `Pod was rejected: forbidden sysctl: ${why}`])
    }
    const ports = (hostIP?: string) => ({ containers: [{ name: 'main', ports: [{ containerPort: 80, hostPort: 8080, hostIP }] }] })
    await node.createPod('first', ports())
    await node.untilReady('first')
    await node.createPod('second', ports('127.0.0.1'))
    const second = await node.untilPod('second', 'is refused', (pod) => pod.status?.phase === 'Failed')
    assert.equal(second.status?.reason, 'NodePorts')
  })
})
