import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { ConfigMap, PersistentVolume, PersistentVolumeClaim, Pod, Secret } from '../../client/resources.ts'
import type { V1PodSpec } from '../../machinery/schema/generated/types.ts'
import type { ContainerConfig } from '../../runtime/runtime.ts'
import { NodeBench } from '../testing/node-bench.ts'

let bench: NodeBench
let directory: string
let configs: ContainerConfig[]

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'skiff-kubelet-'))
  configs = []
  const noted = (config: ContainerConfig) => {
    configs.push(config)
    return {}
  }
  bench = await NodeBench.start({ directory, lives: { main: noted, other: noted } })
})
afterEach(async () => {
  await bench.stop()
  rmSync(directory, { recursive: true })
})

const mountOf = (path: string, name = 'main') => {
  const mount = configs
    .filter((config) => config.metadata.name === name)
    .at(-1)
    ?.mounts.find((one) => one.containerPath === path)
  assert.ok(mount, `no mount at ${path}`)
  return mount
}
const run = async (spec: Partial<V1PodSpec>, name = 'web') => {
  await bench.createPod(name, spec)
  return bench.untilReady(name)
}
const withVolume = (volume: NonNullable<V1PodSpec['volumes']>[number], more: Partial<V1PodSpec> = {}): Partial<V1PodSpec> => ({
  volumes: [volume],
  containers: [{ name: 'main', volumeMounts: [{ name: volume.name, mountPath: '/data' }] }],
  ...more,
})
const inDefault = { namespace: 'default' }

