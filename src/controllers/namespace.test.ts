import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigMap, Deployment, Namespace, Pod, Secret, ServiceAccount } from '../client/resources.ts'
import { deploymentController } from './deployment.ts'
import { startGarbageCollector } from './garbage-collector.ts'
import { namespaceController } from './namespace.ts'
import { namespaceConditions } from './namespace-conditions.ts'
import { replicaSetController } from './replica-set.ts'
import { rootCaPublisher } from './root-ca-publisher.ts'
import { serviceAccountController } from './service-account.ts'
import { Bench } from './testing/bench.ts'

const labels = { app: 'web' }
const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } }

test('each namespace gets a service account and the CA, again when they are deleted or changed', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(serviceAccountController, rootCaPublisher('PEM'))
  await bench.client.create(Namespace, { metadata: { name: 'web' }, spec: {} })
  await bench.settle()
  const account = { namespace: 'web', name: 'default' }
  const ca = { namespace: 'web', name: 'kube-root-ca.crt' }
  assert.ok(await bench.client.find(ServiceAccount, account))
  assert.deepEqual((await bench.client.get(ConfigMap, ca)).data, { 'ca.crt': 'PEM' })
  await bench.client.delete(ServiceAccount, account)
  await bench.client.patch(ConfigMap, ca, 'merge', { data: { 'ca.crt': 'other' } })
  await bench.settle()
  assert.ok(await bench.client.find(ServiceAccount, account))
  assert.deepEqual((await bench.client.get(ConfigMap, ca)).data, { 'ca.crt': 'PEM' })
  await controllers.stop()
  await bench.stop()
})

test('a namespace that is deleted goes with all that is in it', async () => {
  const bench = await Bench.start()
  const controllers = [
    bench.run(namespaceController, serviceAccountController, rootCaPublisher('PEM'), deploymentController, replicaSetController),
    bench.runWith(startGarbageCollector),
  ]
  await bench.client.create(Namespace, { metadata: { name: 'web' }, spec: {} })
  await bench.settle()
  await bench.client.create(Deployment, { metadata: { name: 'web', namespace: 'web' }, spec: { replicas: 3, selector: { matchLabels: labels }, template } })
  await bench.client.create(Secret, { metadata: { name: 's', namespace: 'web' } })
  await bench.settle()
  assert.equal((await bench.pods('web')).length, 3)
  await bench.client.delete(Namespace, { name: 'web' })
  await bench.settle(10_000)
  assert.equal(await bench.client.find(Namespace, { name: 'web' }), undefined)
  assert.equal((await bench.client.list(Secret)).items.length, 0)
  assert.equal((await bench.client.list(Deployment)).items.length, 0)
  // Others are left alone.
  assert.ok(await bench.client.find(Namespace, { name: 'default' }))
  await Promise.all(controllers.map((one) => one.stop()))
  await bench.stop()
})

test('what holds it is said on its conditions; pods end before the rest goes', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(namespaceController)
  await bench.client.create(Namespace, { metadata: { name: 'web' }, spec: {} })
  await bench.client.create(ServiceAccount, { metadata: { name: 'default', namespace: 'web' } })
  await bench.client.create(ConfigMap, { metadata: { name: 'c', namespace: 'web' } })
  await bench.client.create(Pod, { metadata: { name: 'p', namespace: 'web', finalizers: ['test/slow'] }, spec: template.spec })
  await bench.client.delete(Namespace, { name: 'web' })
  await bench.settle(3000)
  const { status } = await bench.client.get(Namespace, { name: 'web' })
  assert.equal(status?.phase, 'Terminating')
  const said = Object.fromEntries((status?.conditions ?? []).map(({ type, status: holds, message }) => [type, `${holds} ${message}`]))
  assert.equal(said.NamespaceContentRemaining, 'True Some resources are remaining: pods. has 1 resource instances')
  assert.equal(said.NamespaceFinalizersRemaining, 'True Some content in the namespace has finalizers remaining: test/slow in 1 resource instances')
  assert.ok(await bench.client.find(ConfigMap, { namespace: 'web', name: 'c' }))
  await bench.client.patch(Pod, { namespace: 'web', name: 'p' }, 'merge', { metadata: { finalizers: null } })
  await bench.settle(10_000)
  assert.equal(await bench.client.find(Namespace, { name: 'web' }), undefined)
  await controllers.stop()
  await bench.stop()
})

test('groups that cannot be discovered are named as clients look for them', () => {
  const remains = {
    failed: ['metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1'],
    errors: [],
    waitMs: 0,
    counts: new Map(),
    finalizers: new Map(),
  }
  const failure = namespaceConditions([], remains, 0).find(({ type }) => type === 'NamespaceDeletionDiscoveryFailure')
  assert.equal(
    failure?.message,
    'Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1',
  )
})
