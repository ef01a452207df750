import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pod, PodDisruptionBudget, ReplicaSet } from '../client/resources.ts'
import type { V1OwnerReference, V1PodDisruptionBudgetSpec } from '../machinery/schema/generated/types.ts'
import { disruptionController } from './disruption.ts'
import { Bench } from './testing/bench.ts'

const at = { name: 'web', namespace: 'default' }
const containers = [{ name: 'web', image: 'web:1' }]
const labels = { app: 'web' }

async function withBudget(spec: V1PodDisruptionBudgetSpec, work: (bench: Bench) => Promise<void>) {
  const bench = await Bench.start()
  const controllers = bench.run(disruptionController())
  await bench.client.create(PodDisruptionBudget, { metadata: at, spec: { selector: { matchLabels: labels }, ...spec } })
  try {
    await work(bench)
  } finally {
    await controllers.stop()
    await bench.stop()
  }
}

async function ownedBy(bench: Bench, count: number, owner?: Omit<V1OwnerReference, 'controller'>): Promise<void> {
  const ownerReferences = owner ? [{ ...owner, controller: true }] : []
  for (let i = 0; i < count; i++) {
    const pod = await bench.client.create(Pod, { metadata: { generateName: 'web-', namespace: 'default', labels, ownerReferences }, spec: { containers } })
    await bench.makeReady([pod])
  }
  await bench.settle()
}

async function replicaSet(bench: Bench, replicas: number) {
  const template = { metadata: { labels }, spec: { containers } }
  const { metadata } = await bench.client.create(ReplicaSet, { metadata: at, spec: { replicas, selector: { matchLabels: labels }, template } })
  return { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: metadata.name, uid: metadata.uid }
}

const told = async (bench: Bench) => {
  const { status } = await bench.client.get(PodDisruptionBudget, at)
  return [status?.disruptionsAllowed, status?.currentHealthy, status?.desiredHealthy, status?.expectedPods]
}

test('as many may go as are healthy above what must be', () =>
  withBudget({ minAvailable: '50%' }, async (bench) => {
    await ownedBy(bench, 4, await replicaSet(bench, 5))
    assert.deepEqual(await told(bench), [1, 4, 3, 5])
  }))

test('a budget over nothing says so', () =>
  withBudget({ maxUnavailable: 1 }, async (bench) => {
    await bench.settle()
    assert.deepEqual(await told(bench), [0, 0, 0, 0])
    assert.ok((await bench.events()).some((event) => event.startsWith('Normal NoPods No matching pods found')))
  }))

test('pods that nobody controls are left out where the number of pods must be known, and told of', () =>
  withBudget({ maxUnavailable: 1 }, async (bench) => {
    await ownedBy(bench, 3, await replicaSet(bench, 3))
    await ownedBy(bench, 1)
    assert.deepEqual(await told(bench), [2, 4, 2, 3])
    assert.ok(
      (await bench.events()).some((event) => event.startsWith('Warning UnmanagedPods Pods selected by this PodDisruptionBudget (selector: &LabelSelector{')),
    )
  }))

test('the size of a custom resource is read from its scale', () =>
  withBudget({ maxUnavailable: 1 }, async (bench) => {
    const uid = 'a-rollout'
    const resources = [{ resource: 'rollouts', responseKind: { kind: 'Rollout' }, scope: 'Namespaced', verbs: ['get'] }]
    const groups = { kind: 'APIGroupDiscoveryList', items: [{ metadata: { name: 'example.com' }, versions: [{ version: 'v1', resources }] }] }
    const answers = new Map<string, object>([
      ['/apis', groups],
      [
        '/apis/example.com/v1/namespaces/default/rollouts/web/scale',
        { kind: 'Scale', apiVersion: 'autoscaling/v1', metadata: { ...at, uid }, spec: { replicas: 3 } },
      ],
    ])
    bench.transport.intercept = ({ path }) => {
      const object = answers.get(path)
      return object && { status: 200, headers: {}, object }
    }
    await ownedBy(bench, 3, { apiVersion: 'example.com/v1', kind: 'Rollout', name: 'web', uid })
    assert.deepEqual(await told(bench), [1, 3, 2, 3])
  }))

test('where nobody says how many pods there should be, none may go, and the reason is told', () =>
  withBudget({ maxUnavailable: 1 }, async (bench) => {
    await ownedBy(bench, 1, { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'web', uid: 'a-daemon-set' })
    assert.deepEqual(await told(bench), [0, 1, 0, 0])
    const { status } = await bench.client.get(PodDisruptionBudget, at)
    assert.deepEqual(
      [status?.conditions?.[0]?.reason, status?.conditions?.[0]?.message],
      ['SyncFailed', 'daemonsets.apps does not implement the scale subresource'],
    )
  }))