describe('config-like volumes', () => {
  it('hold the keys as files and follow changes by one swap', async () => {
    await bench.client.create(ConfigMap, { metadata: { ...inDefault, name: 'c' }, data: { a: '1', b: '2' }, binaryData: { bin: '/w==' } })
    await run(withVolume({ name: 'v', configMap: { name: 'c', defaultMode: 0o640 } }))
    const { hostPath, readonly } = mountOf('/data')
    assert.equal(readonly, true)
    assert.equal(readFileSync(join(hostPath, 'a'), 'utf8'), '1')
    assert.deepEqual([...readFileSync(join(hostPath, 'bin'))], [255])
    assert.equal(statSync(join(hostPath, 'a')).mode & 0o777, 0o640)
    assert.equal(readlinkSync(join(hostPath, 'a')), '..data/a')
    const before = readlinkSync(join(hostPath, '..data'))
    await bench.client.update(ConfigMap, { ...(await bench.client.get(ConfigMap, { ...inDefault, name: 'c' })), data: { a: '3', c: '4' } })
    await bench.until('the file has changed', () => readFileSync(join(hostPath, 'a'), 'utf8') === '3')
    await bench.until('the old key is gone', () => !readdirSync(hostPath).includes('b'))
    assert.equal(readFileSync(join(hostPath, 'c'), 'utf8'), '4')
    assert.notEqual(readlinkSync(join(hostPath, '..data')), before)
    await bench.until('the old version is gone', () => readdirSync(hostPath).filter((name) => name.startsWith('..2')).length === 1)
  })

  it('chosen keys at chosen paths with modes of their own', async () => {
    await bench.client.create(Secret, { metadata: { ...inDefault, name: 's' }, data: { password: 'aHVudGVyMg==', other: 'eA==' } })
    await run(withVolume({ name: 'v', secret: { secretName: 's', items: [{ key: 'password', path: 'db/pw', mode: 0o400 }] } }))
    const { hostPath } = mountOf('/data')
    assert.equal(readFileSync(join(hostPath, 'db/pw'), 'utf8'), 'hunter2')
    assert.equal(statSync(join(hostPath, 'db/pw')).mode & 0o777, 0o400)
    assert.deepEqual(
      readdirSync(hostPath).filter((name) => !name.startsWith('..')),
      ['db'],
    )
  })

  it('belong to the group of the pod, which may read them', async () => {
    await bench.client.create(ConfigMap, { metadata: { ...inDefault, name: 'c' }, data: { a: '1' } })
    await run(
      withVolume({ name: 'v', configMap: { name: 'c', defaultMode: 0o400, items: [{ key: 'a', path: 'deep/a' }] } }, { securityContext: { fsGroup: 2000 } }),
    )
    const { hostPath } = mountOf('/data')
    for (const [path, mode] of [
      ['', 0o2777],
      ['deep', 0o2755],
      ['deep/a', 0o440],
    ] as const) {
      const stat = statSync(join(hostPath, path))
      assert.deepEqual([stat.mode & 0o7777, stat.gid], [mode, 2000], path)
    }
  })

  it('the downward API and several sources in one', async () => {
    await bench.client.create(ConfigMap, { metadata: { ...inDefault, name: 'c' }, data: { a: '1' } })
    await bench.createPod(
      'web',
      withVolume({
        name: 'v',
        projected: {
          sources: [
            { configMap: { name: 'c' } },
            { configMap: { name: 'none', optional: true } },
            {
              downwardAPI: {
                items: [
                  { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
                  { path: 'cpu', resourceFieldRef: { containerName: 'main', resource: 'limits.cpu' } },
                ],
              },
            },
          ],
        },
      }),
      { labels: { app: 'web', tier: 'front' } },
    )
    await bench.untilReady('web')
    const { hostPath } = mountOf('/data')
    assert.equal(readFileSync(join(hostPath, 'labels'), 'utf8'), 'app="web"\ntier="front"')
    assert.equal(readFileSync(join(hostPath, 'cpu'), 'utf8'), '2')
    assert.equal(readFileSync(join(hostPath, 'a'), 'utf8'), '1')
    await bench.client.patch(Pod, { ...inDefault, name: 'web' }, 'merge', { metadata: { labels: { app: 'new' } } })
    await bench.until('the labels have changed', () => readFileSync(join(hostPath, 'labels'), 'utf8').startsWith('app="new"'))
  })
})

describe('directories', () => {
  it('an emptyDir lives as long as the pod and belongs to its group', async () => {
    await run(withVolume({ name: 'v', emptyDir: {} }, { securityContext: { fsGroup: 2000 } }))
    const { hostPath } = mountOf('/data')
    const stat = statSync(hostPath)
    assert.equal(stat.mode & 0o7777, 0o2777)
    assert.equal(stat.gid, 2000)
    assert.deepEqual(configs.at(-1)?.security.supplementalGroups, [2000])
    writeFileSync(join(hostPath, 'x'), 'kept')
    await bench.client.delete(Pod, { ...inDefault, name: 'web' })
    await bench.until('the pod is gone', async () => (await bench.find('web')) === undefined)
    await bench.until('its directory is gone', () => readdirSync(join(directory, 'pods')).length === 0)
    await bench.until('its logs are gone', () => readdirSync(join(directory, 'log', 'pods')).length === 0)
  })

  it('an image is pulled for the container that mounts it', async () => {
    await bench.createPod('web', {
      volumes: [{ name: 'v', image: { reference: 'models:2', pullPolicy: 'IfNotPresent' } }],
      containers: [{ name: 'main', volumeMounts: [{ name: 'v', mountPath: '/data', subPath: 'small' }] }],
    })
    await bench.untilReady('web')
    const models = await bench.runtime.imageStatus('models:2')
    assert.ok(models)
    const { containerPath, hostPath, image, readonly } = mountOf('/data')
    assert.deepEqual([containerPath, hostPath, image, readonly], ['/data', '', { id: models.id, subPath: 'small' }, true])
  })

  it('a hostPath is checked against its type', async () => {
    const path = join(directory, 'outside')
    await bench.createPod('web', withVolume({ name: 'v', hostPath: { path, type: 'Directory' } }))
    await bench.until('it was told', async () =>
      (await bench.events()).includes(`Warning FailedMount MountVolume.SetUp failed for volume "v" : hostPath type check failed: ${path} is not a directory`),
    )
    mkdirSync(path)
    await bench.untilReady('web')
    assert.equal(mountOf('/data').hostPath, path)
  })

  it('a claim leads to its volume, whose data outlives the pod', async () => {
    const path = join(directory, 'volume')
    mkdirSync(path)
    const claim = await bench.client.create(PersistentVolumeClaim, {
      metadata: { ...inDefault, name: 'claim' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, volumeName: 'pv' },
    })
    await bench.client.create(PersistentVolume, {
      metadata: { name: 'pv' },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path },
        claimRef: { kind: 'PersistentVolumeClaim', ...inDefault, name: 'claim', uid: claim.metadata.uid },
      },
    })
    await bench.createPod('web', withVolume({ name: 'v', persistentVolumeClaim: { claimName: 'claim' } }))
    await bench.until('it was told', async () =>
      (await bench.eventsOf('FailedMount')).some((line) => line.endsWith('error processing PVC default/claim: PVC is not bound')),
    )
    await bench.client.updateStatus(PersistentVolumeClaim, {
      ...(await bench.client.get(PersistentVolumeClaim, { ...inDefault, name: 'claim' })),
      status: { phase: 'Bound' },
    })
    await bench.untilReady('web')
    const { hostPath } = mountOf('/data')
    assert.equal(hostPath, path)
    writeFileSync(join(hostPath, 'x'), 'kept')
    await bench.client.delete(Pod, { ...inDefault, name: 'web' })
    await bench.until('the directory is gone', () => readdirSync(join(directory, 'pods')).length === 0)
    assert.equal(readFileSync(join(path, 'x'), 'utf8'), 'kept')
  })

  it('a part of a volume is for whom the volume is for', async () => {
    const volume = withVolume({ name: 'v', emptyDir: {} }, { securityContext: { fsGroup: 2000 } })
    await run({ ...volume, containers: [{ name: 'main', volumeMounts: [{ name: 'v', mountPath: '/data', subPath: 'a/b' }] }] })
    const stat = statSync(mountOf('/data').hostPath)
    assert.deepEqual([stat.mode & 0o7777, stat.gid], [0o2777, 2000])
  })

  it('subPath is made where it is missing, and may not lead out', async () => {
    const spec = (subPath: string): Partial<V1PodSpec> => ({
      volumes: [{ name: 'v', hostPath: { path: join(directory, 'outside') } }],
      containers: [{ name: 'main', env: [{ name: 'NAME', value: 'web' }], volumeMounts: [{ name: 'v', mountPath: '/data', subPath }] }],
    })
    mkdirSync(join(directory, 'outside'))
    symlinkSync('/etc', join(directory, 'outside', 'evil'))
    await run(spec('a/b'), 'good')
    assert.equal(mountOf('/data').hostPath, join(directory, 'outside/a/b'))
    const expression = spec('')
    const [container] = expression.containers ?? []
    await run(
      { ...expression, containers: [{ ...container, name: 'main', volumeMounts: [{ name: 'v', mountPath: '/data', subPathExpr: 'of-$(NAME)' }] }] },
      'expression',
    )
    assert.equal(mountOf('/data').hostPath, join(directory, 'outside/of-web'))
    await bench.createPod('evil', spec('evil'))
    const evil = await bench.untilPod(
      'evil',
      'is refused',
      (pod) => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError',
    )
    assert.match(evil.status?.containerStatuses?.[0]?.state?.waiting?.message ?? '', /leads out of the volume/)
  })
})

