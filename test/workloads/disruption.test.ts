/** The server is killed at bad moments, and processes behind its back: all converges, and what is healthy goes on. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import type { V1PodList } from '../../src/machinery/schema/generated/types.ts'
import { busybox, eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { killServer, monitorOfContainer, processesOfContainer } from '../tools/cluster-processes.ts'
import { nodeMounts, nodeProgram, nodeVolumes } from '../tools/host-node.ts'
import { conditionOf, containerOf, type Objects, objectsOf } from '../tools/objects.ts'
import { forever, podOf } from '../tools/pod-manifest.ts'

const deployment = (version: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: rolling }
spec:
  replicas: 4
  selector: { matchLabels: { app: rolling } }
  template:
    metadata: { labels: { app: rolling, version: ${version} } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: main
          image: ${busybox}
          command: [sh, -c, '${forever}']
          readinessProbe: { exec: { command: ["true"] }, periodSeconds: 1, initialDelaySeconds: 1 }
`

const manifests = (host: string) =>
  [
    podOf('bystander', forever),
    podOf('volumes', `echo kept > /memory/file; echo kept > /claim/file; ${forever}`, {
      container: 'volumeMounts: [{ name: memory, mountPath: /memory }, { name: claim, mountPath: /claim }, { name: config, mountPath: /config }]',
      spec: 'volumes: [{ name: memory, emptyDir: { medium: Memory } }, { name: claim, persistentVolumeClaim: { claimName: claim } }, { name: config, configMap: { name: config } }]',
    }),
    `
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: claim }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: config }
data: { key: one }
`,
    podOf('slow-to-end', `trap "sleep 4; echo ended >> /host/ended; exit 0" TERM; while true; do sleep 0.1; done`, {
      container: 'volumeMounts: [{ name: host, mountPath: /host }]',
      spec: `volumes: [{ name: host, hostPath: { path: ${host}, type: DirectoryOrCreate } }]`,
    }).replace('terminationGracePeriodSeconds: 1', 'terminationGracePeriodSeconds: 15'),
    podOf('killed', forever),
    podOf('unwatched', forever),
    podOf('sharing', forever, { spec: 'shareProcessNamespace: true' }),
    podOf('once', forever, { spec: 'restartPolicy: Never' }),
    // A registry on the loopback of the cluster, by the host's program, that is as slow as a far one.
    podOf('registry', `exec ${nodeProgram} /scripts/slow-registry.cjs`, {
      container: `volumeMounts: [${nodeMounts}, { name: scripts, mountPath: /scripts }]`,
      spec: `hostNetwork: true\nvolumes: [${nodeVolumes}, { name: scripts, configMap: { name: scripts } }]`,
    }),
  ].join('')

/** The first process of a namespace takes the others with it. */
function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

