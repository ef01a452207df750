import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deployment, Pod, ReplicaSet } from '../client/resources.ts'
import type { V1Deployment, V1DeploymentSpec } from '../machinery/schema/generated/types.ts'
import { deploymentController } from './deployment.ts'
import { replicaSetController } from './replica-set.ts'
import { Bench } from './testing/bench.ts'

const labels = { app: 'web' }
const at = { namespace: 'default', name: 'web' }
const template = (image: string) => ({ metadata: { labels }, spec: { containers: [{ name: 'web', image }] } })
const deployment = (spec: Partial<V1DeploymentSpec> = {}) => ({
  metadata: at,
  spec: { replicas: 3, selector: { matchLabels: labels }, template: template('web:1'), progressDeadlineSeconds: 600, ...spec },
})

async function change(bench: Bench, spec: Partial<V1DeploymentSpec>): Promise<void> {
  const current = await bench.client.get(Deployment, at)
  await bench.client.update(Deployment, { ...current, spec: { ...current.spec, ...spec } })
}

async function sets(bench: Bench): Promise<[string, number][]> {
  const { items } = await bench.client.list(ReplicaSet, { namespace: 'default' })
  const found = items.map((set): [string, number] => [set.spec.template?.spec?.containers[0]?.image ?? '', set.spec.replicas ?? -1])
  return found.sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Makes pods ready until nothing moves any more. */
async function rollOut(bench: Bench): Promise<void> {
  for (let round = 0; round < 12; round++) {
    await bench.settle(1000)
    await bench.makeReady(await bench.pods())
  }
}

const conditions = ({ status }: V1Deployment) =>
  (status?.conditions ?? []).map((condition) => `${condition.type}=${condition.status} ${condition.reason}`).sort()

test('rolls out the first time', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(deploymentController, replicaSetController)
  await bench.client.create(Deployment, deployment())
  await bench.settle()
  const [set] = (await bench.client.list(ReplicaSet)).items
  assert.ok(set)
  const hash = set.metadata.labels?.['pod-template-hash']
  assert.equal(set.metadata.name, `web-${hash}`)
  assert.equal(set.spec.selector.matchLabels?.['pod-template-hash'], hash)
  assert.equal(set.metadata.annotations?.['deployment.kubernetes.io/revision'], '1')
  assert.equal(set.metadata.annotations?.['deployment.kubernetes.io/max-replicas'], '4')
  assert.ok((await bench.events()).includes(`Normal ScalingReplicaSet Scaled up replica set web-${hash} from 0 to 3`))
  let current = await bench.client.get(Deployment, at)
  assert.deepEqual(conditions(current), ['Available=False MinimumReplicasUnavailable', 'Progressing=True ReplicaSetUpdated'])
  await rollOut(bench)
  current = await bench.client.get(Deployment, at)
  assert.equal(current.metadata.annotations?.['deployment.kubernetes.io/revision'], '1')
  assert.deepEqual(conditions(current), ['Available=True MinimumReplicasAvailable', 'Progressing=True NewReplicaSetAvailable'])
  assert.equal(current.status?.conditions?.find(({ type }) => type === 'Progressing')?.message, `ReplicaSet "web-${hash}" has successfully progressed.`)
  assert.equal(current.status?.availableReplicas, 3)
  assert.equal(current.status?.unavailableReplicas, undefined)
  await controllers.stop()
  await bench.stop()
})

test('a rolling update never has fewer available nor more pods than allowed', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(deploymentController, replicaSetController)
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 2, maxUnavailable: 1 } }
  await bench.client.create(Deployment, deployment({ replicas: 10, strategy }))
  await rollOut(bench)
  await change(bench, { template: template('web:2') })
  for (let round = 0; round < 30; round++) {
    await bench.settle(100)
    const pods = await bench.pods()
    assert.ok(pods.length <= 12, `${pods.length} pods`)
    assert.ok(pods.filter(({ status }) => status?.phase === 'Running').length >= 9)
    const waiting = pods.find(({ status }) => !status?.phase)
    if (waiting) await bench.makeReady([waiting])
  }
  await rollOut(bench)
  assert.deepEqual(await sets(bench), [
    ['web:1', 0],
    ['web:2', 10],
  ])
  const current = await bench.client.get(Deployment, at)
  assert.equal(current.metadata.annotations?.['deployment.kubernetes.io/revision'], '2')
  assert.equal(current.status?.updatedReplicas, 10)
  await controllers.stop()
  await bench.stop()
})

test('Recreate: no new pod before the last old one is gone', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(deploymentController, replicaSetController)
  await bench.client.create(Deployment, deployment({ strategy: { type: 'Recreate' } }))
  await rollOut(bench)
  // A pod that takes its time to end.
  const [slow] = await bench.pods()
  assert.ok(slow)
  await bench.client.patch(Pod, slow.metadata, 'merge', { metadata: { finalizers: ['test/slow'] } })
  await change(bench, { template: template('web:2') })
  await bench.settle(1000)
  assert.equal((await bench.pods()).length, 1)
  assert.deepEqual(await sets(bench), [['web:1', 0]])
  await bench.client.patch(Pod, slow.metadata, 'merge', { metadata: { finalizers: [] } })
  await bench.settle(1000)
  assert.deepEqual(await sets(bench), [
    ['web:1', 0],
    ['web:2', 3],
  ])
  await controllers.stop()
  await bench.stop()
})

