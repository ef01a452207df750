/** Several real nodes on one machine, and what befalls them: pods answer across nodes, and are replaced where a node fails. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { serverProcess } from '../../src/cluster/stop.ts'
import { quantity, toNumber } from '../../src/machinery/quantity.ts'
import { busybox, eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { cgroupsOf, hostState, processesOf } from '../tools/host-state.ts'
import { nodeTeller, nodeTellerService } from '../tools/node-teller.ts'

const tolerations = ['unreachable', 'not-ready'].map((key) => `{ key: node.kubernetes.io/${key}, operator: Exists, effect: NoExecute, tolerationSeconds: 1 }`)

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: { matchLabels: { app: web } } }]
      tolerations: [${tolerations.join(', ')}]
      containers:
        - ${nodeTeller}
---${nodeTellerService}---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: kept }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: keeper }
spec:
  replicas: 1
  strategy: { type: Recreate }
  selector: { matchLabels: { app: keeper } }
  template:
    metadata: { labels: { app: keeper } }
    spec:
      terminationGracePeriodSeconds: 1
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference: { matchExpressions: [{ key: kubernetes.io/hostname, operator: In, values: [node-3] }] } }] } }
      tolerations: [${tolerations.join(', ')}]
      containers:
        - { name: main, image: ${busybox}, command: [sh, -c, 'echo $NODE >> /data/nodes; exec sleep 1000'], env: [{ name: NODE, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }], volumeMounts: [{ name: kept, mountPath: /data }] }
      volumes: [{ name: kept, persistentVolumeClaim: { claimName: kept } }]
`

interface FoundPod {
  metadata: { name: string; deletionTimestamp?: string }
  spec: { nodeName: string }
  status: { conditions?: { type: string; status: string }[]; containerStatuses?: { containerID: string; restartCount: number }[] }
}

describe('several nodes on one machine', () => {
  const host = hostState()
  let cluster: TestCluster
  before(async () => {
    cluster = await startTestCluster({ words: ['--nodes', '3', '--node-monitor-grace', '15', '--kubelet', 'eviction-hard=memory.available<128Mi'] })
  })
  after(() => cluster?.remove())

  const pods = async (app: string) => (JSON.parse(await cluster.kubectl(`get pods -l app=${app} -o json`)) as { items: FoundPod[] }).items
  const isReady = ({ metadata, status }: FoundPod) =>
    !metadata.deletionTimestamp && status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')
  const ready = async (app: string) => (await pods(app)).filter(isReady)
  const node = (...words: string[]) => cluster.skiff('node', ...words, '--data-dir', cluster.dataDir)
  const nodeReady = async (name: string) => (await cluster.kubectl(`get node ${name} -o jsonpath={.status.conditions[?(@.type=="Ready")].status}`)) === 'True'

  it('has them all, each with its own address and block of pods, and the host as it was', async () => {
    const nodes = await cluster.kubectl('get nodes -o jsonpath={range.items[*]}{.metadata.name}={.spec.podCIDR},{end}')
    assert.equal(nodes, 'node-1=10.244.0.0/24,node-2=10.244.1.0/24,node-3=10.244.2.0/24,')
    for (const name of ['node-1', 'node-2', 'node-3']) {
      const amounts = await cluster.kubectl(`get node ${name} -o jsonpath={.status.capacity.memory},{.status.allocatable.memory}`)
      const [capacity = 0, allocatable = 0] = amounts.split(',').map((amount) => toNumber(quantity(amount)))
      assert.equal(capacity - allocatable, 128 * 2 ** 20, `${name} keeps back what its kubelet was told`)
    }
    assert.match((await node('ls')).stdout, /node-3\s+running\s+up\s+10\.89\.0\.3/)
    assert.deepEqual(hostState(), host)
  })

  it('lets pods of every node reach the pods of all by way of the Service and its name', async () => {
    await cluster.kubectl('apply -f -', { stdin: web })
    const running = await eventually('a pod on each node', async () => {
      const found = await ready('web')
      return new Set(found.map(({ spec }) => spec.nodeName)).size === 3 && found
    })
    for (const { metadata } of running) {
      const answers = await eventually(`all answer ${metadata.name}`, async () => {
        const text = await cluster.kubectl(`exec ${metadata.name} -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do wget -qO- http://web/; done'`)
        const nodes = new Set(text.trim().split('\n'))
        return nodes.size === 3 && nodes
      })
      assert.deepEqual([...answers].sort(), ['node-1', 'node-2', 'node-3'])
    }
  })

  it('keeps requests on their node where the Service prefers that', async () => {
    await cluster.kubectl('apply -f -', {
      stdin: nodeTellerService.replace('name: web', 'name: near').replace('selector', 'trafficDistribution: PreferSameNode, selector'),
    })
    for (const { metadata, spec } of await ready('web')) {
      const asked = `exec ${metadata.name} -- sh -c 'for i in 1 2 3 4 5 6 7 8; do wget -qO- http://near/; done'`
      await eventually(`all stay on ${spec.nodeName}`, async () => (await cluster.kubectl(asked)) === `${spec.nodeName}\n`.repeat(8))
    }
  })

  it('goes on with the containers of all nodes when the server is killed', async () => {
    await eventually('the volume is written', async () => (await ready('keeper'))[0]?.spec.nodeName === 'node-3')
    const identity = async () =>
      (await pods('web')).map(({ status }) => status.containerStatuses?.map(({ containerID, restartCount }) => `${containerID} ${restartCount}`)).sort()
    const before_ = await identity()
    const server = serverProcess(cluster.running()?.pid ?? 0)
    assert.ok(server)
    process.kill(server, 'SIGKILL')
    await eventually('the API answers again', async () => {
      const now = serverProcess(cluster.running()?.pid ?? 0)
      return now !== undefined && now !== server && (await cluster.kubectl('get --raw /readyz')) === 'ok'
    })
    await eventually('all nodes are ready', async () => (await Promise.all(['node-1', 'node-2', 'node-3'].map(nodeReady))).every(Boolean))
    assert.deepEqual(await identity(), before_)
  })

  it('replaces the pods of a node whose power fails, with their volume, and takes the node back', async () => {
    await node('kill', 'node-3')
    await eventually('the node is not ready', async () => !(await nodeReady('node-3')))
    await eventually('three pods are ready on the two that are left', async () => {
      const found = await ready('web')
      return found.length === 3 && found.every(({ spec }) => spec.nodeName !== 'node-3')
    })
    const keeper = await eventually('the pod with the volume is replaced', async () => (await ready('keeper')).find(({ spec }) => spec.nodeName !== 'node-3'))
    const written = (await cluster.kubectl(`exec ${keeper.metadata.name} -- cat /data/nodes`)).trim().split('\n')
    assert.equal(written[0], 'node-3')
    assert.equal(written.at(-1), keeper.spec.nodeName)
    assert.notEqual(keeper.spec.nodeName, 'node-3')
    await node('start', 'node-3')
    await eventually('it is ready', () => nodeReady('node-3'))
    await eventually('its stale pods are gone', async () => (await pods('web')).length === 3 && (await pods('keeper')).length === 1)
    assert.equal(await cluster.kubectl('get node node-3 -o jsonpath={.spec.taints}'), '')
  })

  it('replaces the pods of a node that is cut off, and ends the old ones when it is healed', async () => {
    await cluster.kubectl('delete pod -l app=web --wait=false')
    const victim = await eventually(
      'a pod on node-2',
      async () => (await ready('web')).length === 3 && (await ready('web')).find(({ spec }) => spec.nodeName === 'node-2'),
    )
    await node('partition', 'node-2')
    assert.match((await node('ls')).stdout, /node-2\s+running\s+cut/)
    await eventually('three pods are ready elsewhere', async () => {
      const found = await ready('web')
      return found.length === 3 && found.every(({ spec }) => spec.nodeName !== 'node-2')
    })
    await node('heal', 'node-2')
    await eventually('it is ready', () => nodeReady('node-2'))
    await eventually('the pod that was replaced is gone', async () => !(await pods('web')).some(({ metadata }) => metadata.name === victim.metadata.name))
    assert.equal((await ready('web')).length, 3)
  })

  it('says in one sentence what cannot be', async () => {
    await assert.rejects(node('kill', 'node-1'), /node-1 runs inside the server/)
    await assert.rejects(node('kill', 'node-9'), /there is no node 'node-9'/)
    await assert.rejects(node('remove', 'node-9'), /there is no node 'node-9'/)
    await assert.rejects(node('partition'), /takes the name of one node/)
  })

  it('is off as soon as it is told to be, also while its agent is only starting again', async () => {
    const agents = () =>
      processesOf(cluster.dataDir)
        .filter((line) => /^\d+ \S*node .*agent-inside\.ts/.test(line))
        .map((line) => Number.parseInt(line, 10))
    const killed = agents()
    assert.equal(killed.length, 2)
    for (const pid of killed) process.kill(pid, 'SIGKILL')
    await eventually('the next ones are on their way', async () => agents().some((pid) => !killed.includes(pid)))
    const begun = performance.now()
    await node('stop', 'node-2')
    assert.ok(performance.now() - begun < 8000, 'it is not waited for until the patience is over')
    assert.match((await node('ls')).stdout, /node-2\s+stopped/)
  })

  it('lets each node do all that it has to', () => {
    for (const name of ['node-2', 'node-3']) assert.doesNotMatch(readFileSync(join(cluster.dataDir, 'logs', `${name}.log`), 'utf8'), /forbidden|unauthorized/i)
  })

  it('leaves nothing of any node when it is stopped', async () => {
    const id = cluster.running()?.id ?? ''
    await cluster.skiff('down', '--data-dir', cluster.dataDir)
    assert.deepEqual(processesOf(cluster.dataDir), [])
    assert.deepEqual(cgroupsOf(id), [])
    assert.deepEqual(hostState(), host)
  })
})
