/** What a container is given: user, rights, limits, environment, image; and what is told when it cannot have it. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { busybox, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { containerOf, type Objects, objectsOf } from '../tools/objects.ts'
import { forever, podOf } from '../tools/pod-manifest.ts'

const config = `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { COLOUR: blue, SHAPE: round, "not.an-identifier": odd }
---
apiVersion: v1
kind: Secret
metadata: { name: credentials }
stringData: { PASSWORD: "p4ss word" }
`

const environment = `
env:
  - { name: GREETING, value: hello }
  - { name: COMPOSED, value: "$(GREETING) $(COLOUR) $$(GREETING) $(UNKNOWN)" }
  - { name: FROM_KEY, valueFrom: { configMapKeyRef: { name: settings, key: SHAPE } } }
  - { name: FROM_SECRET, valueFrom: { secretKeyRef: { name: credentials, key: PASSWORD } } }
  - { name: ABSENT, valueFrom: { configMapKeyRef: { name: settings, key: NOTHING, optional: true } } }
  - { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
  - { name: POD_IP, valueFrom: { fieldRef: { fieldPath: status.podIP } } }
  - { name: HOST_IP, valueFrom: { fieldRef: { fieldPath: status.hostIP } } }
  - { name: NODE, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }
  - { name: ACCOUNT, valueFrom: { fieldRef: { fieldPath: spec.serviceAccountName } } }
  - { name: APP, valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } }
  - { name: CPU_LIMIT, valueFrom: { resourceFieldRef: { resource: limits.cpu } } }
  - { name: CPU_MILLIS, valueFrom: { resourceFieldRef: { resource: limits.cpu, divisor: 1m } } }
  - { name: MEMORY_MI, valueFrom: { resourceFieldRef: { resource: requests.memory, divisor: 1Mi } } }
envFrom:
  - { prefix: CFG_, configMapRef: { name: settings } }
  - { configMapRef: { name: settings } }
  - { secretRef: { name: credentials } }
  - { secretRef: { name: not-there, optional: true } }
resources: { requests: { cpu: 100m, memory: 32Mi }, limits: { cpu: 500m, memory: 64Mi } }`

const security = (fields: string) => ({ container: `securityContext: { ${fields} }` })

const manifests = [
  podOf('environment', forever, { container: environment }),
  podOf('env-file', forever, {
    container: `env: [${['GIVEN', 'ABSENT'].map((key) => `{ name: ${key}, valueFrom: { fileKeyRef: { volumeName: made, path: deep/env, key: ${key}, optional: true } } }`).join(', ')}]`,
    spec: `volumes: [{ name: made, emptyDir: {} }]
initContainers: [{ name: maker, image: "${busybox}", command: [sh, -c, "mkdir /made/deep; echo \\"GIVEN='by another'\\" > /made/deep/env"], volumeMounts: [{ name: made, mountPath: /made }] }]`,
  }),
  podOf('no-env-file', forever, {
    container: 'env: [{ name: A, valueFrom: { fileKeyRef: { volumeName: made, path: nothing, key: A } } }]',
    spec: 'volumes: [{ name: made, emptyDir: {} }]',
  }),
  podOf('words', 'unused', { container: 'args: ["$(A) and $$(A)", two words]\nenv: [{ name: A, value: a }]', spec: 'restartPolicy: Never' }).replace(
    /command: .*/,
    'command: [echo, "-n"]',
  ),
  podOf('user', `id; touch /data/mine; stat -c %u:%g:%a /data/mine /data; ${forever}`, {
    container: 'securityContext: { runAsUser: 1000, runAsGroup: 2000 }\nvolumeMounts: [{ name: data, mountPath: /data }]',
    spec: 'securityContext: { fsGroup: 3000, supplementalGroups: [4000], runAsUser: 1 }\nvolumes: [{ name: data, emptyDir: {} }]',
  }),
  podOf('read-only', `touch /file; echo $?; touch /tmp/file; echo $?; ${forever}`, {
    container: 'securityContext: { readOnlyRootFilesystem: true }\nvolumeMounts: [{ name: tmp, mountPath: /tmp }]',
    spec: 'volumes: [{ name: tmp, emptyDir: { medium: Memory, sizeLimit: 1Mi } }]',
  }),
  podOf('dropped', `chown 1:1 /tmp; echo $?; grep Cap /proc/self/status; ${forever}`, security('capabilities: { drop: [ALL] }')),
  podOf('added', `grep CapEff /proc/self/status; ip link set lo mtu 1400; echo $?; ${forever}`, security('capabilities: { add: [NET_ADMIN] }')),
  podOf('plain', `ip link set lo mtu 1400; echo $?; grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status; ${forever}`),
  podOf(
    'confined',
    `grep -E "NoNewPrivs|Seccomp:" /proc/self/status; ${forever}`,
    security('allowPrivilegeEscalation: false, seccompProfile: { type: RuntimeDefault }'),
  ),
  podOf('privileged', `mount -t tmpfs none /tmp && echo mounted; grep CapEff /proc/self/status; ls /dev/kmsg; ${forever}`, security('privileged: true')),
  podOf('as-root', forever, security('runAsNonRoot: true')),
  podOf('as-zero', forever, security('runAsNonRoot: true, runAsUser: 0')),
  podOf('no-config', forever, { container: 'envFrom: [{ configMapRef: { name: late } }]' }),
  podOf('no-secret', forever, { container: 'env: [{ name: A, valueFrom: { secretKeyRef: { name: late, key: a } } }]' }),
  podOf('no-key', forever, { container: 'env: [{ name: A, valueFrom: { configMapKeyRef: { name: settings, key: late } } }]' }),
  podOf('no-volume', forever, { container: 'volumeMounts: [{ name: late, mountPath: /late }]', spec: 'volumes: [{ name: late, configMap: { name: late } }]' }),
  podOf('no-image', forever).replace(`image: ${busybox}`, 'image: registry.invalid/nothing:1'),
  podOf('never-pulled', forever, { container: 'imagePullPolicy: Never' }).replace(`image: ${busybox}`, 'image: not-here:1'),
  podOf('bad-image', forever).replace(`image: ${busybox}`, 'image: "UPPER/Case:???"'),
  podOf('no-program', forever).replace(/command: .*/, 'command: [/no/such/program]'),
  podOf('workdir', `pwd; hostname; ${forever}`, { container: 'workingDir: /made/for/it' }),
].join('')

