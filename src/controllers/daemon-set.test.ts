import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ControllerRevision, DaemonSet, Node, Pod } from '../client/resources.ts'
import type { V1Pod } from '../machinery/schema/generated/types.ts'
import { daemonSetController } from './daemon-set.ts'
import { Bench } from './testing/bench.ts'

const labels = { app: 'agent' }
const at = { name: 'agent', namespace: 'default' }
const template = (image: string) => ({ metadata: { labels }, spec: { nodeSelector: { disk: 'yes' }, containers: [{ name: 'agent', image }] } })

/** New nodes are tainted as not ready: here they are. */
async function node(bench: Bench, name: string, more: Record<string, string> = { disk: 'yes' }) {
  await bench.client.create(Node, { metadata: { name, labels: more }, spec: {} })
  await bench.client.patch(Node, { name }, 'merge', { spec: { taints: null } })
}

async function where(bench: Bench) {
  const fields = (await bench.pods()).map(({ spec }) => {
    const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
    return `${terms?.[0]?.matchFields?.[0]?.values?.[0]} ${spec.containers[0]?.image}`
  })
  return fields.sort()
}

test('one pod on each node that it is for, as nodes come and change', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(daemonSetController())
  await node(bench, 'a')
  await node(bench, 'b')
  await node(bench, 'c', {})
  await bench.client.create(DaemonSet, { metadata: at, spec: { selector: { matchLabels: labels }, template: template('agent:1') } })
  await bench.settle(1000)
  assert.deepEqual(await where(bench), ['a agent:1', 'b agent:1'])
  await bench.client.patch(Node, { name: 'c' }, 'merge', { metadata: { labels: { disk: 'yes' } } })
  await bench.client.patch(Node, { name: 'a' }, 'merge', { metadata: { labels: { disk: 'no' } } })
  await bench.settle(1000)
  assert.deepEqual(await where(bench), ['b agent:1', 'c agent:1'])
  await bench.makeReady(await bench.pods())
  await bench.settle(1000)
  const { status } = await bench.client.get(DaemonSet, at)
  assert.equal(status?.desiredNumberScheduled, 2)
  assert.equal(status?.numberReady, 2)
  assert.equal(status?.numberUnavailable, undefined)
  await controllers.stop()
  await bench.stop()
})

test('an update takes one node after the other', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(daemonSetController())
  for (const name of ['a', 'b', 'c']) await node(bench, name)
  await bench.client.create(DaemonSet, { metadata: at, spec: { selector: { matchLabels: labels }, template: template('agent:1') } })
  await bench.settle(1000)
  await bench.makeReady(await bench.pods())
  await bench.settle(1000)
  const current = await bench.client.get(DaemonSet, at)
  await bench.client.update(DaemonSet, { ...current, spec: { ...current.spec, template: template('agent:2') } })
  for (let done = 1; done <= 3; done++) {
    await bench.settle(1000)
    const updated = (await where(bench)).filter((pod) => pod.endsWith('agent:2'))
    assert.equal(updated.length, done)
    await bench.makeReady(await bench.pods())
  }
  await controllers.stop()
  await bench.stop()
})

test('maxSurge: the new pod of a node serves before the old one goes', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(daemonSetController())
  for (const name of ['a', 'b', 'c']) await node(bench, name)
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
  await bench.client.create(DaemonSet, { metadata: at, spec: { selector: { matchLabels: labels }, template: template('agent:1'), updateStrategy } })
  await bench.settle(1000)
  await bench.makeReady(await bench.pods())
  await bench.settle(1000)
  const current = await bench.client.get(DaemonSet, at)
  await bench.client.update(DaemonSet, { ...current, spec: { ...current.spec, template: template('agent:2') } })
  await bench.settle(1000)
  assert.equal((await bench.pods()).length, 4)
  await bench.settle(60_000)
  assert.equal((await where(bench)).filter((pod) => pod.endsWith('agent:1')).length, 3)
  for (let round = 0; round < 4; round++) {
    await bench.makeReady(await bench.pods())
    await bench.settle(1000)
    const serving = (await bench.pods()).filter(({ status }) => status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True'))
    assert.ok(serving.length >= 3)
  }
  assert.deepEqual(await where(bench), ['a agent:2', 'b agent:2', 'c agent:2'])
  await controllers.stop()
  await bench.stop()
})

