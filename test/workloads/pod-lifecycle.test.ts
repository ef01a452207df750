/** Pods as a user meets them: in what order containers start, restart and end, and what is told of it. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import type { V1Pod } from '../../src/machinery/schema/generated/types.ts'
import { busybox, eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { conditionOf, containerOf, type Objects, objectsOf } from '../tools/objects.ts'
import { forever, podOf } from '../tools/pod-manifest.ts'

const never = 'restartPolicy: Never'
const scratch = 'volumes: [{ name: scratch, emptyDir: {} }]'
const mounted = 'volumeMounts: [{ name: scratch, mountPath: /scratch }]'
const init = (name: string, script: string, more = '') =>
  `- { name: ${name}, image: "${busybox}", command: [sh, -c, ${JSON.stringify(script)}], volumeMounts: [{ name: scratch, mountPath: /scratch }]${more} }`

const manifests = (host: string) =>
  [
    podOf('init-order', 'cat /scratch/log; echo main', {
      container: mounted,
      spec: `${never}\n${scratch}\ninitContainers:\n${init('one', 'sleep 0.5; echo one >> /scratch/log')}\n${init('two', 'echo two >> /scratch/log')}`,
    }),
    podOf('init-fails', 'echo never', { spec: `${never}\n${scratch}\ninitContainers:\n${init('broken', 'exit 4')}\n${init('later', 'true')}` }),
    podOf('init-loops', 'echo never', { spec: `${scratch}\ninitContainers:\n${init('broken', 'exit 4')}` }),
    podOf('sidecar', 'cat /scratch/log; sleep 1; exit 0', {
      container: mounted,
      spec: `${never}\n${scratch}\ninitContainers:\n${init(
        'helper',
        'sleep 0.5; echo helper is up >> /scratch/log; trap "exit 0" TERM; while true; do sleep 0.1; done',
        ', restartPolicy: Always, startupProbe: { exec: { command: [test, -f, /scratch/log] }, periodSeconds: 1, failureThreshold: 30 }',
      )}`,
    }),
    podOf('on-failure', 'test -f /scratch/tried && exit 0; touch /scratch/tried; exit 1', {
      container: mounted,
      spec: `restartPolicy: OnFailure\n${scratch}`,
    }),
    podOf('never-fails', 'echo "the reason" > /dev/termination-log; exit 7', { spec: never }),
    podOf('last-words', 'echo first; echo last words; exit 3', { container: 'terminationMessagePolicy: FallbackToLogsOnError', spec: never }),
    podOf('crash', 'echo "attempt in $HOSTNAME"; exit 3'),
    podOf('oom', 'tail /dev/zero', { container: 'resources: { limits: { memory: 16Mi } }', spec: never }),
    podOf('liveness', `touch /tmp/alive; (sleep 2; rm /tmp/alive) & ${forever}`, {
      container: 'livenessProbe: { exec: { command: [cat, /tmp/alive] }, periodSeconds: 1, failureThreshold: 2 }',
    }),
    podOf('gates', `mkdir /www; echo ok > /www/healthz; sleep 2; touch /tmp/started; httpd -p 8080 -h /www; sleep 1; touch /tmp/ready; ${forever}`, {
      container: [
        'startupProbe: { exec: { command: [test, -f, /tmp/started] }, periodSeconds: 1, failureThreshold: 30 }',
        'readinessProbe: { tcpSocket: { port: web }, periodSeconds: 1 }',
        'livenessProbe: { httpGet: { path: /healthz, port: web }, periodSeconds: 1 }',
        'ports: [{ name: web, containerPort: 8080 }]',
      ].join('\n'),
    }),
    podOf('not-ready', `mkdir /www; httpd -p 8080 -h /www; ${forever}`, {
      container: 'readinessProbe: { httpGet: { path: /missing, port: 8080 }, periodSeconds: 1 }',
    }),
    podOf('hooks', `trap "echo TERM >> /host/hooks; exit 0" TERM; while true; do sleep 0.1; done`, {
      container: [
        'lifecycle:',
        '  postStart: { exec: { command: [sh, -c, "echo postStart >> /host/hooks"] } }',
        '  preStop: { exec: { command: [sh, -c, "sleep 0.5; echo preStop >> /host/hooks"] } }',
        'volumeMounts: [{ name: host, mountPath: /host }]',
      ].join('\n'),
      spec: `volumes: [{ name: host, hostPath: { path: ${host}, type: DirectoryOrCreate } }]`,
    }).replace('terminationGracePeriodSeconds: 1', 'terminationGracePeriodSeconds: 20'),
    podOf('bad-hook', forever, { container: 'lifecycle: { postStart: { exec: { command: [sh, -c, "echo no; exit 1"] } } }' }),
    podOf('deadline', forever, { spec: 'activeDeadlineSeconds: 2' }),
    podOf('stubborn', 'trap "" TERM; while true; do sleep 0.1; done').replace('terminationGracePeriodSeconds: 1', 'terminationGracePeriodSeconds: 2'),
    podOf('killed', forever),
    outgrows(host),
    podOf('never-ran', forever).replace(`image: ${busybox}`, 'image: registry.invalid/nothing:1').replace('labels:', 'finalizers: [example.com/hold], labels:'),
  ].join('')

/** Its first pod writes more than it may, the next one does not. */
const outgrows = (host: string) => `
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: outgrows }
spec:
  selector: { matchLabels: { app: outgrows } }
  template:
    metadata: { labels: { app: outgrows } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: main
          image: ${busybox}
          command: [sh, -c, ${JSON.stringify(`mkdir /host/first 2>/dev/null && dd if=/dev/zero of=/scratch/file bs=1M count=12; ${forever}`)}]
          volumeMounts: [{ name: host, mountPath: /host }, { name: scratch, mountPath: /scratch }]
      volumes:
        - { name: host, hostPath: { path: ${host}, type: DirectoryOrCreate } }
        - { name: scratch, emptyDir: { sizeLimit: 10Mi } }
`