describe('what a container is given', () => {
  let cluster: TestCluster
  let on: Objects
  before(async () => {
    cluster = await startTestCluster()
    on = objectsOf(cluster)
    await on.apply(config + manifests)
  })
  after(() => cluster?.remove())
  const running = (name: string) => on.podUntil(name, 'runs', (pod) => pod.status?.phase === 'Running')
  const log = async (name: string) => {
    await running(name)
    return cluster.kubectl(`logs ${name}`)
  }
  const waiting = async (name: string, reason: string) =>
    containerOf(await on.podUntil(name, `waits: ${reason}`, (pod) => containerOf(pod)?.state?.waiting?.reason === reason))?.state?.waiting?.message ?? ''

  it('has the environment from a file that another container has left', async () => {
    await running('env-file')
    assert.equal(await on.sh('env-file', 'echo $GIVEN.$ABSENT.'), 'by another..\n')
    assert.equal(await waiting('no-env-file', 'CreateContainerConfigError'), 'environment variable key "A" not found in file "nothing"')
  })

  it('has the environment from values, ConfigMaps, Secrets, fields of the pod and its resources', async () => {
    const pod = await running('environment')
    const lines = (await on.sh('environment', "tr '\\0' '\\n' < /proc/1/environ")).split('\n')
    const variables = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
    const expected = {
      COMPOSED: 'hello blue $(GREETING) $(UNKNOWN)',
      FROM_KEY: 'round',
      FROM_SECRET: 'p4ss word',
      POD_NAME: 'environment',
      POD_IP: pod.status?.podIP,
      HOST_IP: pod.status?.hostIP,
      NODE: pod.spec.nodeName,
      ACCOUNT: 'default',
      APP: 'environment',
      CPU_LIMIT: '1',
      CPU_MILLIS: '500',
      MEMORY_MI: '32',
      CFG_COLOUR: 'blue',
      COLOUR: 'blue',
      PASSWORD: 'p4ss word',
      HOSTNAME: 'environment',
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
      KUBERNETES_SERVICE_PORT: '443',
    }
    for (const [name, value] of Object.entries(expected)) assert.equal(variables[name], value, name)
    assert.ok(!('ABSENT' in variables))
    assert.equal(variables['not.an-identifier'], 'odd')
    const words = await on.podUntil('words', 'has succeeded', (pod) => pod.status?.phase === 'Succeeded')
    assert.ok(words)
    assert.equal(await cluster.kubectl('logs words'), 'a and $(A) two words')
  })

  it('has its limits as cgroups, and sees them', async () => {
    await running('environment')
    const file = (v1: string, v2: string) => on.sh('environment', `cat /sys/fs/cgroup/${v1} 2>/dev/null || cat /sys/fs/cgroup/${v2}`)
    assert.match(await file('memory/memory.limit_in_bytes', 'memory.max'), /^67108864\n/)
    assert.match(await file('cpu/cpu.cfs_quota_us', 'cpu.max'), /^50000\b/)
    const shares = await file('cpu/cpu.shares', 'cpu.weight')
    assert.match(shares, /^(102|4|17)\n/)
    const pod = await on.pod('environment')
    assert.equal(pod.status?.qosClass, 'Burstable')
    assert.equal(containerOf(pod)?.resources?.limits?.memory, '64Mi')
  })

  it('runs as the user and groups it is given, and owns its volumes by fsGroup', async () => {
    const [id = '', file, directory] = (await log('user')).trim().split('\n')
    assert.match(
      id,
      /^uid=1000 gid=2000 groups=2000,3000,4000|^uid=1000 gid=2000 groups=2000,4000,3000|^uid=1000 gid=2000 groups=3000,4000|^uid=1000 gid=2000 groups=4000,3000/,
    )
    assert.equal(file, '1000:3000:644')
    assert.match(directory ?? '', /^0:3000:2777$/)
    const pod = await on.pod('user')
    assert.equal(containerOf(pod)?.user?.linux?.uid, 1000)
  })

  it('cannot write a read-only root, only its volumes', async () => {
    // Output and errors come by two ways: each is in order, and one may overtake the other.
    const lines = (await log('read-only')).trim().split('\n')
    assert.deepEqual(
      lines.filter((line) => /^\d$/.test(line)),
      ['1', '0'],
    )
    assert.match(lines.find((line) => !/^\d$/.test(line)) ?? '', /Read-only file system$/)
    await assert.rejects(on.sh('read-only', 'dd if=/dev/zero of=/tmp/big bs=1M count=2'), /No space left on device/)
  })

  it('has the capabilities it asks for and no others', async () => {
    const dropped = await log('dropped')
    for (const says of [/not permitted$/m, /^1$/m, /^CapEff:\s0000000000000000$/m]) assert.match(dropped, says)
    const added = await log('added')
    assert.match(added, /\n0\n$/)
    const plain = await log('plain')
    assert.match(plain, /SIOCSIFMTU: Operation not permitted\n/)
    assert.match(plain, /CapEff:\s00000000a80425fb\n/)
    assert.match(plain, /NoNewPrivs:\s0\nSeccomp:\s0\n/)
    assert.match(added, /CapEff:\s00000000a80435fb\n/)
    assert.match(await log('confined'), /NoNewPrivs:\s1\nSeccomp:\s2\n/)
    assert.match(await log('privileged'), /^mounted\nCapEff:\s\w*[0-9a-f]{9}\n\/dev\/kmsg\n/)
  })

  it('is not run as root against its word', async () => {
    assert.match(
      await waiting('as-root', 'CreateContainerConfigError'),
      /^container has runAsNonRoot and image will run as root \(pod: "as-root_default\(.*\)", container: main\)$/,
    )
    assert.match(await waiting('as-zero', 'CreateContainerConfigError'), /^container's runAsUser breaks non-root policy/)
    await on.event('Pod', 'as-root', /^Warning Failed Error: container has runAsNonRoot and image will run as root/)
  })

  it('waits for a ConfigMap, Secret or key that is missing, and runs when it is there', async () => {
    assert.equal(await waiting('no-config', 'CreateContainerConfigError'), 'configmap "late" not found')
    assert.equal(await waiting('no-secret', 'CreateContainerConfigError'), 'secret "late" not found')
    assert.equal(await waiting('no-key', 'CreateContainerConfigError'), "couldn't find key late in ConfigMap default/settings")
    await on.event('Pod', 'no-config', /^Warning Failed Error: configmap "late" not found$/)
    await on.event('Pod', 'no-volume', /^Warning FailedMount MountVolume.SetUp failed for volume "late" : configmap "late" not found$/)
    assert.equal(containerOf(await on.pod('no-volume'))?.state?.waiting?.reason, 'ContainerCreating')
    await on.apply(`
apiVersion: v1
kind: ConfigMap
metadata: { name: late }
data: { a: "1" }
---
apiVersion: v1
kind: Secret
metadata: { name: late }
stringData: { a: "1" }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { COLOUR: blue, SHAPE: round, late: "1" }
`)
    for (const name of ['no-config', 'no-secret', 'no-key', 'no-volume']) await running(name)
  })

  it('waits for an image that cannot be had, and says why', async () => {
    await on.event('Pod', 'no-image', /^Normal Pulling Pulling image "registry.invalid\/nothing:1"$/)
    await on.event('Pod', 'no-image', /^Warning Failed Failed to pull image "registry.invalid\/nothing:1": /)
    await on.event('Pod', 'no-image', /^Warning Failed Error: ErrImagePull$/)
    assert.match(await waiting('no-image', 'ImagePullBackOff'), /^Back-off pulling image "registry.invalid\/nothing:1"/)
    await on.event('Pod', 'no-image', /^Normal BackOff Back-off pulling image "registry.invalid\/nothing:1"$/)
    await on.event('Pod', 'no-image', /^Warning Failed Error: ImagePullBackOff$/)
    assert.equal(await waiting('never-pulled', 'ErrImageNeverPull'), 'Container image "not-here:1" is not present with pull policy of Never')
    await on.event('Pod', 'never-pulled', /^Warning ErrImageNeverPull Container image "not-here:1" is not present with pull policy of Never$/)
    assert.match(await waiting('bad-image', 'InvalidImageName'), /^Failed to apply default image tag "UPPER\/Case:\?\?\?"/)
    await on.event('Pod', 'bad-image', /^Warning InspectFailed Failed to apply default image tag/)
    await cluster.kubectl(`set image pod/no-image main=${busybox}`)
    await running('no-image')
  })

  it('tells of a program that is not there', async () => {
    await on.event('Pod', 'no-program', /^Warning Failed Error: .*\/no\/such\/program/)
    const pod = await on.podUntil('no-program', 'is tried again', (pod) => containerOf(pod)?.state?.waiting?.reason === 'CrashLoopBackOff')
    assert.ok(pod)
  })

  it('works in the directory it is given, which is made', async () => {
    assert.equal(await log('workdir'), '/made/for/it\nworkdir\n')
  })
})
