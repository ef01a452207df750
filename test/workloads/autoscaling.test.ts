/** Metrics and the autoscaler as a user meets them: `kubectl top`, `kubectl autoscale`, up under load and down after it. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { busybox, eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'

const burner = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'burner' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'burner' } },
    template: {
      metadata: { labels: { app: 'burner' } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'main',
            image: busybox,
            // Burns while the file is there.
            command: ['sh', '-c', 'touch /tmp/burn; while :; do [ -e /tmp/burn ] || sleep 1; done'],
            resources: { requests: { cpu: '50m' }, limits: { cpu: '100m' } },
          },
        ],
      },
    },
  },
}

describe('metrics and autoscaling', () => {
  let cluster: TestCluster
  before(async () => {
    cluster = await startTestCluster()
  })
  after(() => cluster.remove())

  const kubectl = async (words: string[], options?: { stdin?: string }): Promise<string> => {
    const { code, stdout, stderr } = await cluster.kubectl.run(words, options)
    assert.equal(code, 0, stderr)
    return stdout
  }
  const get = async (path: string) => JSON.parse(await kubectl(['get', '--raw', path]))

  it('serves metrics.k8s.io through an APIService, and scales by what it tells', { timeout: 150_000 }, async () => {
    await kubectl(['apply', '-f', '-'], { stdin: JSON.stringify(burner) })
    await kubectl(['autoscale', 'deployment', 'burner', '--cpu-percent=80', '--min=1', '--max=2'])
    const behavior = { scaleDown: { stabilizationWindowSeconds: 0 } }
    await kubectl(['patch', 'hpa', 'burner', '--type=merge', '-p', JSON.stringify({ spec: { behavior } })])
    await eventually('the APIService is available', async () => (await kubectl(['get', 'apiservice', 'v1beta1.metrics.k8s.io'])).includes('True'))

    const top = await eventually(
      'the pod is measured',
      async () => /burner-\S+\s+main\s+(\d+)m/.exec(await kubectl(['top', 'pod', '--containers'])) ?? undefined,
    )
    assert.ok(Number(top[1]) > 60 && Number(top[1]) <= 115, `it burns ${top[1]}m of its limit of 100m`)
    const list = await get('/apis/metrics.k8s.io/v1beta1/namespaces/default/pods?labelSelector=app%3Dburner')
    assert.deepEqual([list.kind, list.items.length, list.items[0].metadata.labels.app], ['PodMetricsList', 1, 'burner'])
    assert.equal((await get('/apis/metrics.k8s.io/v1beta1/namespaces/default/pods?labelSelector=app%3Dnone')).items.length, 0)
    assert.match(await kubectl(['get', 'podmetrics']), /^NAME\s+CPU\s+MEMORY\s+WINDOW/)
    await eventually('the node is measured', async () => /^node-1\s+\d+m\s+\d+%/m.test(await kubectl(['top', 'node'])))

    const replicas = async () => Number(await kubectl(['get', 'deployment', 'burner', '-o', 'jsonpath={.spec.replicas}']))
    await eventually('it has grown', async () => (await replicas()) === 2, 60)
    assert.match(
      await kubectl(['describe', 'hpa', 'burner']),
      /SuccessfulRescale .*New size: 2; reason: cpu resource utilization \(percentage of request\) above target/,
    )
    for (const pod of (await kubectl(['get', 'pod', '-o', 'name'])).trim().split('\n'))
      await eventually('it is told to rest', async () => (await kubectl(['exec', pod, '--', 'rm', '-f', '/tmp/burn'])) !== undefined)
    await eventually('it has shrunk', async () => (await replicas()) === 1, 80)
  })
})
