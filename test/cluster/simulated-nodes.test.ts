/** Fifty nodes that only pretend, in one cluster with a real one: spread over, measured, and one of them dies. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { killServer } from '../tools/cluster-processes.ts'

const nodes = 50
const replicas = 200

const deployment = JSON.stringify({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' }, annotations: { 'life.simulated.skiff.dev/main': '{"usage":{"milliCores":250,"memoryBytes":67108864}}' } },
      spec: {
        nodeSelector: { 'skiff.dev/simulated': 'true' },
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels: { app: 'web' } } },
        ],
        tolerations: ['not-ready', 'unreachable'].map((state) => ({
          key: `node.kubernetes.io/${state}`,
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: 1,
        })),
        containers: [{ name: 'main', image: 'registry.invalid/web:1', resources: { requests: { cpu: '100m' } } }],
      },
    },
  },
})

describe('simulated nodes', () => {
  let cluster: TestCluster
  before(async () => {
    cluster = await startTestCluster({
      busybox: false,
      words: ['--simulated-nodes', String(nodes), '--simulated-node', 'cpu=4,memory=8Gi,pods=20', '--node-monitor-grace', '10'],
    })
  })
  after(() => cluster?.remove())

  /** How many pods that are ready each node has. */
  async function readyByNode(): Promise<Map<string, number>> {
    const path = '{range .items[*]}{.spec.nodeName} {.status.conditions[?(@.type=="Ready")].status} {.metadata.deletionTimestamp}{"\\n"}{end}'
    const { stdout } = await cluster.kubectl.run(['get', 'pods', '-l', 'app=web', '-o', `jsonpath=${path}`])
    const counts = new Map<string, number>()
    for (const line of stdout.split('\n')) {
      const [node = '', ready, deleted] = line.split(' ')
      if (ready === 'True' && !deleted) counts.set(node, (counts.get(node) ?? 0) + 1)
    }
    return counts
  }
  const sum = (counts: Map<string, number>) => [...counts.values()].reduce((total, count) => total + count, 0)

  it('are ready beside the real node when the cluster is, with what they were given', async () => {
    const { kubectl } = cluster
    const names = (await kubectl('get nodes -l skiff.dev/simulated=true -o name')).trim().split('\n')
    assert.equal(names.length, nodes)
    await kubectl('wait --for=condition=Ready nodes --all --timeout=10s')
    assert.equal(
      await kubectl('get node simulated-7 -o jsonpath={.status.allocatable.cpu},{.status.allocatable.memory},{.status.allocatable.pods}'),
      '4,8Gi,20',
    )
    // Who is waited for less long tells more often that it lives, the real node too.
    for (const name of ['node-1', 'simulated-7'])
      assert.equal(await kubectl(`get lease ${name} -n kube-node-lease -o jsonpath={.spec.leaseDurationSeconds}`), '8')
    const blocks = (await kubectl('get nodes -o jsonpath={.items[*].spec.podCIDR}')).split(' ')
    assert.equal(new Set(blocks).size, nodes + 1, 'no block of pods is given out twice')
  })

  it('answer for logs, refuse commands in a word, and go on when the server is killed', async () => {
    const { kubectl } = cluster
    await eventually('the namespace is ready', () => kubectl('get serviceaccount default'))
    const life = '{"output":[{"line":"one"},{"line":"two"}]}'
    const pod = (name: string, annotations: object) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, annotations },
      spec: { nodeSelector: { 'skiff.dev/simulated': 'true' }, containers: [{ name: 'main', image: 'registry.invalid/web:1' }] },
    })
    const items = [pod('talks', { 'life.simulated.skiff.dev/main': life }), pod('silent', {})]
    await kubectl('apply -f -', { stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) })
    await kubectl('wait --for=condition=Ready pod/talks pod/silent --timeout=20s')
    assert.deepEqual([await kubectl('logs talks'), await kubectl('logs talks --tail=1'), await kubectl('logs silent')], ['one\ntwo\n', 'two\n', ''])
    const refused = await cluster.kubectl.run(['exec', 'talks', '--', 'ls'])
    assert.deepEqual(
      [refused.code, refused.stderr.trim()],
      [1, 'error: Internal error occurred: the container is simulated: there is no process in it, and none can be run'],
    )

    const state = () =>
      kubectl(
        'get pods -o jsonpath={range.items[*]}{.metadata.name}{.status.podIP}{.status.containerStatuses[0].containerID}{.status.containerStatuses[0].restartCount}{.status.containerStatuses[0].state.running.startedAt}{end}',
      )
    const before = await state()
    await killServer(cluster)
    await eventually('the kubelets answer again', async () => (await kubectl('logs talks')) === 'one\ntwo\n')
    await kubectl('wait --for=condition=Ready nodes --all --timeout=20s', { timeoutMs: 25_000 })
    assert.equal(await state(), before)
    await kubectl('delete pod talks silent --grace-period=1')
  })

  it('run a Deployment spread over all of them; what a dead one had runs elsewhere; it comes back empty', async () => {
    const { kubectl } = cluster
    await eventually('the namespace is ready', () => kubectl('get serviceaccount default'))
    await kubectl('apply -f -', { stdin: deployment })
    await kubectl('rollout status deployment/web --timeout=30s', { timeoutMs: 40_000 })
    const spread = await readyByNode()
    assert.equal(spread.size, nodes)
    assert.ok(
      [...spread.values()].every((count) => count <= (2 * replicas) / nodes),
      `spread evenly: ${JSON.stringify([...spread])}`,
    )

    await kubectl('annotate node simulated-3 simulated.skiff.dev/stopped=true')
    // Usage needs two looks of the metrics server, which come while the dead node is given its time.
    const top = await eventually(
      'usage is known',
      async () => (await kubectl('top pods -l app=web --no-headers')).trim().split('\n').length >= replicas - 10,
      45,
    ).then(() => kubectl('top pods -l app=web --no-headers'))
    assert.match(top, /^web-\S+ +250m +64Mi/m)
    assert.match(await kubectl('top node simulated-4 --no-headers'), /^simulated-4 +\d+m +\d+% +\d+Mi/m)

    await eventually('the node is not ready', async () => (await kubectl('get node simulated-3 --no-headers')).includes('NotReady'), 25)
    await eventually(
      'its pods run elsewhere',
      async () => {
        const ready = await readyByNode()
        return !ready.has('simulated-3') && sum(ready) === replicas
      },
      30,
    )
    await kubectl('annotate node simulated-3 simulated.skiff.dev/stopped-')
    await kubectl('wait --for=condition=Ready node/simulated-3 --timeout=20s', { timeoutMs: 25_000 })
    await eventually('nothing of it is left', async () => (await kubectl('get pods --field-selector spec.nodeName=simulated-3 --no-headers')) === '', 20)
  })
})
