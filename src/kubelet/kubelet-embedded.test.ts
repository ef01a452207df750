/** The kubelet over real containers: what a simulated runtime cannot show. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { insideNamespaces } from '../../test/tools/namespaces.ts'
import { createInProcessTransport } from '../apiserver/in-process-transport.ts'
import { type ApiServer, createApiServer } from '../apiserver/server.ts'
import { allowEverything } from '../apiserver/testing/test-server.ts'
import { createClient } from '../client/api-client.ts'
import type { Client } from '../client/client.ts'
import { createInformerFactory } from '../client/informer-factory.ts'
import { createLogger } from '../client/logger.ts'
import { ConfigMap, Event, Namespace, Node, Pod, Secret } from '../client/resources.ts'
import { realClock } from '../machinery/real-clock.ts'
import type { V1Pod, V1PodSpec } from '../machinery/schema/generated/types.ts'
import { ensureNodeNetwork } from '../network/node-network.ts'
import { createPodNetwork } from '../network/pod-network.ts'
import { buildBusyboxImage } from '../runtime/embedded/build/busybox-image.ts'
import { createEmbeddedRuntime } from '../runtime/embedded/embedded-runtime.ts'
import { openImageStore } from '../runtime/embedded/images/image-store.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { MemoryStore } from '../store/memory-store.ts'
import { CgroupsV1 } from './cgroups/cgroup-v1.ts'
import { CgroupsV2 } from './cgroups/cgroup-v2.ts'
import { type Kubelet, startKubelet } from './kubelet.ts'
import { containerOf, isReady } from './testing/node-bench.ts'

const image = 'busybox:1.35'
const isVersion2 = existsSync('/sys/fs/cgroup/cgroup.controllers')
const forever = 'trap "exit 0" TERM; while :; do sleep 0.1; done'

const inside = insideNamespaces(import.meta.url, ['crun', 'conmon', 'ip', 'nft'])
if (inside) {
  const { directory, cgroupRoot } = inside
  const log = createLogger({ level: process.env.SKIFF_TEST_VERBOSE ? 'debug' : 'error', clock: realClock, write: (line) => console.log(line) })
  let server: ApiServer
  let client: Client
  let runtime: Runtime
  let kubelet: { kubelet: Kubelet; stop(): Promise<void> }

  const start = async () => {
    const network = { bridge: 'skiff0', podCIDR: '10.244.0.0/24', serviceCIDR: '10.96.0.0/16' }
    await ensureNodeNetwork(network)
    runtime = await createEmbeddedRuntime({
      dataDir: join(directory, 'data'),
      stateDir: join(directory, 'run'),
      cgroupRoot,
      network: createPodNetwork({ network, stateDirectory: join(directory, 'network') }),
      clock: realClock,
    })
    const transport = createInProcessTransport(server, { user: { name: 'system:node:node-1', groups: ['system:masters'] }, userAgent: 'kubelet' })
    const own = createClient(transport, { userAgent: 'kubelet' })
    const informers = createInformerFactory({ client: own, clock: realClock, log })
    const started = startKubelet(
      { client: own, informers, clock: realClock, log, span() {} },
      {
        nodeName: 'node-1',
        runtime,
        addresses: [{ type: 'InternalIP', address: '10.244.0.1' }],
        rootDirectory: join(directory, 'kubelet'),
        clusterDNS: ['10.96.0.10'],
        clusterDomain: 'cluster.local',
        capacity: { pods: '20', memory: '512Mi' },
        eviction: { hard: { 'memory.available': '384Mi' }, everySeconds: 0.3, pressureTransitionSeconds: 0 },
        cgroups: isVersion2 ? new CgroupsV2({ root: cgroupRoot, clock: realClock }) : new CgroupsV1({ root: cgroupRoot, clock: realClock }),
        secretsInMemory: true,
      },
    )
    await started.ready
    kubelet = {
      kubelet: started,
      async stop() {
        await started.stop()
        informers.stop()
        await runtime.close()
      },
    }
  }

  before(async () => {
    await buildBusyboxImage(openImageStore(join(directory, 'data', 'images')))
    server = createApiServer({ store: new MemoryStore(), clock: realClock, parts: [allowEverything] })
    await server.start()
    client = createClient(createInProcessTransport(server, { user: { name: 'test', groups: [] }, userAgent: 'test' }), { userAgent: 'test' })
    for (const name of ['default', 'kube-node-lease'])
      if (!(await client.find(Namespace, { name }))) await client.create(Namespace, { metadata: { name }, spec: {} })
    await start()
  })
  after(async () => {
    for (const pod of (await client.list(Pod)).items) await remove(pod.metadata.name)
    await kubelet.stop()
    await server.stop()
  })

  const at = (name: string) => ({ name, namespace: 'default' })
  const until = async (what: string, holds: () => Promise<boolean> | boolean) => {
    const deadline = performance.now() + 20_000
    while (!(await holds())) {
      if (performance.now() > deadline) {
        const { items } = await client.list(Event)
        const states = (await client.list(Pod)).items.map((pod) => JSON.stringify(pod.status?.containerStatuses))
        assert.fail(`waited in vain until ${what}\n${items.map(({ reason, message }) => `${reason} ${message}`).join('\n')}\n${states.join('\n')}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const untilPod = async (name: string, what: string, holds: (pod: V1Pod) => boolean): Promise<V1Pod> => {
    let last: V1Pod | undefined
    await until(`${name} ${what}`, async () => {
      last = await client.find(Pod, at(name))
      return last !== undefined && holds(last)
    })
    assert.ok(last)
    return last
  }
  const create = (name: string, script: string, spec: Partial<V1PodSpec> = {}, container: Partial<V1PodSpec['containers'][number]> = {}) =>
    client.create(Pod, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: at(name),
      spec: {
        nodeName: 'node-1',
        terminationGracePeriodSeconds: 2,
        ...spec,
        containers: [{ name: 'main', image, command: ['sh', '-c', script], ...container }],
      },
    })
  const remove = async (name: string) => {
    await client.delete(Pod, at(name), { gracePeriodSeconds: 1 })
    await until(`${name} is gone`, async () => (await client.find(Pod, at(name))) === undefined)
  }
  const inContainer = async (pod: V1Pod, script: string): Promise<string> => {
    const id = containerOf(pod, 'main')?.containerID?.split('://')[1] ?? ''
    const { stdout, stderr } = await runtime.execSync(id, ['sh', '-c', script], 5000)
    return Buffer.concat([stdout, stderr]).toString().trim()
  }
  const cgroupDirectories = () => {
    const base = isVersion2 ? join('/sys/fs/cgroup', cgroupRoot, 'kubepods') : join('/sys/fs/cgroup/memory', cgroupRoot, 'kubepods')
    return ['', 'burstable', 'besteffort'].flatMap((parent) => readdirSync(join(base, parent)).filter((name) => name.startsWith('pod')))
  }

  it('gives a container its environment, files, network names and limits', async () => {
    await client.create(ConfigMap, { metadata: at('settings'), data: { GREETING: 'hello', 'file.txt': 'content' } })
    await client.create(Secret, { metadata: at('password'), data: { password: 'aHVudGVyMg==' } })
    await create(
      'web',
      forever,
      {
        hostname: 'box',
        securityContext: { fsGroup: 3000, runAsUser: 1000, runAsGroup: 1000 },
        volumes: [
          { name: 'config', configMap: { name: 'settings' } },
          { name: 'secret', secret: { secretName: 'password', defaultMode: 0o440 } },
          { name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        ],
      },
      {
        env: [{ name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'settings', key: 'GREETING' } } }],
        resources: { limits: { memory: '32Mi', cpu: '500m' } },
        volumeMounts: [
          { name: 'config', mountPath: '/config' },
          { name: 'secret', mountPath: '/secret', readOnly: true },
          { name: 'scratch', mountPath: '/scratch' },
        ],
        readinessProbe: { exec: { command: ['cat', '/scratch/ready'] }, periodSeconds: 1 },
      },
    )
    const running = await untilPod('web', 'runs', (pod) => pod.status?.phase === 'Running')
    assert.equal(running.status?.qosClass, 'Guaranteed')
    assert.equal(isReady(running), false)
    assert.equal(
      await inContainer(running, 'echo $GREETING; cat /config/file.txt; echo; cat /secret/password; echo; hostname; id -u; id -G'),
      'hello\ncontent\nhunter2\nbox\n1000\n1000 3000',
    )
    assert.match(
      await inContainer(running, 'cat /etc/resolv.conf'),
      /^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local.*\nnameserver 10\.96\.0\.10\noptions ndots:5/,
    )
    assert.match(await inContainer(running, 'cat /etc/hosts'), new RegExp(`${running.status?.podIP}\tbox`))
    assert.match(await inContainer(running, 'echo x > /config/y'), /Read-only file system/)
    assert.match(await inContainer(running, 'dd if=/dev/zero of=/scratch/big bs=1M count=2 2>&1; rm -f /scratch/big'), /No space left/)
    assert.deepEqual(cgroupDirectories(), [`pod${running.metadata.uid}`])
    await inContainer(running, 'touch /scratch/ready')
    await untilPod('web', 'is ready', isReady)
    await client.patch(ConfigMap, at('settings'), 'merge', { data: { 'file.txt': 'changed' } })
    await until('the file has changed', async () => (await inContainer(running, 'cat /config/file.txt')) === 'changed')
    await remove('web')
    await until('its cgroup is gone', () => cgroupDirectories().length === 0)
    await until(
      'its directories are gone',
      () => readdirSync(join(directory, 'kubelet/pods')).length === 0 && readdirSync(join(directory, 'kubelet/memory')).length === 0,
    )
    await until('its sandbox is gone', async () => (await runtime.listPodSandboxes()).length === 0)
  })

  it('restarts what fails, tells what it said, and keeps the log before', async () => {
    await create('crash', 'echo line; echo why > /dev/termination-log; exit 7')
    const pod = await untilPod('crash', 'is in backoff', (one) => containerOf(one, 'main')?.state?.waiting?.reason === 'CrashLoopBackOff')
    const last = containerOf(pod, 'main')?.lastState?.terminated
    assert.deepEqual([last?.exitCode, last?.reason, last?.message?.trim()], [7, 'Error', 'why'])
    const logs = join(directory, 'kubelet/log/pods', `default_crash_${pod.metadata.uid}`, 'main')
    assert.match(readFileSync(join(logs, '1.log'), 'utf8'), / stdout F line\n/)
    await remove('crash')
  })

  it('tells of a container that took too much memory', async () => {
    await create('greedy', 'x=a; while :; do x=$x$x; done', { restartPolicy: 'Never' }, { resources: { limits: { memory: '16Mi' } } })
    const pod = await untilPod('greedy', 'has failed', (one) => one.status?.phase === 'Failed')
    assert.deepEqual([containerOf(pod, 'main')?.state?.terminated?.reason, containerOf(pod, 'main')?.state?.terminated?.exitCode], ['OOMKilled', 137])
    await remove('greedy')
  })

  it('probes over the pod network, and finds its containers after a restart', async () => {
    await create(
      'web',
      'mkdir -p /www; echo ok > /www/health; httpd -f -p 8080 -h /www',
      {},
      { readinessProbe: { httpGet: { path: '/health', port: 8080 }, periodSeconds: 1 }, livenessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 } },
    )
    const pod = await untilPod('web', 'is ready', isReady)
    await kubelet.stop()
    await start()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    const found = await client.get(Pod, at('web'))
    assert.equal(containerOf(found, 'main')?.containerID, containerOf(pod, 'main')?.containerID)
    assert.ok(isReady(found))
    await client.delete(Pod, at('web'), { gracePeriodSeconds: 1 })
    await until('it is gone', async () => (await client.find(Pod, at('web'))) === undefined)
  })

  it('changes limits while the container runs', async () => {
    await create('web', forever, {}, { resources: { limits: { cpu: '500m', memory: '32Mi' } } })
    const pod = await untilPod('web', 'is ready', isReady)
    const id = containerOf(pod, 'main')?.containerID?.split('://')[1] ?? ''
    const limits = { cpu: '250m', memory: '64Mi' }
    await client.patch(
      Pod,
      at('web'),
      'strategic',
      { spec: { containers: [{ name: 'main', resources: { limits, requests: limits } }] } },
      { subresource: 'resize' },
    )
    const group = join(cgroupRoot, 'kubepods', `pod${pod.metadata.uid}`)
    const read = (controller: string, version1: string, version2: string, below = '') =>
      readFileSync(isVersion2 ? join('/sys/fs/cgroup', group, below, version2) : join('/sys/fs/cgroup', controller, group, below, version1), 'utf8').trim()
    for (const below of ['', id]) {
      await until('memory is larger', () => read('memory', 'memory.limit_in_bytes', 'memory.max', below) === String(64 * 2 ** 20))
      await until('processor time is shorter', () => read('cpu', 'cpu.cfs_quota_us', 'cpu.max', below).split(' ')[0] === '25000')
    }
    assert.equal(containerOf(await client.get(Pod, at('web')), 'main')?.restartCount, 0)
    await remove('web')
  })

  it('ends a pod that outgrew its limits on disk, and takes away what it wrote', async () => {
    const write = (path: string) => `dd if=/dev/zero of=${path} bs=1M count=12; ${forever}`
    const scratch = { volumes: [{ name: 'scratch', emptyDir: { sizeLimit: '10Mi' } }] }
    await create('directory', write('/scratch/file'), scratch, { volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] })
    await create('layer', write('/file'), {}, { resources: { limits: { 'ephemeral-storage': '10Mi' } } })
    await create('small', forever, scratch, { volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] })
    const evicted = (name: string) => untilPod(name, 'is evicted', ({ status }) => status?.phase === 'Failed' && status.reason === 'Evicted')
    const directoryPod = await evicted('directory')
    assert.equal(directoryPod.status?.message, 'Usage of EmptyDir volume "scratch" exceeds the limit "10Mi". ')
    const layer = await evicted('layer')
    assert.equal(layer.status?.message, 'Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ')
    for (const pod of [directoryPod, layer]) {
      await until(
        'nothing of it is left',
        async () => !(await runtime.listContainers()).some(({ labels }) => labels['io.kubernetes.pod.uid'] === pod.metadata.uid),
      )
      assert.equal(existsSync(join(directory, 'kubelet/pods', pod.metadata.uid)), false)
      assert.ok(containerOf(pod, 'main')?.state?.terminated)
    }
    assert.equal((await client.get(Pod, at('small'))).status?.phase, 'Running')
    for (const name of ['directory', 'layer', 'small']) await remove(name)
  })

  it('ends the pod that takes the memory when the node runs short, by what its groups use', async () => {
    const inMemory = { volumes: [{ name: 'scratch', emptyDir: { medium: 'Memory' } }] }
    await create('rest', forever)
    await untilPod('rest', 'is ready', isReady)
    await create('greedy', `dd if=/dev/zero of=/scratch/file bs=1M count=200; ${forever}`, inMemory, {
      volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
    })
    const pod = await untilPod('greedy', 'is evicted', ({ status }) => status?.phase === 'Failed' && status.reason === 'Evicted')
    assert.match(
      pod.status?.message ?? '',
      /^The node was low on resource: memory\. Threshold quantity: 384Mi, available: \S+\. Container main was using \d\S+, request is 0, has larger consumption of memory\. $/,
    )
    const { status } = await client.get(Node, { name: 'node-1' })
    await until('the pressure is over', async () =>
      ((await client.get(Node, { name: 'node-1' })).status?.conditions ?? []).some((one) => one.type === 'MemoryPressure' && one.status === 'False'),
    )
    assert.equal(status?.allocatable?.memory, '128Mi')
    assert.equal((await client.get(Pod, at('rest'))).status?.phase, 'Running')
    for (const name of ['greedy', 'rest']) await remove(name)
  })

  it('refuses to run as root where the pod says so', async () => {
    await create('root', forever, { securityContext: { runAsNonRoot: true } })
    const pod = await untilPod('root', 'is refused', (one) => containerOf(one, 'main')?.state?.waiting?.reason === 'CreateContainerConfigError')
    assert.match(containerOf(pod, 'main')?.state?.waiting?.message ?? '', /^container has runAsNonRoot and image will run as root \(pod: "root_default/)
    await remove('root')
  })
}