describe('disruption', { timeout: 150_000 }, () => {
  let cluster: TestCluster
  let on: Objects
  let host: string
  let ids: Record<string, string | undefined>
  const untouched = ['bystander', 'volumes', 'registry']
  before(async () => {
    cluster = await startTestCluster()
    on = objectsOf(cluster)
    host = `${cluster.dataDir}/host`
    await cluster.kubectl(`create configmap scripts --from-file=${import.meta.dirname}/slow-registry.cjs`)
    await on.apply(manifests(host) + deployment('one').replace(/^/, '---'))
    await cluster.kubectl('wait --for=condition=Ready pod --all --timeout=40s', { timeoutMs: 45_000 })
    ids = Object.fromEntries(await Promise.all(untouched.map(async (name) => [name, containerOf(await on.pod(name))?.containerID])))
  })
  after(() => cluster?.remove())

  const kill = async (name: string, find: (containerID: string) => number[]) => {
    const container = containerOf(await on.pod(name))
    const found = find(container?.containerID ?? '?')
    assert.ok(found.length > 0, `processes of ${name}`)
    for (const pid of found) killQuietly(pid)
    return container
  }
  const all = async () => (await on.get<V1PodList>('pods')).items
  const healthyGoOn = async () => {
    for (const name of untouched) {
      const pod = await on.podUntil(name, 'is ready', (pod) => conditionOf(pod, 'Ready') === 'True')
      assert.equal(containerOf(pod)?.containerID, ids[name], name)
      assert.equal(containerOf(pod)?.restartCount, 0, name)
    }
  }

  it('goes on with a rollout', async () => {
    await on.apply(deployment('two'))
    await killServer(cluster)
    await on.apply(deployment('three'))
    await eventually('new pods come', async () => (await cluster.kubectl('get pods -l version=three -o name')).length > 0)
    await killServer(cluster)
    await cluster.kubectl('rollout status deployment/rolling --timeout=40s', { timeoutMs: 45_000 })
    await eventually('the old pods are gone', async () => (await all()).filter((pod) => pod.metadata.labels?.app === 'rolling').length === 4)
    await healthyGoOn()
  })

  it('ends what was ending, within its grace and with its last words', async () => {
    await on.podUntil('slow-to-end', 'is ready', (pod) => conditionOf(pod, 'Ready') === 'True')
    await cluster.kubectl('delete pod slow-to-end --wait=false')
    await on.event('Pod', 'slow-to-end', /Killing/)
    await killServer(cluster)
    await eventually('it is gone', async () => !(await cluster.kubectl('get pods -o name')).includes('slow-to-end'))
    assert.equal(await readFile(`${host}/ended`, 'utf8'), 'ended\n')
    await healthyGoOn()
  })

  it('goes on with volumes that were mounted', async () => {
    await killServer(cluster)
    assert.equal(await eventually('exec works', () => on.sh('volumes', 'cat /memory/file /claim/file /config/key')), 'kept\nkept\none')
    await cluster.kubectl('patch configmap config -p {"data":{"key":"two"}}')
    await eventually('the file follows', async () => (await on.sh('volumes', 'cat /config/key')) === 'two', 60)
    await healthyGoOn()
  })

  it('pulls an image to its end after the server was killed in the middle', async () => {
    await on.apply(
      podOf('pulled', 'unused')
        .replace(`image: ${busybox}`, 'image: 127.0.0.1:5000/slow:1')
        .replace(/command: .*/, 'command: [/bin/sh, -c, "echo pulled; sleep 1000"]'),
    )
    await on.event('Pod', 'pulled', /Pulling/)
    await eventually('the layer is on its way', async () => (await cluster.kubectl('logs registry')).includes('layer'))
    await killServer(cluster)
    await on.podUntil('pulled', 'runs', (pod) => pod.status?.phase === 'Running')
    assert.equal(await eventually('it speaks', () => cluster.kubectl('logs pulled')), 'pulled\n')
    await healthyGoOn()
  })

  it('starts a container again whose processes were killed', async () => {
    const before = await kill('killed', processesOfContainer)
    const pod = await on.podUntil('killed', 'was started again', (pod) => containerOf(pod)?.restartCount === 1 && containerOf(pod)?.ready)
    assert.notEqual(containerOf(pod)?.containerID, before?.containerID)
    const { exitCode, reason } = containerOf(pod)?.lastState?.terminated ?? {}
    assert.deepEqual({ exitCode, reason }, { exitCode: 137, reason: 'Error' })
    await kill('once', processesOfContainer)
    const failed = await on.podUntil('once', 'has failed', (pod) => pod.status?.phase === 'Failed')
    assert.equal(containerOf(failed)?.state?.terminated?.exitCode, 137)
  })

  it('starts a container again that nobody watches any more', async () => {
    const before = await kill('unwatched', monitorOfContainer)
    const pod = await on.podUntil('unwatched', 'was started again', (pod) => containerOf(pod)?.restartCount === 1 && containerOf(pod)?.ready)
    assert.notEqual(containerOf(pod)?.containerID, before?.containerID)
    assert.deepEqual(processesOfContainer(before?.containerID ?? '?'), [])
  })

  it('makes a pod anew whose shared processes lost their first one', async () => {
    const pod = await on.pod('sharing')
    const first = await on.sh('sharing', 'cat /proc/1/cmdline')
    assert.match(first, /busybox/)
    // All of the pod's processes end with it: the kernel sees to that.
    const ids = processesOfContainer(`pod${pod.metadata.uid}`)
    assert.ok(ids.length >= 2)
    for (const pid of ids) {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      if (command.startsWith('/busybox\0sh')) killQuietly(pid)
    }
    await on.event('Pod', 'sharing', /^Normal SandboxChanged Pod sandbox changed, it will be killed and re-created\.$/)
    await on.podUntil('sharing', 'is ready again', (now) => conditionOf(now, 'Ready') === 'True' && (containerOf(now)?.restartCount ?? 0) === 1)
  })

  it('goes on after several kills in a row, with what came between them', async () => {
    await Promise.all([cluster.kubectl('scale deployment rolling --replicas=6'), cluster.kubectl(`create job quick --image=${busybox} -- sh -c 'sleep 2'`)])
    for (let time = 0; time < 3; time++) await killServer(cluster)
    await cluster.kubectl('rollout status deployment/rolling --timeout=40s', { timeoutMs: 45_000 })
    await cluster.kubectl('wait --for=condition=Complete job/quick --timeout=30s', { timeoutMs: 35_000 })
    assert.equal((await cluster.kubectl('get pods -l job-name=quick -o name')).trim().split('\n').length, 1)
    await healthyGoOn()
  })
})
