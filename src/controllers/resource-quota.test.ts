import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigMap, PersistentVolumeClaim, Pod, ResourceQuota, Service } from '../client/resources.ts'
import { resourceQuotaController } from './resource-quota.ts'
import { Bench } from './testing/bench.ts'

const namespace = 'default'
const at = { name: 'all', namespace }

test('what is used is told, and followed as objects come, end and go', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(resourceQuotaController)
  const hard = {
    pods: '5',
    'requests.cpu': '2',
    'limits.memory': '1Gi',
    services: '3',
    'services.nodeports': '1',
    'count/configmaps': '9',
    'requests.storage': '5Gi',
  }
  await bench.client.create(ResourceQuota, { metadata: at, spec: { hard } })
  await bench.settle()
  const used = async () => (await bench.client.get(ResourceQuota, at)).status?.used
  assert.deepEqual(await used(), Object.fromEntries(Object.keys(hard).map((name) => [name, '0'])))
  const resources = { requests: { cpu: '250m' }, limits: { cpu: '1', memory: '128Mi' } }
  for (const name of ['one', 'two'])
    await bench.client.create(Pod, { metadata: { name, namespace }, spec: { containers: [{ name: 'main', image: 'main', resources }] } })
  await bench.client.create(ConfigMap, { metadata: { name: 'settings', namespace } })
  await bench.client.create(Service, { metadata: { name: 'web', namespace }, spec: { type: 'NodePort', ports: [{ port: 80 }] } })
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } }
  await bench.client.create(PersistentVolumeClaim, { metadata: { name: 'data', namespace }, spec: claim })
  await bench.settle()
  assert.deepEqual(await used(), {
    pods: '2',
    'requests.cpu': '500m',
    'limits.memory': '256Mi',
    services: '1',
    'services.nodeports': '1',
    'count/configmaps': '1',
    'requests.storage': '2Gi',
  })
  // One that has ended uses nothing any more.
  const one = await bench.client.get(Pod, { name: 'one', namespace })
  await bench.client.updateStatus(Pod, { ...one, status: { ...one.status, phase: 'Succeeded' } })
  await bench.client.delete(Service, { name: 'web', namespace })
  await bench.settle()
  assert.equal((await used())?.pods, '1')
  assert.equal((await used())?.services, '0')
  await bench.client.patch(ResourceQuota, at, 'merge', { spec: { hard: { pods: '7', services: null } } })
  await bench.settle()
  assert.equal((await bench.client.get(ResourceQuota, at)).status?.hard?.pods, '7')
  assert.equal((await used())?.services, undefined)
  await controllers.stop()
  await bench.stop()
})

test('a quota with a scope counts the pods in it', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(resourceQuotaController)
  await bench.client.create(ResourceQuota, { metadata: at, spec: { hard: { pods: '5' }, scopes: ['BestEffort'] } })
  const containers = (cpu?: string) => [{ name: 'main', image: 'main', ...(cpu ? { resources: { requests: { cpu } } } : {}) }]
  await bench.client.create(Pod, { metadata: { name: 'effort', namespace }, spec: { containers: containers() } })
  await bench.client.create(Pod, { metadata: { name: 'burst', namespace }, spec: { containers: containers('1') } })
  await bench.settle()
  assert.deepEqual((await bench.client.get(ResourceQuota, at)).status?.used, { pods: '1' })
  await controllers.stop()
  await bench.stop()
})
