/** Metrics and the autoscaler as a user meets them: `kubectl top`, `kubectl autoscale`, up under load and down after it. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { dataDirectory } from '../../src/cluster/data-directory.ts'
import { type ParsedFamily, parseStrictly } from '../../src/machinery/metrics/testing/strict-parser.ts'
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

  it('tells the metrics of every component, in the form and under the names of upstream', { timeout: 60_000 }, async () => {
    const { pid } = cluster.running() ?? {}
    const { pki } = dataDirectory(cluster.dataDir)
    const credentials = ['--cacert', join(pki, 'ca.crt'), '--cert', join(pki, 'clients/admin.crt'), '--key', join(pki, 'clients/admin.key')]
    const within = async (url: string, ...words: string[]) =>
      (await promisify(execFile)('nsenter', ['-t', String(pid), '-n', 'curl', '-sS', '-m', '5', ...words, url])).stdout
    const pages: Record<string, [text: () => Promise<string>, ...names: string[]]> = {
      apiserver: [() => kubectl(['get', '--raw', '/metrics']), 'apiserver_request_total', 'apiserver_watch_events_total', 'etcd_request_duration_seconds'],
      'controller manager': [
        () => within('https://10.89.0.1:10257/metrics', ...credentials),
        'workqueue_depth',
        'leader_election_master_status',
        'rest_client_requests_total',
        'horizontal_pod_autoscaler_controller_reconciliations_total',
      ],
      scheduler: [
        () => within('https://10.89.0.1:10259/metrics', ...credentials),
        'scheduler_pending_pods',
        'scheduler_schedule_attempts_total',
        'scheduler_pod_scheduling_sli_duration_seconds',
      ],
      proxy: [() => within('http://10.89.0.1:10249/metrics'), 'kubeproxy_sync_proxy_rules_duration_seconds'],
      dns: [() => within('http://10.89.0.1:9153/metrics'), 'coredns_build_info', 'process_resident_memory_bytes'],
      ingress: [() => within('http://10.89.0.1:10254/metrics'), 'nginx_ingress_controller_nginx_process_requests_total'],
      kubelet: [() => kubectl(['get', '--raw', '/api/v1/nodes/node-1/proxy/metrics']), 'kubelet_runtime_operations_total', 'kubelet_running_pods'],
      resource: [() => kubectl(['get', '--raw', '/api/v1/nodes/node-1/proxy/metrics/resource']), 'container_cpu_usage_seconds_total'],
      cadvisor: [() => kubectl(['get', '--raw', '/api/v1/nodes/node-1/proxy/metrics/cadvisor']), 'container_network_receive_bytes_total'],
    }
    for (const [page, [text, ...names]] of Object.entries(pages)) {
      let families: Map<string, ParsedFamily>
      try {
        families = parseStrictly(await text())
      } catch (error) {
        throw new Error(`the page of ${page}`, { cause: error })
      }
      for (const name of names) assert.ok(families.has(name), `${page}: ${name}`)
    }
    const refused = await within('https://10.89.0.1:10259/metrics', '--cacert', join(pki, 'ca.crt'))
    assert.equal(JSON.parse(refused).code, 403)
    const summary = await get('/api/v1/nodes/node-1/proxy/stats/summary')
    const burning = summary.pods.find(({ podRef }: { podRef: { name: string } }) => podRef.name.startsWith('burner'))
    assert.ok(burning.containers[0].memory.workingSetBytes > 0 && burning['ephemeral-storage'].capacityBytes > 0)
    assert.equal(burning.network.name, 'eth0')
    // Some kernels put their own (sit0) into each network namespace, too.
    assert.ok(burning.network.interfaces.some(({ name }: { name: string }) => name === 'eth0'))
  })

  it('scales by what other APIs measure: pods, an object, a thing outside; whatever has a scale', { timeout: 100_000 }, async () => {
    const { pid } = cluster.running() ?? {}
    const values = join(cluster.dataDir, 'values.json')
    const measured: Record<string, { value?: string; pods?: Record<string, string> }> = { hits: { value: '100' }, queue: { value: '40' } }
    const measure = () => writeFileSync(values, JSON.stringify(measured))
    measure()
    const script = join(import.meta.dirname, '../tools/custom-metrics-server.ts')
    const server: ChildProcess = spawn('nsenter', ['-t', String(pid), '-n', process.execPath, script, '10.89.0.1', '6789', values], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      if (server.stdout) await once(server.stdout, 'data')
      const meta = (name: string, more: object = {}) => ({ name, namespace: 'default', ...more })
      const target = (kind: string, name: string, apiVersion = 'apps/v1') => ({ apiVersion, kind, name })
      const autoscaler = (name: string, scaleTargetRef: object, metric: object) => ({
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: meta(name),
        spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 4, metrics: [metric] },
      })
      const idle = (name: string) => {
        const copy = structuredClone(burner)
        copy.metadata.name = name
        copy.spec.selector.matchLabels.app = copy.spec.template.metadata.labels.app = name
        for (const container of copy.spec.template.spec.containers) container.command = ['sleep', '1000']
        return copy
      }
      const queue = { type: 'External', external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '10' } } }
      const objects = [
        { apiVersion: 'v1', kind: 'Service', metadata: meta('measures'), spec: { ports: [{ name: 'https', port: 443 }] } },
        {
          apiVersion: 'discovery.k8s.io/v1',
          kind: 'EndpointSlice',
          metadata: meta('measures', { labels: { 'kubernetes.io/service-name': 'measures' } }),
          addressType: 'IPv4',
          ports: [{ name: 'https', port: 6789 }],
          endpoints: [{ addresses: ['10.89.0.1'] }],
        },
        ...['custom.metrics.k8s.io', 'external.metrics.k8s.io'].map((group) => ({
          apiVersion: 'apiregistration.k8s.io/v1',
          kind: 'APIService',
          metadata: { name: `v1beta1.${group}` },
          spec: {
            group,
            version: 'v1beta1',
            groupPriorityMinimum: 100,
            versionPriority: 100,
            insecureSkipTLSVerify: true,
            service: { name: 'measures', namespace: 'default' },
          },
        })),
        {
          apiVersion: 'apiextensions.k8s.io/v1',
          kind: 'CustomResourceDefinition',
          metadata: { name: 'fleets.example.com' },
          spec: {
            group: 'example.com',
            scope: 'Namespaced',
            names: { kind: 'Fleet', plural: 'fleets' },
            versions: [
              {
                name: 'v1',
                served: true,
                storage: true,
                schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
                subresources: {
                  status: {},
                  scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' },
                },
              },
            ],
          },
        },
        idle('by-pods'),
        idle('by-object'),
      ]
      await kubectl(['apply', '-f', '-'], { stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) })
      await kubectl(['wait', '--for=condition=Established', 'crd/fleets.example.com', '--timeout=20s'])
      for (const group of ['custom', 'external'])
        await kubectl(['wait', '--for=condition=Available', `apiservice/v1beta1.${group}.metrics.k8s.io`, '--timeout=30s'])
      const fleet = { apiVersion: 'example.com/v1', kind: 'Fleet', metadata: meta('ships'), spec: { replicas: 1 } }
      await kubectl(['apply', '-f', '-'], { stdin: JSON.stringify(fleet) })
      await kubectl(['patch', 'fleet', 'ships', '--subresource=status', '--type=merge', '-p', '{"status":{"replicas":1,"selector":"app=ships"}}'])
      await kubectl(['rollout', 'status', 'deployment/by-pods', 'deployment/by-object', '--timeout=30s'])
      const pod = await kubectl(['get', 'pod', '-l', 'app=by-pods', '-o', 'jsonpath={.items[0].metadata.name}'])
      measured.requests = { pods: { [pod]: '30' } }
      measure()
      const requests = { type: 'Pods', pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '10' } } }
      const hits = {
        type: 'Object',
        object: { metric: { name: 'hits' }, describedObject: { apiVersion: 'v1', kind: 'Service', name: 'measures' }, target: { type: 'Value', value: '50' } },
      }
      const absent = { type: 'External', external: { metric: { name: 'nothing' }, target: { type: 'Value', value: '1' } } }
      const autoscalers = [
        autoscaler('by-pods', target('Deployment', 'by-pods'), requests),
        autoscaler('by-object', target('Deployment', 'by-object'), hits),
        autoscaler('ships', target('Fleet', 'ships', 'example.com/v1'), queue),
        autoscaler('blind', target('ReplicaSet', 'none'), absent),
      ]
      await kubectl(['apply', '-f', '-'], { stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: autoscalers }) })
      const size = async (what: string) => Number(await kubectl(['get', what, '-o', 'jsonpath={.spec.replicas}']))
      await eventually('three for thirty requests', async () => (await size('deployment/by-pods')) === 3)
      await eventually('two for twice the hits', async () => (await size('deployment/by-object')) === 2)
      await eventually('four ships for forty', async () => (await size('fleet/ships')) === 4)
      assert.match(await kubectl(['describe', 'hpa', 'ships']), /"queue" \(target average value\):\s+40 \/ 10/)
      assert.match(await kubectl(['get', 'hpa', 'by-pods']), /Deployment\/by-pods\s+30\/10/)
      await eventually('what is not there is told', async () => (await kubectl(['describe', 'hpa', 'blind'])).includes('FailedGetScale'))
      await kubectl(['patch', 'hpa', 'ships', '--type=merge', '-p', JSON.stringify({ spec: { metrics: [absent] } })])
      await eventually('that nothing is measured is told', async () =>
        /ScalingActive\s+False\s+FailedGetExternalMetric/.test(await kubectl(['describe', 'hpa', 'ships'])),
      )
      const old = await get('/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers/by-object')
      assert.equal(JSON.parse(old.metadata.annotations['autoscaling.alpha.kubernetes.io/metrics'])[0].object.metricName, 'hits')
    } finally {
      server.kill()
    }
  })
})
