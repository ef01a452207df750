import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Component } from '../client/component.ts'
import { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../client/resources.ts'
import type { V1PersistentVolumeClaimSpec, V1PersistentVolumeSpec } from '../machinery/schema/generated/types.ts'
import { type VolumeDirectories, volumeProvisioner } from './local-directory-provisioner.ts'
import { persistentVolumeClaimBinder } from './persistent-volume-binder.ts'
import { persistentVolumeLifecycle } from './persistent-volume-lifecycle.ts'
import { Bench } from './testing/bench.ts'
import { claimProtection, volumeProtection } from './volume-protection.ts'

const namespace = 'default'
const at = { namespace, name: 'data' }

class Directories implements VolumeDirectories {
  readonly made = new Map<string, string | undefined>()
  failure: Error | undefined

  async make(volume: string, node: string | undefined) {
    if (this.failure) throw this.failure
    this.made.set(volume, node)
    return { path: `/volumes/${volume}`, ...(node ? { node } : {}) }
  }

  async remove(volume: string) {
    if (this.failure) throw this.failure
    this.made.delete(volume)
  }
}

async function setUp(): Promise<{ bench: Bench; directories: Directories; controllers: Component }> {
  const bench = await Bench.start()
  const directories = new Directories()
  await bench.client.create(Node, { metadata: { name: 'node-1', labels: { 'kubernetes.io/hostname': 'node-1' } }, spec: {} })
  return { bench, directories, controllers: start(bench, directories) }
}

const start = (bench: Bench, directories: Directories) =>
  bench.run(persistentVolumeClaimBinder, persistentVolumeLifecycle, claimProtection, volumeProtection, ...volumeProvisioner(directories))

async function storageClass(bench: Bench, name: string, volumeBindingMode: string, reclaimPolicy = 'Delete') {
  await bench.client.create(StorageClass, { metadata: { name }, provisioner: 'skiff.dev/local-directory', reclaimPolicy, volumeBindingMode })
}

async function claim(bench: Bench, spec: Partial<V1PersistentVolumeClaimSpec> = {}, name = 'data') {
  const resources = { requests: { storage: '1Gi' } }
  return bench.client.create(PersistentVolumeClaim, { metadata: { name, namespace }, spec: { accessModes: ['ReadWriteOnce'], resources, ...spec } })
}

async function volume(bench: Bench, name: string, spec: Partial<V1PersistentVolumeSpec> = {}) {
  const base = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, persistentVolumeReclaimPolicy: 'Retain', hostPath: { path: '/x' } }
  return bench.client.create(PersistentVolume, { metadata: { name }, spec: { ...base, ...spec } })
}

const phases = async (bench: Bench) => (await bench.client.list(PersistentVolume)).items.map(({ metadata, status }) => `${metadata.name} ${status?.phase}`)
const phaseOf = async (bench: Bench, name = 'data') => (await bench.client.find(PersistentVolumeClaim, { namespace, name }))?.status?.phase

test('WaitForFirstConsumer: a volume is made once the scheduler has picked a node, on that node', async () => {
  const { bench, directories, controllers } = await setUp()
  await storageClass(bench, 'standard', 'WaitForFirstConsumer')
  await claim(bench, { storageClassName: 'standard' })
  await bench.settle()
  assert.equal(await phaseOf(bench), 'Pending')
  assert.ok((await bench.events()).some((event) => event.startsWith('Normal WaitForFirstConsumer waiting for first consumer to be created before binding')))
  assert.equal(directories.made.size, 0)

  await bench.client.patch(PersistentVolumeClaim, at, 'merge', { metadata: { annotations: { 'volume.kubernetes.io/selected-node': 'node-1' } } })
  await bench.settle(1000)
  const bound = await bench.client.get(PersistentVolumeClaim, at)
  assert.equal(bound.status?.phase, 'Bound')
  assert.deepEqual(bound.status?.capacity, { storage: '1Gi' })
  const [made] = (await bench.client.list(PersistentVolume)).items
  assert.equal(made?.metadata.name, `pvc-${bound.metadata.uid}`)
  assert.equal(made?.status?.phase, 'Bound')
  assert.equal(made?.spec.hostPath?.path, `/volumes/pvc-${bound.metadata.uid}`)
  assert.deepEqual(made?.spec.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]?.values, ['node-1'])
  assert.deepEqual([...directories.made.values()], ['node-1'])
  const events = await bench.events()
  assert.ok(
    events.some((event) =>
      event.startsWith("Normal ExternalProvisioning Waiting for a volume to be created either by the external provisioner 'skiff.dev/local-directory'"),
    ),
  )
  assert.ok(events.includes(`Normal ProvisioningSucceeded Successfully provisioned volume pvc-${bound.metadata.uid}`))

  // Deleted with the policy Delete: the volume and its directory go.
  await bench.client.delete(PersistentVolumeClaim, at)
  await bench.settle(2000)
  assert.equal(await phaseOf(bench), undefined)
  assert.deepEqual(await phases(bench), [])
  assert.equal(directories.made.size, 0)
  await controllers.stop()
  await bench.stop()
})

