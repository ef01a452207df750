/**
 * A real node that runs short of disk, of memory, of processes. In each case a pod that the system needs takes what
 * there is, so that the shortage lasts until it gives it back: all others go, in order, and nobody comes.
 */
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { CoreV1Event, V1Node, V1Pod } from '../../src/machinery/schema/generated/types.ts'
import { busybox, eventually, type TestCluster } from '../tools/cluster.ts'
import { nodeMounts, nodeProgram, nodeVolumes } from '../tools/host-node.ts'
import { type Objects, objectsOf } from '../tools/objects.ts'
import { forever, podOf } from '../tools/pod-manifest.ts'
import { startClusterOnSmallDisk } from '../tools/small-disk.ts'

/** Mebibytes. What pods write to the disk counts as their memory too, since it is a file system in memory: all of it is not yet a shortage of memory. */
const disk = { size: 360, threshold: 160, inodes: 8000, inodesThreshold: 4000 }
const memory = { capacity: 900, threshold: 400 }
const processes = { limit: 500, threshold: 200 }
const transitionSeconds = 3

const kubelet = [
  `eviction-hard=nodefs.available<${disk.threshold}Mi,nodefs.inodesFree<${disk.inodesThreshold},memory.available<${memory.threshold}Mi,pid.available<${processes.threshold}`,
  'eviction-minimum-reclaim=nodefs.available=10Mi',
  `eviction-pressure-transition-period=${transitionSeconds}s`,
  'housekeeping-interval=1s minimum-image-ttl-duration=1s',
].join(' ')

const scratch = 'volumes: [{ name: scratch, emptyDir: {} }, { name: memory, emptyDir: { medium: Memory } }]'
const mounted = 'volumeMounts: [{ name: scratch, mountPath: /scratch }, { name: memory, mountPath: /memory }]'
const fill = (file: string, mebibytes: number) => `dd if=/dev/zero of=${file} bs=1M count=${mebibytes} 2>/dev/null`
const fork = (count: number) => `for i in $(seq ${count}); do tail -f /dev/null </dev/null >/dev/null 2>&1 & done`
const requests = (resources: string) => `resources: { requests: { ${resources} } }`
const tolerates = (pressure: string) => `tolerations: [{ key: node.kubernetes.io/${pressure}, operator: Exists, effect: NoSchedule }]`
/** From a registry inside: what was loaded could not be fetched again, and would stay. */
const pulled = 'localhost:5000/slow:1'
const valued = 'priorityClassName: valued'
const critical = 'priorityClassName: system-node-critical'

const classes = `
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: { name: valued }
value: 1000
`