describe('what every container gets', () => {
  it('a hosts file, resolver settings, environment and expanded arguments', async () => {
    await bench.client.create(ConfigMap, { metadata: { ...inDefault, name: 'c' }, data: { PORT: '80', NAME: 'from-config' } })
    const pod = await run({
      hostname: 'box',
      subdomain: 'sub',
      hostAliases: [{ ip: '10.1.2.3', hostnames: ['db', 'db.local'] }],
      containers: [
        {
          name: 'main',
          command: ['run'],
          args: ['--at=$(ADDRESS)', '--literal=$$(ADDRESS)', '--unknown=$(NOPE)'],
          envFrom: [{ prefix: 'APP_', configMapRef: { name: 'c' } }],
          env: [
            { name: 'APP_NAME', value: 'mine' },
            { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
            { name: 'ADDRESS', value: '$(POD_IP):$(APP_PORT)' },
            { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
          ],
          resources: { limits: { memory: '64Mi', cpu: '500m' }, requests: { cpu: '250m', memory: '64Mi' } },
        },
      ],
    })
    const [config] = configs
    const environment = new Map(config?.envs.map(({ key, value }) => [key, value]))
    const ip = pod.status?.podIP
    assert.equal(environment.get('APP_NAME'), 'mine')
    assert.equal(environment.get('ADDRESS'), `${ip}:80`)
    assert.equal(environment.get('MEMORY'), '64')
    assert.deepEqual(config?.args, [`--at=${ip}:80`, '--literal=$(ADDRESS)', '--unknown=$(NOPE)'])
    assert.equal(config?.resources.cpuShares, 256)
    assert.equal(config?.resources.cpuQuota, 50_000)
    assert.equal(config?.resources.memoryLimit, 64 * 2 ** 20)
    assert.equal(config?.resources.oomScoreAdj, 985)
    const hosts = readFileSync(mountOf('/etc/hosts').hostPath, 'utf8')
    assert.match(hosts, new RegExp(`${ip}\tbox.sub.default.svc.cluster.local\tbox\n`))
    assert.match(hosts, /10\.1\.2\.3\tdb\tdb\.local\n$/)
  })

  it('a termination message', async () => {
    bench.lives.main = { runMs: 100, terminationMessage: 'said at the end' }
    await bench.createPod('job', { restartPolicy: 'Never' })
    const told = await bench.untilPod('job', 'has ended', (pod) => pod.status?.phase === 'Succeeded')
    assert.equal(told.status?.containerStatuses?.[0]?.state?.terminated?.message, 'said at the end')
    bench.lives.main = {
      runMs: 100,
      exitCode: 1,
      output: [{ line: 'first' }, { stream: 'stderr', line: 'last ', partial: true }, { stream: 'stderr', line: 'words', partial: true }],
    }
    await bench.createPod('failed', { restartPolicy: 'Never', containers: [{ name: 'main', terminationMessagePolicy: 'FallbackToLogsOnError' }] })
    const failed = await bench.untilPod('failed', 'has ended', (pod) => pod.status?.phase === 'Failed')
    assert.equal(failed.status?.containerStatuses?.[0]?.state?.terminated?.message, 'first\nlast words')
  })
})