test('a revision bears the hash of its pods and the cause of the change; one that pods run by is kept beyond the limit', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(daemonSetController())
  for (const name of ['a', 'b']) await node(bench, name)
  const metadata = { ...at, annotations: { 'kubernetes.io/change-cause': 'first' } }
  const spec = { selector: { matchLabels: labels }, template: template('agent:1'), revisionHistoryLimit: 0 }
  const set = await bench.client.create(DaemonSet, { metadata, spec })
  await bench.settle(1000)
  await bench.makeReady(await bench.pods())
  const [first] = (await bench.client.list(ControllerRevision)).items
  assert.equal(first?.metadata.annotations?.['kubernetes.io/change-cause'], 'first')
  const hash = first?.metadata.labels?.['controller-revision-hash']
  for (const pod of await bench.pods()) assert.equal(pod.metadata.labels?.['controller-revision-hash'], hash ?? 'none')
  const revisions = async () => (await bench.client.list(ControllerRevision)).items.map(({ revision }) => revision)
  await bench.client.patch(DaemonSet, at, 'merge', { spec: { ...set.spec, template: template('agent:2') } })
  await bench.settle(1000)
  assert.deepEqual((await revisions()).sort(), [1, 2])
  for (let round = 0; round < 3; round++) {
    await bench.makeReady(await bench.pods())
    await bench.settle(1000)
  }
  assert.deepEqual(await revisions(), [2])
  await controllers.stop()
  await bench.stop()
})

test('a pod that failed stays the longer the more have failed on its node; one that succeeded goes at once', async () => {
  const bench = await Bench.start()
  const controllers = bench.run(daemonSetController())
  for (const name of ['a', 'b']) await node(bench, name)
  await bench.client.create(DaemonSet, { metadata: at, spec: { selector: { matchLabels: labels }, template: template('agent:1') } })
  await bench.settle(1000)
  const placed = async (name: string) =>
    (await bench.pods()).filter(
      ({ spec }) => spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms[0]?.matchFields?.[0]?.values?.[0] === name,
    )
  const end = async (pod: V1Pod, phase: string) => bench.client.updateStatus(Pod, { ...pod, status: { phase } })
  /** The only pod of node a is told to have failed; how long until another is there. */
  const failsFor = async () => {
    const [pod] = await placed('a')
    assert.ok(pod)
    await end(pod, 'Failed')
    for (let waited = 0; ; waited += 500) {
      const [other] = await placed('a')
      if (other && other.metadata.uid !== pod.metadata.uid) return waited
      assert.ok(waited < 60_000)
      await bench.settle(500)
    }
  }
  const waits: number[] = []
  for (let failures = 0; failures < 5; failures++) waits.push(await failsFor())
  const [first = 0, ...later] = waits
  assert.ok(first <= 500, `${first}`)
  for (const [index, wait] of later.entries()) assert.ok(wait > 400 * 2 ** index && wait <= 1000 * 2 ** index + 500, waits.join())
  const [other] = await placed('b')
  assert.ok(other)
  for (const phase of ['Failed', 'Succeeded']) {
    const [pod] = await placed('b')
    assert.ok(pod)
    await end(pod, phase)
    await bench.settle(500)
    assert.notEqual((await placed('b'))[0]?.metadata.uid, pod.metadata.uid, 'the other node knows nothing of it')
  }
  const told = (await bench.events()).filter((line) => /(Failed|Succeeded)DaemonPod/.test(line))
  assert.ok(
    told.some((line) => /Warning FailedDaemonPod Found failed daemon pod default\/agent-\w+ on node a, will try to kill it/.test(line)),
    told.join('\n'),
  )
  assert.ok(
    told.some((line) => /Normal SucceededDaemonPod Found succeeded daemon pod default\/agent-\w+ on node b, will try to delete it/.test(line)),
    told.join('\n'),
  )
  await controllers.stop()
  await bench.stop()
})