describe('a node under pressure', () => {
  let cluster: TestCluster
  let on: Objects
  let system: Objects

  before(async () => {
    cluster = await startClusterOnSmallDisk({
      mebibytes: disk.size,
      inodes: disk.inodes,
      words: ['--node-capacity', `cpu=2,memory=${memory.capacity}Mi`, '--kubelet', kubelet],
    })
    on = objectsOf(cluster)
    system = objectsOf(cluster, 'kube-system')
    await on.apply(classes)
    await eventually('there is the account of pods', () => on.get('serviceaccount', 'default').then(() => system.get('serviceaccount', 'default')))
    await cluster.kubectl(`create configmap scripts -n kube-system --from-file=${import.meta.dirname}/slow-registry.cjs`)
    await system.apply(
      podOf('registry', `exec ${nodeProgram} /scripts/slow-registry.cjs`, {
        container: `volumeMounts: [${nodeMounts}, { name: scripts, mountPath: /scripts }]`,
        spec: `hostNetwork: true\n${critical}\nvolumes: [${nodeVolumes}, { name: scripts, configMap: { name: scripts } }]`,
      }),
    )
    await system.apply(podOf('taker', `${fill('/scratch/own', 1)}; ${forever}`, { container: mounted, spec: `${scratch}\n${critical}` }))
    await system.podUntil('taker', 'runs', isRunning)
  })
  after(() => cluster?.remove())

  const isRunning = (pod: V1Pod) => pod.status?.phase === 'Running' && pod.status.containerStatuses?.every(({ ready }) => ready)
  const node = () => on.get<V1Node>('node', 'node-1')
  const condition = async (type: string) => (await node()).status?.conditions?.find((one) => one.type === type)
  const images = async () => (await cluster.skiff('image', 'ls', '--data-dir', cluster.dataDir)).stdout
  const take = (line: string) => system.sh('taker', line)

  async function run(pods: readonly string[], names: readonly string[]) {
    await on.apply(pods.join('\n'))
    for (const name of names) await on.podUntil(name, 'runs', isRunning)
  }

  async function untilCondition(type: string, status: 'True' | 'False', reason: string, message: string) {
    const found = await eventually(`${type} is ${status}`, async () => {
      const one = await condition(type)
      return one?.status === status ? one : undefined
    })
    assert.deepEqual([found.reason, found.message], [reason, message])
    return Date.parse(String(found.lastTransitionTime))
  }

  /** Those that were evicted since, in this order: the first event of each says when. */
  async function evicted(names: readonly string[], expected: RegExp, resource: string) {
    for (const name of names) {
      const pod = await on.podUntil(name, 'is evicted', ({ status }) => status?.phase === 'Failed')
      assert.equal(pod.status?.reason, 'Evicted')
      assert.match(pod.status?.message ?? '', expected)
      const disruption = pod.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')
      assert.deepEqual([disruption?.status, disruption?.reason], ['True', 'TerminationByKubelet'])
    }
    const { items } = await on.get<{ items: CoreV1Event[] }>('events', '--field-selector', 'reason=Evicted')
    const told = items
      .filter(({ involvedObject }) => names.includes(involvedObject.name ?? ''))
      .toSorted((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
    assert.deepEqual(
      told.map(({ involvedObject }) => involvedObject.name),
      names,
    )
    for (const { type, message, source, metadata } of told) {
      assert.deepEqual([type, source?.component], ['Warning', 'kubelet'])
      assert.match(message ?? '', expected)
      assert.equal(metadata.annotations?.starved_resource, resource)
    }
    await on.event('Node', 'node-1', new RegExp(`^Warning EvictionThresholdMet Attempting to reclaim ${resource}$`))
    return told
  }

  /** New pods wait, those that tolerate the taint are refused by the node itself, and those that it needs run. */
  async function keepsOthersAway(name: string, type: string, tolerant = '') {
    const taint = `node.kubernetes.io/${name}`
    await eventually('it is tainted', async () => (await node()).spec?.taints?.some(({ key, effect }) => key === taint && effect === 'NoSchedule'))
    await on.apply([podOf(`waits-${name}`, forever), podOf(`tolerates-${name}`, forever, { spec: `${tolerates(name)}\n${tolerant}` })].join('\n'))
    await system.apply(podOf(`needed-${name}`, forever, { spec: `${tolerates(name)}\n${critical}` }))
    await on.podUntil(`waits-${name}`, 'is not scheduled', ({ status }) =>
      status?.conditions?.some(({ type, reason, message }) => type === 'PodScheduled' && reason === 'Unschedulable' && message?.includes('untolerated taint')),
    )
    await system.podUntil(`needed-${name}`, 'runs', isRunning)
    if (type === 'MemoryPressure') return
    const refused = await on.podUntil(`tolerates-${name}`, 'is refused', ({ status }) => status?.phase === 'Failed')
    assert.deepEqual([refused.status?.reason, refused.status?.message], ['Evicted', `Pod was rejected: The node had condition: [${type}]. `])
  }

  /** After the shortage is over: not at once, but then all is as it was. */
  async function recovers(name: string, type: string, good: [string, string], give: () => Promise<unknown>) {
    assert.equal((await system.pod('taker')).status?.phase, 'Running', 'what the system needs was left alone')
    assert.equal((await system.pod('taker')).status?.containerStatuses?.[0]?.restartCount, 0)
    await give()
    const at = await untilCondition(type, 'False', ...good)
    const { items } = await on.get<{ items: CoreV1Event[] }>('events', '--field-selector', 'reason=EvictionThresholdMet')
    const last = Math.max(...items.map(({ lastTimestamp }) => Date.parse(String(lastTimestamp))))
    assert.ok(at - last >= transitionSeconds * 1000 - 1000, `the condition ended ${at - last} ms after the node was last seen to be short`)
    await on.podUntil(`waits-${name}`, 'runs', isRunning)
    assert.deepEqual((await node()).spec?.taints ?? [], [])
    await cluster.kubectl('delete pods --all --grace-period=1')
    await cluster.kubectl(`delete pod -n kube-system needed-${name} --grace-period=1`)
  }

  it('of disk: removes what has ended first, and then evicts pods, those within their requests last', async () => {
    const writes = (mebibytes: number) => `${fill('/scratch/file', mebibytes)}; ${forever}`
    const with_ = (container = '', spec = '') => ({ container: `${mounted}\n${container}`, spec: `${scratch}\n${spec}` })
    await run(
      [
        podOf('disk-greedy', writes(20), with_()),
        podOf('disk-valued', writes(30), with_('', valued)),
        podOf('disk-modest', writes(40), with_(requests('ephemeral-storage: 60Mi'))),
        podOf('ended', `echo done; busybox ${fill('/file', 60)}`, { spec: 'restartPolicy: Never' }).replace(busybox, pulled),
      ],
      ['disk-greedy', 'disk-valued', 'disk-modest'],
    )
    await on.podUntil('ended', 'has ended', ({ status }) => status?.phase === 'Succeeded')
    for (const name of ['disk-greedy', 'disk-valued', 'disk-modest'])
      await eventually(`${name} has written`, () => on.sh(name, `test -s /scratch/file && echo yes`))
    assert.match(await cluster.kubectl('logs ended'), /done/)
    assert.ok((await images()).includes(pulled))

    const watch = cluster.kubectl.start(['get', 'node', 'node-1', '-w', '-o', 'jsonpath={.status.conditions[?(@.type=="DiskPressure")].status}{"\\n"}'])
    let told = ''
    watch.stdout.setEncoding('utf8').on('data', (text) => {
      told += text
    })
    await eventually('it is followed', async () => told === 'False\n')
    await take(fill('/scratch/first', 60))
    await eventually('there was pressure, and is no more', async () => /True\nFalse\n/.test(told))
    watch.kill()
    assert.match(await cluster.kubectl.says('logs ended'), /is not available/)
    for (const name of ['disk-greedy', 'disk-valued', 'disk-modest']) assert.equal((await on.pod(name)).status?.phase, 'Running')
    assert.equal((await on.pod('ended')).status?.phase, 'Succeeded')
    await eventually('its image is gone too', async () => !(await images()).includes(pulled))

    await take(fill('/scratch/second', 160))
    await untilCondition('DiskPressure', 'True', 'KubeletHasDiskPressure', 'kubelet has disk pressure')
    const low = new RegExp(`^The node was low on resource: ephemeral-storage\\. Threshold quantity: ${disk.threshold}Mi, available: \\d+\\wi\\. `)
    await evicted(['disk-greedy', 'disk-valued', 'disk-modest'], low, 'ephemeral-storage')
    await keepsOthersAway('disk-pressure', 'DiskPressure')
    await recovers('disk-pressure', 'DiskPressure', ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'], () =>
      take('rm /scratch/first /scratch/second'),
    )
  })

  it('of inodes: evicts who has the most files', async () => {
    const files = (directories: number) => `for i in $(seq ${directories}); do mkdir /scratch/$i; cd /scratch/$i; touch $(seq 99); done; ${forever}`
    const spec = { container: mounted, spec: scratch }
    await run([podOf('few-files', files(1), spec)], ['few-files'])
    await on.apply(podOf('many-files', files((disk.inodes - disk.inodesThreshold) / 100), spec))
    const low = new RegExp(`^The node was low on resource: inodes\\. Threshold quantity: ${disk.inodesThreshold / 1000}k, available: \\d+\\. $`)
    await evicted(['many-files'], low, 'inodes')
    await untilCondition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure')
    assert.equal((await on.pod('few-files')).status?.phase, 'Running')
    await cluster.kubectl('delete pods --all --grace-period=1')
  })

  it('of memory: evicts by what is used beyond the request, and priority', async () => {
    const holds = (mebibytes: number) => `${fill('/memory/file', mebibytes)}; touch /tmp/holds; ${forever}`
    const with_ = (container = '', spec = '') => ({ container: `${mounted}\n${container}`, spec: `${scratch}\n${spec}` })
    await run(
      [
        podOf('memory-greedy', holds(20), with_()),
        podOf('memory-valued', holds(40), with_('', valued)),
        podOf('memory-modest', holds(30), with_(requests('memory: 60Mi'))),
      ],
      ['memory-greedy', 'memory-valued', 'memory-modest'],
    )
    for (const name of ['memory-greedy', 'memory-valued', 'memory-modest'])
      await eventually(`${name} holds it`, () => on.sh(name, `test -f /tmp/holds && echo yes`))
    await take(fill('/memory/all', memory.capacity - memory.threshold + 10))
    await untilCondition('MemoryPressure', 'True', 'KubeletHasInsufficientMemory', 'kubelet has insufficient memory available')
    const told = await evicted(
      ['memory-greedy', 'memory-valued', 'memory-modest'],
      new RegExp(`^The node was low on resource: memory\\. Threshold quantity: ${memory.threshold}Mi, available: \\d+\\wi\\. `),
      'memory',
    )
    assert.match(told[0]?.message ?? '', /Container main was using \d+\wi, request is 0, has larger consumption of memory\. $/)
    assert.deepEqual(
      told.map(({ metadata }) => metadata.annotations?.offending_containers),
      ['main', 'main', ''],
    )
    await keepsOthersAway('memory-pressure', 'MemoryPressure')
    await recovers('memory-pressure', 'MemoryPressure', ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'], () => take('rm /memory/all'))
  })

  it('of processes: evicts by priority, then who has the most', async () => {
    await run(
      [podOf('pid-few', forever), podOf('pid-many', `${fork(40)}; ${forever}`), podOf('pid-valued', `${fork(60)}; ${forever}`, { spec: valued })],
      ['pid-few', 'pid-many', 'pid-valued'],
    )
    // As where a container or a service manager gives the cluster no more.
    const id = cluster.running()?.id
    const groups = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].map((mount) => join(mount, `skiff-${id}`, 'pids.max'))
    const limit = groups.find((file) => existsSync(file))
    assert.ok(id && limit, `none of ${groups}`)
    writeFileSync(limit, String(processes.limit))
    await take(fork(processes.limit - processes.threshold + 20))
    await untilCondition('PIDPressure', 'True', 'KubeletHasInsufficientPID', 'kubelet has insufficient PID available')
    await evicted(
      ['pid-many', 'pid-few', 'pid-valued'],
      new RegExp(`^The node was low on resource: pids\\. Threshold quantity: ${processes.threshold}, available: \\d+\\. $`),
      'pids',
    )
    await keepsOthersAway('pid-pressure', 'PIDPressure')
    await recovers('pid-pressure', 'PIDPressure', ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'], () => take('killall tail'))
  })

  it('or not: a pod that outgrows what it may keep on the disk goes, and no other', async () => {
    const limits = (amount: string) => `resources: { limits: { ephemeral-storage: ${amount} } }`
    const side = (amount: string) => `- { name: side, image: "${busybox}", command: [sh, -c, ${JSON.stringify(forever)}], ${limits(amount)} }`
    await on.apply(
      [
        podOf('directory', `${fill('/scratch/file', 12)}; ${forever}`, {
          container: mounted,
          spec: 'volumes: [{ name: scratch, emptyDir: { sizeLimit: 10Mi } }, { name: memory, emptyDir: {} }]',
        }),
        podOf('layer', `${fill('/file', 12)}; ${forever}`, { container: limits('10Mi') }),
        podOf('log', `yes "a line that is written to the log again and again" | head -n 250000; ${forever}`, { container: limits('10Mi') }),
        podOf('one-of-two', `${fill('/file', 12)}; ${forever}`, { container: limits('10Mi') }).replace(
          '  containers:\n',
          `  containers:\n    ${side('50Mi')}\n`,
        ),
        podOf('small', `${fill('/file', 5)}; ${forever}`, { container: limits('10Mi') }),
      ].join('\n'),
    )
    const messages: Record<string, string> = {
      directory: 'Usage of EmptyDir volume "scratch" exceeds the limit "10Mi". ',
      layer: 'Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ',
      log: 'Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ',
      'one-of-two': 'Container main exceeded its local ephemeral storage limit "10Mi". ',
    }
    for (const [name, message] of Object.entries(messages)) {
      const { status } = await on.podUntil(name, 'is evicted', (pod) => pod.status?.phase === 'Failed')
      assert.deepEqual([status?.reason, status?.message], ['Evicted', message], name)
      await on.event('Pod', name, new RegExp(`^Warning Evicted ${message.trim().replaceAll('.', '\\.')}`))
    }
    assert.equal((await on.pod('small')).status?.phase, 'Running')
    assert.deepEqual(
      ((await node()).status?.conditions ?? []).filter(({ type, status }) => type !== 'Ready' && status !== 'False'),
      [],
    )
  })
})
