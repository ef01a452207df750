/** NodePools through what befalls them: deleted, changed, and with the server killed in the middle. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { serverProcess } from '../../src/cluster/stop.ts'
import { parseStrictly } from '../../src/machinery/metrics/testing/strict-parser.ts'
import { quantity, toNumber } from '../../src/machinery/quantity.ts'
import { busybox, eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { deploymentFor, nodePool } from '../tools/node-pools.ts'

const run = promisify(execFile)
const sleeping = { image: busybox, command: ['sleep', '1000'] }

describe('the life of node pools', () => {
  let cluster: TestCluster
  const nodes = async (of: string) => (await cluster.kubectl(`get nodes -l skiff.dev/node-pool=${of} -o name`)).split('\n').filter((line) => line !== '')
  const condition = async (pool: string, type: string, field = 'reason') =>
    cluster.kubectl(`get nodepool ${pool} -o jsonpath={.status.conditions[?(@.type=="${type}")].${field}}`)
  const isGone = async (pool: string) => (await cluster.kubectl.run(['get', 'nodepool', pool])).code !== 0
  const apply = (object: string) => cluster.kubectl('apply -f -', { stdin: object })
  /** As it crashes; the loop around it starts another. */
  const killServer = async () => {
    const pid = serverProcess(cluster.running()?.pid ?? 0)
    assert.ok(pid)
    process.kill(pid, 'SIGKILL')
    await eventually('another server runs', async () => serverProcess(cluster.running()?.pid ?? 0) !== pid)
    await eventually('it answers', async () => (await cluster.kubectl.run(['get', 'nodepools'])).code === 0)
  }
  const localNodes = () => readdirSync(join(cluster.dataDir, 'nodes'))

  before(async () => {
    cluster = await startTestCluster({ words: ['--cluster-autoscaler', 'balance-similar-node-groups=true'] })
    await eventually('the namespace is ready', () => cluster.kubectl('get serviceaccount default'))
    await eventually('NodePools are served', async () => (await cluster.kubectl.run(['get', 'nodepools'])).code === 0)
  })
  after(() => cluster?.remove())

  it('a deleted pool waits for a budget, says so, and goes with its nodes when the budget is gone', async () => {
    const { kubectl } = cluster
    await apply(nodePool('guarded', { minSize: 2 }))
    await eventually('there are two nodes', async () => (await nodes('guarded')).length === 2)
    await apply(deploymentFor('guarded', 'kept', 1))
    await kubectl('rollout status deployment/kept --timeout=30s')
    await kubectl('create poddisruptionbudget kept --selector=app=kept --min-available=1')
    await eventually('the budget is counted', async () => (await kubectl('get pdb kept -o jsonpath={.status.currentHealthy}')) === '1')
    await kubectl('delete nodepool guarded --wait=false')
    await eventually('the empty node is gone', async () => (await nodes('guarded')).length === 1)
    await eventually('it waits', async () => (await condition('guarded', 'Deleting')) === 'WaitingForBudgets')
    assert.match(
      await condition('guarded', 'Deleting', 'message'),
      /waits for default\/kept-\S+ \(PodDisruptionBudget kept allows no disruption\); after \d{4}-/,
    )
    await killServer()
    await eventually('it still waits', async () => (await condition('guarded', 'Deleting')) === 'WaitingForBudgets')
    assert.equal((await nodes('guarded')).length, 1)
    await kubectl('delete poddisruptionbudget kept')
    await eventually('it is gone', () => isGone('guarded'), 20)
    assert.deepEqual(await nodes('guarded'), [])
    await kubectl('delete deployment kept')
  })

  it('a server that is killed in the middle of a scale-up neither forgets nor doubles nodes', async () => {
    const { kubectl } = cluster
    await apply(nodePool('slow', { simulated: { startSeconds: 4 } }))
    await apply(deploymentFor('slow', 'many', 5))
    await eventually('nodes are on their way', async () => (await condition('slow', 'ScalingUp')) === 'NodesComing')
    await killServer()
    await kubectl('rollout status deployment/many --timeout=60s')
    assert.equal((await nodes('slow')).length, 3)
    await kubectl('delete deployment many')
    await eventually('nodes begin to go', async () => (await nodes('slow')).length < 3)
    await killServer()
    await eventually('all are gone', async () => (await nodes('slow')).length === 0)
    await kubectl('delete nodepool slow --timeout=20s')
  })

  it('real nodes are decided upon as they will be, and go with their pool, also when the server is killed meanwhile', async () => {
    const { kubectl } = cluster
    const capacity = { cpu: '1', memory: '512Mi' }
    await apply(nodePool('real', { kind: 'Local', maxSize: 2, template: { capacity, labels: { for: 'real' } } }))
    // What the kubelet keeps back is missing: no node would help.
    await apply(deploymentFor('real', 'large', 1, { ...sleeping, requests: { memory: '450Mi' } }))
    await eventually('it is told why', async () =>
      /pod didn't trigger scale-up: .*Insufficient memory/.test(await kubectl('get events --field-selector reason=NotTriggerScaleUp')),
    )
    assert.deepEqual(localNodes(), [])
    await kubectl('delete deployment large')
    await apply(deploymentFor('real', 'fits', 2, { ...sleeping, requests: { memory: '400Mi', 'ephemeral-storage': '1Mi' } }))
    await eventually('a node is being made', async () => localNodes().length > 0)
    await killServer()
    await kubectl('rollout status deployment/fits --timeout=90s')
    assert.deepEqual([localNodes().length, (await nodes('real')).length], [2, 2])
    const [name = ''] = await nodes('real')
    const memory = async (of: string) => toNumber(quantity(await kubectl(`get ${name} -o jsonpath={.status.${of}.memory}`)))
    assert.equal((await memory('capacity')) - (await memory('allocatable')), 100 * 2 ** 20)
    await kubectl('delete nodepool real --wait=false')
    await eventually(
      'a node is being removed',
      async () => localNodes().length < 2 || (await kubectl(`get ${name} -o jsonpath={.spec.unschedulable}`)) === 'true',
    )
    await killServer()
    await eventually('the pool is gone', () => isGone('real'), 60)
    assert.deepEqual([await nodes('real'), localNodes()], [[], []])
    await kubectl('delete deployment fits')
  })

  it('follows its sizes and leaves nodes as they are when its template changes', async () => {
    const { kubectl } = cluster
    const patch = (spec: object) => kubectl(`patch nodepool changing --type=merge -p '${JSON.stringify({ spec })}'`)
    const labels = async () => (await kubectl('get nodes -l for=changing -o jsonpath={.items[*].metadata.labels.version}')).trim()
    await apply(nodePool('changing', { minSize: 2, template: { capacity: { cpu: 2, memory: '4Gi' }, labels: { for: 'changing', version: 'one' } } }))
    await eventually('there are two', async () => (await nodes('changing')).length === 2)
    await patch({ minSize: 3, template: { labels: { version: 'two' } } })
    await eventually('there is a third', async () => (await labels()).split(' ').sort().join() === 'one,one,two')
    await apply(deploymentFor('changing', 'busy', 6))
    await kubectl('rollout status deployment/busy --timeout=30s')
    await patch({ minSize: 0, maxSize: 1 })
    await eventually('it is said', async () => (await condition('changing', 'ScalingLimited')) === 'AboveMaxSize')
    assert.equal((await nodes('changing')).length, 3)
    await kubectl('delete deployment busy')
    await eventually('those that nobody needs go', async () => (await nodes('changing')).length === 0)
    await kubectl('delete nodepool changing --timeout=20s')
  })

  it('pools that are alike grow in turn, where the cluster was told so', async () => {
    const { kubectl } = cluster
    for (const zone of ['a', 'b'])
      await apply(
        nodePool(`zone-${zone}`, { template: { capacity: { cpu: 2, memory: '4Gi' }, labels: { for: 'zoned', 'topology.kubernetes.io/zone': zone } } }),
      )
    await apply(deploymentFor('zoned', 'wide', 4, { requests: { cpu: '1500m' } }))
    await kubectl('rollout status deployment/wide --timeout=30s')
    assert.deepEqual([(await nodes('zone-a')).length, (await nodes('zone-b')).length], [2, 2])
    await kubectl('delete deployment wide')
    await kubectl('delete nodepool zone-a zone-b --timeout=30s')
  })

  it('is counted, under the names of upstream', async () => {
    const pid = cluster.running()?.pid
    const page = async (path: string) => (await run('nsenter', ['-t', String(pid), '-n', 'curl', '-sS', '-m', '5', `http://10.89.0.1:8085${path}`])).stdout
    await apply(nodePool('counted', { minSize: 1 }))
    await eventually('there is a node', async () => (await nodes('counted')).length === 1)
    const value = async (name: string, labels: Record<string, string> = {}) => {
      const samples = parseStrictly(await page('/metrics')).get(`cluster_autoscaler_${name}`)?.samples ?? []
      return samples.find((sample) => Object.entries(labels).every(([key, text]) => sample.labels[key] === text))?.value
    }
    await eventually('nodes are counted', async () => (await value('nodes_count', { state: 'ready' })) === 2)
    assert.equal(await value('node_groups_count', { node_group_type: 'autoscaled' }), 1)
    assert.equal(await value('cluster_safe_to_autoscale'), 1)
    assert.ok(((await value('last_activity', { activity: 'main' })) ?? 0) > 1.7e9)
    assert.equal(await page('/health-check'), 'OK')
    await cluster.kubectl('delete nodepool counted --timeout=20s')
  })
})
