/** A NodePool as a user meets it: nodes come for a Deployment that does not fit, and go with it. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { deploymentFor, nodePool as pool } from '../tools/node-pools.ts'

describe('node pools', () => {
  let cluster: TestCluster
  const nodes = async (of: string) => (await cluster.kubectl(`get nodes -l skiff.dev/node-pool=${of} -o name`)).split('\n').filter((line) => line !== '')
  before(async () => {
    cluster = await startTestCluster({ busybox: false })
    await eventually('the namespace is ready', () => cluster.kubectl('get serviceaccount default'))
    await eventually('NodePools are served', async () => (await cluster.kubectl.run(['get', 'nodepools'])).code === 0)
  })
  after(() => cluster?.remove())

  it('is a kind like any other', async () => {
    const { kubectl } = cluster
    assert.doesNotMatch(await kubectl('-n kube-system get leases -o name'), /cluster-autoscaler/, 'without a pool nobody stands for election')
    await kubectl('apply -f -', { stdin: pool('plain') })
    await eventually('its status is told', async () => /plain +Simulated +0 +5 +0 +0/.test(await kubectl('get nodepools')))
    assert.match(await kubectl('explain nodepool.spec.template.capacity'), /What a node offers by resource name/)
    assert.match(await kubectl('describe nodepool plain'), /Max Size: +5/)
    const { code, stderr } = await kubectl.run(['apply', '-f', '-'], { stdin: pool('bad', { minSize: 9 }) })
    assert.notEqual(code, 0)
    assert.match(stderr, /minSize must not be greater than maxSize/)
    await kubectl('scale nodepool plain --replicas=1')
    await eventually('there is a node', async () => (await nodes('plain')).length === 1)
    await kubectl('scale nodepool plain --replicas=0')
    await eventually('there is none', async () => (await nodes('plain')).length === 0)
  })

  it('grows for a Deployment that does not fit, and shrinks when that is deleted', async () => {
    const { kubectl } = cluster
    await kubectl('apply -f -', { stdin: pool('workers') })
    await kubectl('apply -f -', { stdin: deploymentFor('workers', 'web', 5) })
    await kubectl('rollout status deployment/web --timeout=30s')
    assert.equal((await nodes('workers')).length, 3)
    assert.match(await kubectl('get events --field-selector reason=TriggeredScaleUp'), /pod triggered scale-up: \[\{workers \d->\d \(max: 5\)\}\]/)
    assert.match(await kubectl('-n kube-system get configmap cluster-autoscaler-status -o jsonpath={.data.status}'), /name: workers/)
    await kubectl('delete deployment web')
    await eventually('all nodes are gone', async () => (await nodes('workers')).length === 0)
    assert.match(await kubectl('describe nodepool workers'), /ScaleDownEmpty/)
  })

  it('says so when the most nodes are there', async () => {
    const { kubectl } = cluster
    await kubectl('apply -f -', { stdin: pool('small', { maxSize: 1 }) })
    await kubectl('apply -f -', { stdin: deploymentFor('small', 'many', 5) })
    await eventually('the limit is told', async () =>
      /pod didn't trigger scale-up: .*1 max node group size reached/.test(await kubectl('get events --field-selector reason=NotTriggerScaleUp')),
    )
    assert.equal((await nodes('small')).length, 1)
    await kubectl('delete deployment many')
  })

  it('keeps a node whose pods a budget protects', async () => {
    const { kubectl } = cluster
    await kubectl('apply -f -', { stdin: pool('guarded', { minSize: 2 }) })
    await eventually('there are two nodes', async () => (await nodes('guarded')).length === 2)
    await kubectl('apply -f -', { stdin: deploymentFor('guarded', 'kept', 1) })
    await kubectl('rollout status deployment/kept --timeout=30s')
    await kubectl('create poddisruptionbudget kept --selector=app=kept --min-available=1')
    const node = await kubectl('get pods -l app=kept -o jsonpath={.items[0].spec.nodeName}')
    await kubectl('scale nodepool guarded --replicas=0')
    await eventually('the empty node is gone', async () => (await nodes('guarded')).length === 1)
    assert.deepEqual(await nodes('guarded'), [`node/${node}`])
    assert.equal(await kubectl('get pods -l app=kept -o jsonpath={.items[0].spec.nodeName}'), node)
  })
})