test('a volume of a machine serves all nodes of that machine', async () => {
  const { bench, controllers } = await setUp()
  const shared = { make: async (volume: string) => ({ path: `/volumes/${volume}` }), remove: async () => {} }
  await controllers.stop()
  const others = bench.run(persistentVolumeClaimBinder, persistentVolumeLifecycle, ...volumeProvisioner(shared))
  await bench.client.create(Node, { metadata: { name: 'node-2', labels: { 'topology.skiff.dev/machine': 'here' } }, spec: {} })
  await storageClass(bench, 'standard', 'WaitForFirstConsumer')
  const placeOn = async (node: string) => {
    const name = `on-${node}`
    const { metadata } = await claim(bench, { storageClassName: 'standard' }, name)
    await bench.client.patch(PersistentVolumeClaim, { namespace, name }, 'merge', { metadata: { annotations: { 'volume.kubernetes.io/selected-node': node } } })
    await bench.settle(1000)
    return (await bench.client.get(PersistentVolume, { name: `pvc-${metadata.uid}` })).spec.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions
  }
  assert.deepEqual(await placeOn('node-2'), [{ key: 'topology.skiff.dev/machine', operator: 'In', values: ['here'] }])
  assert.deepEqual(await placeOn('node-1'), [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['node-1'] }], 'it tells no machine')
  await others.stop()
  await bench.stop()
})

test('Immediate and Retain: made at once; released, and kept, when the claim is gone', async () => {
  const { bench, directories, controllers } = await setUp()
  await storageClass(bench, 'keep', 'Immediate', 'Retain')
  await claim(bench, { storageClassName: 'keep' })
  await bench.settle(1000)
  assert.equal(await phaseOf(bench), 'Bound')
  await bench.client.delete(PersistentVolumeClaim, at)
  await bench.settle(2000)
  assert.equal((await phases(bench))[0]?.split(' ')[1], 'Released')
  assert.equal(directories.made.size, 1)
  await controllers.stop()
  await bench.stop()
})

test('a claim that a pod uses stays until the pod is gone', async () => {
  const { bench, controllers } = await setUp()
  await storageClass(bench, 'standard', 'Immediate')
  await claim(bench, { storageClassName: 'standard' })
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
  const spec = { nodeName: 'node-1', terminationGracePeriodSeconds: 0, volumes, containers: [{ name: 'db', image: 'db:1' }] }
  await bench.client.create(Pod, { metadata: { name: 'db', namespace }, spec })
  await bench.settle(1000)
  await bench.client.delete(PersistentVolumeClaim, at)
  await bench.settle(1000)
  assert.equal(await phaseOf(bench), 'Bound')
  await bench.client.delete(Pod, { namespace, name: 'db' }, { gracePeriodSeconds: 0 })
  await bench.settle(2000)
  assert.equal(await phaseOf(bench), undefined)
  await controllers.stop()
  await bench.stop()
})

test('the smallest volume that fits is taken, and each but once', async () => {
  const { bench, controllers } = await setUp()
  await volume(bench, 'big', { capacity: { storage: '10Gi' } })
  await volume(bench, 'fits', { capacity: { storage: '2Gi' } })
  await volume(bench, 'small', { capacity: { storage: '100Mi' } })
  await volume(bench, 'other-class', { capacity: { storage: '1Gi' }, storageClassName: 'x' })
  await bench.settle()
  assert.deepEqual(await phases(bench), ['big Available', 'fits Available', 'other-class Available', 'small Available'])
  await claim(bench, { storageClassName: '' })
  await claim(bench, { storageClassName: '' }, 'second')
  await claim(bench, { storageClassName: '' }, 'third')
  await bench.settle(5000)
  const took = (await bench.client.list(PersistentVolumeClaim)).items.map(({ spec }) => spec.volumeName ?? '')
  assert.deepEqual(took.sort(), ['', 'big', 'fits'])
  assert.ok(
    (await bench.events()).some((event) => event.startsWith('Normal FailedBinding no persistent volumes available for this claim and no storage class is set')),
  )
  await controllers.stop()
  await bench.stop()
})

test('volumes and claims that name each other beforehand', async () => {
  const { bench, controllers } = await setUp()
  await volume(bench, 'kept', { claimRef: { namespace, name: 'data' } })
  await volume(bench, 'free')
  await claim(bench, { storageClassName: '', volumeName: 'free' }, 'other')
  await claim(bench, { storageClassName: '' })
  await bench.settle(1000)
  assert.equal((await bench.client.get(PersistentVolumeClaim, at)).spec.volumeName, 'kept')
  assert.deepEqual(await phases(bench), ['free Bound', 'kept Bound'])
  // A claim whose volume is gone has lost it.
  await bench.client.patch(PersistentVolume, { name: 'kept' }, 'merge', { metadata: { finalizers: null } })
  await controllers.stop()
  await bench.client.patch(PersistentVolume, { name: 'kept' }, 'merge', { metadata: { finalizers: null } })
  await bench.client.delete(PersistentVolume, { name: 'kept' })
  const again = start(bench, new Directories())
  await bench.settle(1000)
  assert.equal(await phaseOf(bench), 'Lost')
  await again.stop()
  await bench.stop()
})

test('a failure is told and tried again; a restart in the middle makes no second volume', async () => {
  const { bench, directories, controllers } = await setUp()
  await storageClass(bench, 'standard', 'Immediate')
  directories.failure = new Error('no space left on device')
  await claim(bench, { storageClassName: 'standard' })
  await bench.settle(1000)
  assert.equal(await phaseOf(bench), 'Pending')
  assert.ok(
    (await bench.events()).some((event) =>
      event.includes('ProvisioningFailed failed to provision volume with StorageClass "standard": no space left on device'),
    ),
  )
  await controllers.stop()
  directories.failure = undefined
  let cut: Component | undefined
  bench.transport.intercept = (request) => {
    // The controller ends just after it has made the volume.
    if (request.method === 'PUT' && request.path.includes('persistentvolumes')) void cut?.stop()
    return undefined
  }
  cut = start(bench, directories)
  await bench.settle(1000)
  bench.transport.intercept = undefined
  const last = start(bench, directories)
  await bench.settle(5000)
  assert.equal(await phaseOf(bench), 'Bound')
  assert.equal((await phases(bench)).length, 1)
  assert.equal(directories.made.size, 1)
  await last.stop()
  await bench.stop()
})
