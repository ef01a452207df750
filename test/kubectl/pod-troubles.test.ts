/** What `kubectl get` and `kubectl describe` tell of pods that cannot run: the status of each trouble, and its events. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'

const pod = (name: string, container: string, spec = '') => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 0
  containers: [{ name: main, ${container} }]
${spec}---`
const running = 'image: "busybox:1.35", command: [sleep, "1000"]'
const shell = (script: string, more = '') => `image: "busybox:1.35", command: [sh, -c, ${JSON.stringify(script)}]${more}`
const init = (script: string) => `  initContainers: [{ name: before, ${shell(script)} }]\n`

/** By what the pod's trouble is: the pod, its line, and its events. */
const troubles: [what: string, manifest: string, line: RegExp, ...events: RegExp[]][] = [
  [
    'an image that no registry has',
    pod('no-image', 'image: "127.0.0.1:5/nothing:1"'),
    /^no-image +0\/1 +ImagePullBackOff +0 /,
    /Normal +Pulling +.* Pulling image "127\.0\.0\.1:5\/nothing:1"/,
    /Warning +Failed +.* Failed to pull image "127\.0\.0\.1:5\/nothing:1": /,
    /Warning +Failed +.* Error: ErrImagePull/,
    /Normal +BackOff +.* Back-off pulling image "127\.0\.0\.1:5\/nothing:1"/,
    /Warning +Failed +.* Error: ImagePullBackOff/,
  ],
  [
    'an image whose name is none',
    pod('bad-image', 'image: "a//b:::"'),
    /^bad-image +0\/1 +InvalidImageName +0 /,
    /Warning +InspectFailed +.* Failed to apply default image tag "a\/\/b:::": couldn't parse image name "a\/\/b:::": invalid reference format/,
    /Warning +Failed +.* Error: InvalidImageName/,
  ],
  [
    'an image that must be there already',
    pod('never-pulled', 'image: "other:1", imagePullPolicy: Never'),
    /^never-pulled +0\/1 +ErrImageNeverPull +0 /,
    /Warning +ErrImageNeverPull +.* Container image "other:1" is not present with pull policy of Never/,
  ],
  [
    'a ConfigMap that is missing',
    pod('no-configmap', `${running}, envFrom: [{ configMapRef: { name: missing } }]`),
    /^no-configmap +0\/1 +CreateContainerConfigError +0 /,
    /Warning +Failed +.* Error: configmap "missing" not found/,
  ],
  [
    'a Secret without the key',
    pod('no-key', `${running}, env: [{ name: A, valueFrom: { secretKeyRef: { name: password, key: k } } }]`),
    /^no-key +0\/1 +CreateContainerConfigError +0 /,
    /Warning +Failed +.* Error: couldn't find key k in Secret team\/password/,
  ],
  [
    'a volume whose ConfigMap is missing',
    pod('no-volume', `${running}, volumeMounts: [{ name: v, mountPath: /v }]`, '  volumes: [{ name: v, configMap: { name: missing } }]\n'),
    /^no-volume +0\/1 +ContainerCreating +0 /,
    /Warning +FailedMount +.* MountVolume\.SetUp failed for volume "v" : configmap "missing" not found/,
  ],
  [
    'a claim that is missing',
    pod('no-claim', `${running}, volumeMounts: [{ name: v, mountPath: /v }]`, '  volumes: [{ name: v, persistentVolumeClaim: { claimName: missing } }]\n'),
    /^no-claim +0\/1 +Pending +0 /,
    /Warning +FailedScheduling +.* 0\/1 nodes are available: persistentvolumeclaim "missing" not found\./,
  ],
  [
    'a command that is missing',
    pod('no-command', 'image: "busybox:1.35", command: [nope]'),
    /^no-command +0\/1 +(RunContainerError|CrashLoopBackOff|StartError) +\d+/,
    /Warning +Failed +.* Error: .*exec: "nope": executable file not found in \$PATH/,
  ],
  [
    'a container that ends again and again',
    pod('crash', shell('exit 2')),
    /^crash +0\/1 +CrashLoopBackOff +[1-9]/,
    /Warning +BackOff +.* Back-off restarting failed container main in pod crash_team\(/,
  ],
  [
    'an init container that fails',
    pod('init-crash', running, init('exit 1')),
    /^init-crash +0\/1 +Init:CrashLoopBackOff +[1-9]/,
    /spec\.initContainers\{before\}/,
  ],
  ['an init container that takes its time', pod('init-slow', running, init('sleep 1000')), /^init-slow +0\/1 +Init:0\/1 +0 /],
  ['an init container that failed for good', pod('init-error', running, `  restartPolicy: Never\n${init('exit 1')}`), /^init-error +0\/1 +Init:Error +0 /],
  ['a container that failed for good', pod('failed', shell('exit 3'), '  restartPolicy: Never\n'), /^failed +0\/1 +Error +0 /],
  ['a container that is done', pod('done', shell('true'), '  restartPolicy: Never\n'), /^done +0\/1 +Completed +0 /],
  [
    'more memory than it may have',
    pod('oom', shell('tail /dev/zero', ', resources: { limits: { memory: 16Mi } }'), '  restartPolicy: Never\n'),
    /^oom +0\/1 +OOMKilled +0 /,
  ],
  [
    'a probe that fails',
    pod('not-ready', `${running}, readinessProbe: { exec: { command: ["sh", "-c", "echo no; exit 1"] }, periodSeconds: 1 }`),
    /^not-ready +0\/1 +Running +0 /,
    /Warning +Unhealthy +.* Readiness probe failed: no/,
  ],
  [
    'a probe that kills',
    pod('dead', `${running}, livenessProbe: { exec: { command: ["false"] }, periodSeconds: 1, failureThreshold: 1 }`),
    /^dead +\d\/1 +(Running|CrashLoopBackOff) +[1-9]/,
    /Warning +Unhealthy +.* Liveness probe failed:/,
    /Normal +Killing +.* Container main failed liveness probe, will be restarted/,
  ],
  [
    'more than any node has',
    pod('too-large', `${running}, resources: { requests: { cpu: "100" } }`),
    /^too-large +0\/1 +Pending +0 /,
    /Warning +FailedScheduling +.* 0\/1 nodes are available: 1 Insufficient cpu\./,
  ],
  [
    'a node that is not there',
    pod('elsewhere', running, '  nodeSelector: { disk: fast }\n'),
    /^elsewhere +0\/1 +Pending +0 /,
    /Warning +FailedScheduling +.* 0\/1 nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector\./,
  ],
  ['a gate', pod('gated', running, '  schedulingGates: [{ name: example.com/wait }]\n'), /^gated +0\/1 +SchedulingGated +0 /],
]

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster()
  await cluster.kubectl('create namespace team')
  await cluster.kubectl('config set-context --current --namespace=team')
  await cluster.kubectl('create secret generic password --from-literal=p=q')
  await cluster.kubectl('apply -f -', { stdin: troubles.map(([, manifest]) => manifest).join('') })
})
after(() => cluster?.remove())