describe('the life of pods', () => {
  let cluster: TestCluster
  let on: Objects
  before(async () => {
    cluster = await startTestCluster()
    on = objectsOf(cluster)
    await on.apply(manifests(`${cluster.dataDir}/host`))
  })
  after(() => cluster?.remove())

  it("runs init containers one after the other before the pod's own", async () => {
    const pod = await on.podUntil('init-order', 'has succeeded', (pod) => pod.status?.phase === 'Succeeded')
    assert.equal(await cluster.kubectl('logs init-order'), 'one\ntwo\nmain\n')
    assert.equal(conditionOf(pod, 'Initialized'), 'True')
    assert.equal(containerOf(pod, 'one')?.state?.terminated?.reason, 'Completed')
  })

  it('fails a pod that is never restarted when an init container fails; later ones do not run', async () => {
    const pod = await on.podUntil('init-fails', 'has failed', (pod) => pod.status?.phase === 'Failed')
    assert.equal(containerOf(pod, 'broken')?.state?.terminated?.exitCode, 4)
    assert.equal(containerOf(pod, 'later')?.state?.waiting?.reason, 'PodInitializing')
    assert.equal(containerOf(pod, 'main')?.state?.waiting?.reason, 'PodInitializing')
    assert.match(await cluster.kubectl('get pod init-fails --no-headers'), /0\/1\s+Init:Error\s+0/)
  })

  it('restarts a failing init container with backoff', async () => {
    await on.podUntil('init-loops', 'backs off', (pod) => containerOf(pod, 'broken')?.state?.waiting?.reason === 'CrashLoopBackOff')
    assert.match(await cluster.kubectl('get pod init-loops --no-headers'), /0\/1\s+Init:CrashLoopBackOff/)
  })

  it("starts a sidecar before the pod's own containers and ends it after them", async () => {
    const pod = await on.podUntil('sidecar', 'has succeeded', (pod) => pod.status?.phase === 'Succeeded')
    assert.equal(await cluster.kubectl('logs sidecar -c main'), 'helper is up\n')
    const helper = containerOf(pod, 'helper')?.state?.terminated
    assert.equal(helper?.exitCode, 0)
    assert.ok((helper?.finishedAt ?? '') >= (containerOf(pod)?.state?.terminated?.finishedAt ?? '~'))
  })

  it('restarts by the restart policy', async () => {
    const again = await on.podUntil('on-failure', 'has succeeded', (pod) => pod.status?.phase === 'Succeeded')
    assert.equal(containerOf(again)?.restartCount, 1)
    assert.equal(containerOf(again)?.lastState?.terminated?.exitCode, 1)
    const failed = await on.podUntil('never-fails', 'has failed', (pod) => pod.status?.phase === 'Failed')
    assert.deepEqual(
      { ...containerOf(failed)?.state?.terminated, startedAt: undefined, finishedAt: undefined, containerID: undefined },
      { exitCode: 7, reason: 'Error', message: 'the reason\n', startedAt: undefined, finishedAt: undefined, containerID: undefined },
    )
    const last = await on.podUntil('last-words', 'has failed', (pod) => pod.status?.phase === 'Failed')
    assert.equal(containerOf(last)?.state?.terminated?.message, 'first\nlast words\n')
  })

  it('backs off from a container that crashes, and says so', async () => {
    const pod = await on.podUntil('crash', 'backs off', (pod) => containerOf(pod)?.state?.waiting?.reason === 'CrashLoopBackOff')
    const about = `crash_default(${pod.metadata.uid})`
    assert.equal(containerOf(pod)?.state?.waiting?.message, `back-off 10s restarting failed container=main pod=${about}`)
    assert.equal(containerOf(pod)?.lastState?.terminated?.exitCode, 3)
    assert.equal(pod.status?.phase, 'Running')
    assert.equal(conditionOf(pod, 'Ready'), 'False')
    assert.equal(await on.event('Pod', 'crash', /BackOff/), `Warning BackOff Back-off restarting failed container main in pod ${about}`)
    assert.equal(await cluster.kubectl('logs crash --previous'), 'attempt in crash\n')
    await on.podUntil('crash', 'is started a third time after ten seconds', (pod) => (containerOf(pod)?.restartCount ?? 0) >= 2)
    await on.podUntil('crash', 'waits longer', (pod) => /back-off 20s/.test(containerOf(pod)?.state?.waiting?.message ?? ''))
  })

  it('tells of a container that ran out of memory', async () => {
    const pod = await on.podUntil('oom', 'has failed', (pod) => pod.status?.phase === 'Failed')
    const { exitCode, reason } = containerOf(pod)?.state?.terminated ?? {}
    assert.deepEqual({ exitCode, reason }, { exitCode: 137, reason: 'OOMKilled' })
  })

  it('restarts a container that is not alive', async () => {
    const pod = await on.podUntil('liveness', 'was restarted', (pod) => (containerOf(pod)?.restartCount ?? 0) >= 1)
    assert.ok(containerOf(pod)?.lastState?.terminated)
    await on.event('Pod', 'liveness', /^Warning Unhealthy Liveness probe failed: cat: can't open '\/tmp\/alive': No such file or directory/)
    await on.event('Pod', 'liveness', /^Normal Killing Container main failed liveness probe, will be restarted$/)
  })

  it('holds readiness and liveness back until the container has started, and readiness until it is ready', async () => {
    const pod = await on.podUntil('gates', 'is ready', (pod) => conditionOf(pod, 'Ready') === 'True')
    assert.equal(containerOf(pod)?.restartCount, 0)
    assert.equal(containerOf(pod)?.started, true)
    const lines = await on.events('Pod', 'gates')
    assert.ok(
      lines.some((line) => line.startsWith('Warning Unhealthy Startup probe failed')),
      lines.join('\n'),
    )
    assert.ok(!lines.some((line) => line.includes('Liveness')), lines.join('\n'))
    await on.event('Pod', 'not-ready', /^Warning Unhealthy Readiness probe failed: HTTP probe failed with statuscode: 404$/)
    const unready = await on.pod('not-ready')
    assert.equal(conditionOf(unready, 'Ready'), 'False')
    assert.equal(containerOf(unready)?.started, true)
    assert.equal(unready.status?.conditions?.find(({ type }) => type === 'Ready')?.message, 'containers with unready status: [main]')
  })

  it('runs hooks after the start and before the end, and waits for the program within the grace', async () => {
    await on.podUntil('hooks', 'is ready', (pod) => conditionOf(pod, 'Ready') === 'True')
    const told = () => readFile(`${cluster.dataDir}/host/hooks`, 'utf8')
    assert.equal(await told(), 'postStart\n')
    await cluster.kubectl('delete pod hooks')
    assert.equal(await told(), 'postStart\npreStop\nTERM\n')
    await on.event('Pod', 'hooks', /^Normal Killing Stopping container main$/)
  })

  it('ends a container whose postStart hook fails', async () => {
    await on.event('Pod', 'bad-hook', /^Warning FailedPostStartHook PostStartHook failed/)
    await on.podUntil(
      'bad-hook',
      'is tried again',
      (pod) => (containerOf(pod)?.restartCount ?? 0) >= 1 || /PostStartHookError|CrashLoop/.test(containerOf(pod)?.state?.waiting?.reason ?? ''),
    )
  })

  it('ends a pod at its deadline', async () => {
    const pod = await on.podUntil('deadline', 'has failed', (pod) => pod.status?.phase === 'Failed')
    assert.equal(pod.status?.reason, 'DeadlineExceeded')
    assert.equal(pod.status?.message, 'Pod was active on the node longer than the specified deadline')
    await on.event('Pod', 'deadline', /^Normal DeadlineExceeded/)
  })

  it('evicts a pod whose directory outgrew its limit, and another takes its place', async () => {
    type Pods = { items: V1Pod[] }
    const pods = await eventually('one is evicted and another runs', async () => {
      const { items } = await on.get<Pods>('pods', '-l', 'app=outgrows')
      return items.some(({ status }) => status?.reason === 'Evicted') && items.some((pod) => conditionOf(pod, 'Ready') === 'True') ? items : undefined
    })
    const evicted = pods.find(({ status }) => status?.reason === 'Evicted')
    assert.deepEqual([evicted?.status?.phase, evicted?.status?.message], ['Failed', 'Usage of EmptyDir volume "scratch" exceeds the limit "10Mi". '])
    assert.match(await cluster.kubectl(`get pod ${evicted?.metadata.name} --no-headers`), /0\/1\s+(Evicted|ContainerStatusUnknown|Error|Completed)/)
    await on.event('Pod', evicted?.metadata.name ?? '', /^Warning Evicted Usage of EmptyDir volume "scratch" exceeds the limit "10Mi"\. /)
    assert.match(await cluster.kubectl('describe node node-1'), /MemoryPressure +False .* KubeletHasSufficientMemory/)
  })

  it('kills what does not end within its grace, and at once when it is forced', async () => {
    await on.podUntil('stubborn', 'runs', (pod) => pod.status?.phase === 'Running')
    const start = performance.now()
    const watch = cluster
      .kubectl('get pod stubborn -w -o jsonpath={.status.containerStatuses[0].state.terminated.exitCode}{"\\n"}', { timeoutMs: 4500 })
      .catch((error) => String(error))
    await cluster.kubectl('delete pod stubborn')
    const took = performance.now() - start
    assert.ok(took > 1900 && took < 6000, `took ${took} ms`)
    assert.match(await watch, /137/)
    await on.podUntil('killed', 'runs', (pod) => pod.status?.phase === 'Running')
    const forced = performance.now()
    await cluster.kubectl('delete pod killed --grace-period=0 --force')
    assert.ok(performance.now() - forced < 3000)
    await eventually('is gone', async () => !(await cluster.kubectl('get pods -o name')).includes('pod/killed'))
  })

  it('says of a pod that was deleted before it ran that it failed', async () => {
    await on.podUntil('never-ran', 'cannot start', (pod) => /Pull/.test(containerOf(pod)?.state?.waiting?.reason ?? ''))
    await cluster.kubectl('delete pod never-ran --wait=false')
    const pod = await on.podUntil('never-ran', 'has failed', (pod) => pod.status?.phase === 'Failed')
    const { exitCode, reason } = containerOf(pod)?.state?.terminated ?? {}
    assert.deepEqual({ exitCode, reason }, { exitCode: 137, reason: 'ContainerStatusUnknown' })
    await cluster.kubectl('patch pod never-ran --type=merge -p {"metadata":{"finalizers":null}}')
    await eventually('it is gone', async () => !(await cluster.kubectl('get pods -o name')).includes('never-ran'))
  })
})