test('going back to an earlier template takes its ReplicaSet again, at a new revision', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(deploymentController, replicaSetController)
  await bench.client.create(Deployment, deployment())
  await rollOut(bench)
  await change(bench, { template: template('web:2') })
  await rollOut(bench)
  await change(bench, { template: template('web:1') })
  await rollOut(bench)
  assert.deepEqual(await sets(bench), [
    ['web:1', 3],
    ['web:2', 0],
  ])
  const [set] = (await bench.client.list(ReplicaSet)).items
  assert.equal(set?.metadata.annotations?.['deployment.kubernetes.io/revision'], '3')
  assert.equal(set?.metadata.annotations?.['deployment.kubernetes.io/revision-history'], '1')
  await controllers.stop()
  await bench.stop()
})

test('a ReplicaSet of any revision, up to 64 bits, is counted on from', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(deploymentController, replicaSetController)
  const annotations = { 'deployment.kubernetes.io/revision': '3546343826724305832' }
  const spec = { replicas: 0, selector: { matchLabels: labels }, template: template('web:0') }
  await bench.client.create(ReplicaSet, { metadata: { name: 'before', namespace: 'default', labels, annotations }, spec })
  await bench.client.create(Deployment, deployment())
  await rollOut(bench)
  const { metadata } = await bench.client.get(Deployment, at)
  assert.equal(metadata.annotations?.['deployment.kubernetes.io/revision'], '3546343826724305833')
  await controllers.stop()
  await bench.stop()
})

test('paused: changes of the template wait, changes of the size do not', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(deploymentController, replicaSetController)
  await bench.client.create(Deployment, deployment())
  await rollOut(bench)
  await change(bench, { paused: true, template: template('web:2'), replicas: 5 })
  await rollOut(bench)
  assert.deepEqual(await sets(bench), [['web:1', 5]])
  assert.ok(conditions(await bench.client.get(Deployment, at)).includes('Progressing=Unknown DeploymentPaused'))
  await change(bench, { paused: false })
  await rollOut(bench)
  assert.deepEqual(await sets(bench), [
    ['web:1', 0],
    ['web:2', 5],
  ])
  await controllers.stop()
  await bench.stop()
})

test('no progress until the deadline: the condition says so', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(deploymentController, replicaSetController)
  await bench.client.create(Deployment, deployment({ progressDeadlineSeconds: 60 }))
  await bench.settle(58_000)
  assert.ok(conditions(await bench.client.get(Deployment, at)).includes('Progressing=True ReplicaSetUpdated'))
  await bench.settle(5_000)
  const current = await bench.client.get(Deployment, at)
  assert.ok(conditions(current).includes('Progressing=False ProgressDeadlineExceeded'))
  assert.match(current.status?.conditions?.find(({ type }) => type === 'Progressing')?.message ?? '', /^ReplicaSet "web-.*" has timed out progressing\.$/)
  await rollOut(bench)
  assert.ok(conditions(await bench.client.get(Deployment, at)).includes('Progressing=True NewReplicaSetAvailable'))
  await controllers.stop()
  await bench.stop()
})

test('scaled in the middle of a rollout: each ReplicaSet grows by its share', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(deploymentController, replicaSetController)
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } }
  await bench.client.create(Deployment, deployment({ replicas: 10, strategy }))
  await rollOut(bench)
  // Pods of this image never get ready: the rollout stands at 8 old and 5 new.
  await change(bench, { template: template('web:bad') })
  await bench.settle(1000)
  assert.deepEqual(await sets(bench), [
    ['web:1', 8],
    ['web:bad', 5],
  ])
  await change(bench, { replicas: 15 })
  await bench.settle(1000)
  assert.deepEqual(await sets(bench), [
    ['web:1', 11],
    ['web:bad', 7],
  ])
  await controllers.stop()
  await bench.stop()
})

test('keeps as many old ReplicaSets as it is told', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(deploymentController, replicaSetController)
  await bench.client.create(Deployment, deployment({ revisionHistoryLimit: 1 }))
  for (const image of ['web:2', 'web:3', 'web:4']) {
    await rollOut(bench)
    await change(bench, { template: template(image) })
  }
  await rollOut(bench)
  assert.deepEqual(await sets(bench), [
    ['web:3', 0],
    ['web:4', 3],
  ])
  await controllers.stop()
  await bench.stop()
})

test('two controllers at once do no more than one', async () => {
  const bench = await Bench.start()
  const one = bench.run(deploymentController, replicaSetController)
  const two = bench.run(deploymentController)
  await bench.client.create(Deployment, deployment())
  await rollOut(bench)
  await change(bench, { template: template('web:2') })
  await rollOut(bench)
  assert.deepEqual(await sets(bench), [
    ['web:1', 0],
    ['web:2', 3],
  ])
  await Promise.all([one.stop(), two.stop()])
})