describe('of a pod, kubectl shows', () => {
  for (const [what, manifest, line, ...events] of troubles) {
    const name = /metadata: \{ name: (\S+) \}/.exec(manifest)?.[1] ?? ''
    it(what, async () => {
      await eventually(`kubectl get shows ${line}`, async () => {
        const text = await cluster.kubectl(`get pod ${name} --no-headers`)
        if (!line.test(text)) throw new Error(text)
        return true
      })
      for (const event of events)
        await eventually(`kubectl describe shows ${event}`, async () => {
          const text = await cluster.kubectl(`describe pod ${name}`)
          if (!event.test(text)) throw new Error(text)
          return true
        })
    })
  }

  it('the same in all its ways', async () => {
    assert.match(await cluster.kubectl('get pods -o wide'), /^no-image .* node-1 /m)
    assert.match(await cluster.kubectl("get pod crash -o 'jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}'"), /^2$/)
    assert.match(await cluster.kubectl('events --for pod/no-configmap --types=Warning'), /Error: configmap "missing" not found/)
    assert.match(
      await cluster.kubectl.says('logs no-image'),
      /container "main" in pod "no-image" is waiting to start: (trying and failing to pull image|image can't be pulled)/,
    )
    assert.match(await cluster.kubectl.says('logs no-configmap'), /container "main" in pod "no-configmap" is waiting to start: CreateContainerConfigError/)
    assert.match(await cluster.kubectl.says('logs init-slow'), /container "main" in pod "init-slow" is waiting to start: PodInitializing/)
    assert.match(await cluster.kubectl.says('exec no-image -- true'), /container not found \("main"\)|pod .* does not have a host assigned/)
  })
})
