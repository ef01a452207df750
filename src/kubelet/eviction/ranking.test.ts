import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import { outgrownLimit } from './local-storage.ts'
import { evictionMessage } from './messages.ts'
import type { PodUsage } from './pod-usage.ts'
import { admitUnderPressure } from './pressure-admission.ts'
import { rank } from './ranking.ts'
import { type Observation, readThresholds, type Signal } from './thresholds.ts'

const mebi = 1024 ** 2
const pod = (name: string, requests: Record<string, string> = {}, spec: Partial<V1Pod['spec']> = {}): V1Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', uid: name, resourceVersion: '1', creationTimestamp: '' },
  spec: { containers: [{ name: 'main', image: 'i', resources: { requests } }], ...spec },
})
const usage = (memoryBytes: number, rootfs = 0, volume = 0, processes = 1): PodUsage => ({
  memoryBytes,
  processes,
  containers: [{ name: 'main', memoryBytes, rootfs: { bytes: rootfs, inodes: rootfs / 4096 }, logBytes: 0 }],
  volumes: new Map([['data', { bytes: volume, inodes: 1 }]]),
})

describe('whom pressure hits first', () => {
  it('of memory: who exceeds its request, then priority, then by how much', () => {
    const ranked = rank(
      [
        { pod: pod('within', { memory: '200Mi' }), usage: usage(199 * mebi) },
        { pod: pod('within, low', { memory: '200Mi' }, { priority: -1 }), usage: usage(mebi) },
        { pod: pod('above, high', {}, { priority: 100 }), usage: usage(900 * mebi) },
        { pod: pod('above by 20', { memory: '100Mi' }), usage: usage(120 * mebi) },
        { pod: pod('above by 50'), usage: usage(50 * mebi) },
        { pod: pod('unknown'), usage: undefined },
      ],
      'memory.available',
    )
    assert.deepEqual(
      ranked.map((one) => one.pod.metadata.name),
      ['unknown', 'above by 50', 'above by 20', 'above, high', 'within, low', 'within'],
    )
  })

  it('of disk: writable layers, logs and directories count; of processes nobody has a request', () => {
    const pods = [
      { pod: pod('directory'), usage: usage(0, 10 * mebi, 50 * mebi, 3) },
      { pod: pod('layer'), usage: usage(0, 70 * mebi, 0, 9) },
      { pod: pod('asked', { 'ephemeral-storage': '1Gi' }, { priority: -1 }), usage: usage(0, 900 * mebi, 0, 1) },
    ]
    const names = (signal: Signal) => rank(pods, signal).map((one) => one.pod.metadata.name)
    assert.deepEqual(names('nodefs.available'), ['layer', 'directory', 'asked'])
    assert.deepEqual(names('pid.available'), ['asked', 'layer', 'directory'])
  })
})

it('the message names the resource, the threshold, and each container above its request', () => {
  const [threshold] = readThresholds({ hard: { 'memory.available': '100Mi' } })
  assert.ok(threshold)
  const observations = new Map<Signal, Observation>([['memory.available', { available: 51_200_000, capacity: 1e9 }]])
  assert.equal(
    evictionMessage(pod('p', { memory: '100Mi' }), usage(150 * mebi), threshold, observations),
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50000Ki. Container main was using 150Mi, request is 100Mi, has larger consumption of memory. ',
  )
  assert.equal(
    evictionMessage(pod('p', { memory: '1Gi' }), usage(150 * mebi), threshold, observations),
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50000Ki. ',
  )
  const [inodes] = readThresholds({ hard: { 'nodefs.inodesFree': '5%' } })
  assert.ok(inodes)
  assert.equal(
    evictionMessage(pod('p'), usage(0, mebi), inodes, new Map([['nodefs.inodesFree', { available: 1024, capacity: 40960 }]])),
    'The node was low on resource: inodes. Threshold quantity: 2048, available: 1024. ',
  )
})

describe('limits on local storage', () => {
  const limited = (limits: Record<string, string>, volumes: V1Pod['spec']['volumes'] = []) =>
    pod(
      'p',
      {},
      {
        containers: [
          { name: 'main', image: 'i', resources: { limits } },
          { name: 'side', image: 'i' },
        ],
        volumes,
      },
    )

  it('of a directory', () => {
    const one = limited({}, [{ name: 'data', emptyDir: { sizeLimit: '10Mi' } }])
    assert.equal(outgrownLimit(one, usage(0, 0, 10 * mebi)), undefined)
    assert.deepEqual(outgrownLimit(one, usage(0, 0, 10 * mebi + 4096)), {
      signal: 'emptydirfs.limit',
      message: 'Usage of EmptyDir volume "data" exceeds the limit "10Mi". ',
    })
    assert.equal(outgrownLimit(limited({}, [{ name: 'data', emptyDir: { sizeLimit: '0' } }]), usage(0, 0, mebi)), undefined)
  })

  it('of all of the pod, and of each container', () => {
    const one = limited({ 'ephemeral-storage': '10Mi' }, [{ name: 'data', emptyDir: {} }])
    assert.equal(outgrownLimit(one, usage(0, 4 * mebi, 6 * mebi)), undefined)
    assert.deepEqual(outgrownLimit(one, usage(0, 4 * mebi, 7 * mebi)), {
      signal: 'ephemeralpodfs.limit',
      message: 'Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ',
    })
    const roomy = {
      ...one,
      spec: {
        ...one.spec,
        containers: [...one.spec.containers.slice(0, 1), { name: 'side', image: 'i', resources: { limits: { 'ephemeral-storage': '1Gi' } } }],
      },
    }
    assert.deepEqual(outgrownLimit(roomy, usage(0, 11 * mebi)), {
      signal: 'ephemeralcontainerfs.limit',
      message: 'Container main exceeded its local ephemeral storage limit "10Mi". ',
    })
  })
})

describe('a node under pressure', () => {
  const burstable = pod('burstable', { cpu: '1m' })
  const message = 'The node had condition: [MemoryPressure]. '
  it('of memory alone refuses pods that ask for nothing, unless they tolerate it', () => {
    assert.deepEqual(admitUnderPressure(pod('p'), ['MemoryPressure']), { reason: 'Evicted', message })
    assert.equal(admitUnderPressure(burstable, ['MemoryPressure']), undefined)
    const toleration = { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' }
    assert.equal(admitUnderPressure(pod('p', {}, { tolerations: [toleration] }), ['MemoryPressure']), undefined)
  })
  it('of disk or processes refuses all but what the system needs', () => {
    assert.equal(admitUnderPressure(burstable, ['DiskPressure'])?.reason, 'Evicted')
    assert.equal(admitUnderPressure(burstable, ['MemoryPressure', 'PIDPressure'])?.message, 'The node had condition: [MemoryPressure PIDPressure]. ')
    assert.equal(admitUnderPressure(pod('p', {}, { priority: 2_000_000_000 }), ['DiskPressure']), undefined)
    assert.equal(admitUnderPressure(pod('p'), []), undefined)
  })
})
