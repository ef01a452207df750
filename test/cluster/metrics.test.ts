/**
 * Every page of metrics of a cluster that does something, read by a Prometheus with a token of its own: as strictly as the
 * format is written down, under the names that dashboards and alerts (kubernetes-mixin, CoreDNS, ingress-nginx) ask for.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { nodeAddressOf } from '../../src/cluster/cluster-network.ts'
import { serverProcess } from '../../src/cluster/stop.ts'
import { expositionType } from '../../src/machinery/metrics/exposition.ts'
import { sumIn, valueIn } from '../../src/machinery/metrics/testing/read-metrics.ts'
import { parseStrictly } from '../../src/machinery/metrics/testing/strict-parser.ts'
import { busybox, eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'

const run = promisify(execFile)
const node = nodeAddressOf(0)
const everywhere = ['kubernetes_build_info', 'process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_start_time_seconds', 'process_open_fds']
const client = ['rest_client_requests_total', 'rest_client_request_duration_seconds']
const queues = ['adds_total', 'depth', 'queue_duration_seconds', 'work_duration_seconds', 'retries_total', 'unfinished_work_seconds'].map(
  (name) => `workqueue_${name}`,
)

/** By address: the names that must be there. */
const pages: Record<string, string[]> = {
  [`https://${node}:6443/metrics`]: [
    ...everywhere,
    ...'request_total request_duration_seconds request_sli_duration_seconds response_sizes current_inflight_requests longrunning_requests storage_objects resource_objects storage_size_bytes admission_controller_admission_duration_seconds admission_step_admission_duration_seconds client_certificate_expiration_seconds watch_events_total watch_cache_events_received_total watch_cache_events_dispatched_total watch_cache_initializations_total init_events_total cache_list_total registered_watchers'
      .split(' ')
      .map((name) => `apiserver_${name}`),
    'etcd_request_duration_seconds',
    'etcd_requests_total',
    'watch_cache_capacity',
    'authentication_attempts',
    'authentication_duration_seconds',
    'authorization_attempts_total',
    'authorization_duration_seconds',
    'authenticated_user_requests',
    'aggregator_unavailable_apiservice',
  ],
  [`https://${node}:6443/metrics/slis`]: ['kubernetes_healthcheck', 'kubernetes_healthchecks_total'],
  [`https://${node}:10250/metrics`]: [
    ...everywhere,
    ...client,
    ...'node_name running_pods running_containers desired_pods active_pods pod_start_duration_seconds pod_start_sli_duration_seconds pod_worker_duration_seconds started_pods_total started_containers_total pleg_relist_duration_seconds pleg_relist_interval_seconds pleg_last_seen_seconds runtime_operations_total runtime_operations_duration_seconds run_podsandbox_duration_seconds containers_per_pod_count certificate_manager_server_ttl_seconds certificate_manager_client_ttl_seconds server_expiration_renew_errors http_requests_total http_requests_duration_seconds pod_status_sync_duration_seconds volume_stats_capacity_bytes volume_stats_available_bytes volume_stats_used_bytes volume_stats_inodes volume_stats_inodes_free volume_stats_inodes_used cgroup_manager_duration_seconds'
      .split(' ')
      .map((name) => `kubelet_${name}`),
    'storage_operation_duration_seconds',
    'volume_manager_total_volumes',
  ],
  [`https://${node}:10250/metrics/resource`]: [
    'container_cpu_usage_seconds_total',
    'container_memory_working_set_bytes',
    'container_start_time_seconds',
    'node_cpu_usage_seconds_total',
    'node_memory_working_set_bytes',
    'pod_cpu_usage_seconds_total',
    'pod_memory_working_set_bytes',
    'resource_scrape_error',
  ],
  [`https://${node}:10250/metrics/probes`]: ['prober_probe_total', 'prober_probe_duration_seconds'],
  [`https://${node}:10250/metrics/cadvisor`]: [
    ...'cpu_usage_seconds_total cpu_user_seconds_total cpu_system_seconds_total cpu_cfs_periods_total cpu_cfs_throttled_periods_total cpu_cfs_throttled_seconds_total memory_working_set_bytes memory_usage_bytes memory_rss memory_cache memory_failures_total network_receive_bytes_total network_receive_packets_total network_receive_packets_dropped_total network_transmit_bytes_total network_transmit_packets_total fs_usage_bytes processes threads spec_cpu_quota spec_cpu_period spec_cpu_shares spec_memory_limit_bytes start_time_seconds last_seen'
      .split(' ')
      .map((name) => `container_${name}`),
    'machine_cpu_cores',
    'machine_memory_bytes',
  ],
  [`https://${node}:10257/metrics`]: [
    ...everywhere,
    ...client,
    ...queues,
    'leader_election_master_status',
    'running_managed_controllers',
    'node_collector_zone_size',
    'node_collector_zone_health',
    'node_collector_unhealthy_nodes_in_zone',
    'endpoint_slice_controller_syncs',
    'endpoint_slice_controller_num_endpoint_slices',
    'job_controller_job_syncs_total',
    'job_controller_job_sync_duration_seconds',
    'job_controller_jobs_finished_total',
    'job_controller_job_pods_finished_total',
    'pv_collector_bound_pvc_count',
    'statefulset_controller_statefulset_unavailable_replicas',
  ],
  [`https://${node}:10259/metrics`]: [
    ...everywhere,
    ...client,
    ...'pending_pods schedule_attempts_total scheduling_attempt_duration_seconds scheduling_algorithm_duration_seconds pod_scheduling_sli_duration_seconds pod_scheduling_attempts queue_incoming_pods_total framework_extension_point_duration_seconds plugin_execution_duration_seconds preemption_attempts_total preemption_victims cache_size'
      .split(' ')
      .map((name) => `scheduler_${name}`),
  ],
  [`https://${node}:10259/metrics/resources`]: ['kube_pod_resource_request', 'kube_pod_resource_limit'],
  [`http://${node}:10249/metrics`]: [
    ...everywhere,
    ...client,
    'kubeproxy_sync_proxy_rules_duration_seconds',
    'kubeproxy_network_programming_duration_seconds',
    'kubeproxy_sync_proxy_rules_service_changes_total',
    'kubeproxy_sync_proxy_rules_endpoint_changes_total',
    'kubeproxy_sync_proxy_rules_last_timestamp_seconds',
  ],
  [`http://${node}:9153/metrics`]: [
    ...everywhere,
    ...'dns_requests_total dns_responses_total dns_request_duration_seconds dns_request_size_bytes dns_response_size_bytes cache_entries cache_hits_total cache_misses_total cache_requests_total plugin_enabled build_info panics_total'
      .split(' ')
      .map((name) => `coredns_${name}`),
  ],
  [`http://${node}:10254/metrics`]: [
    ...everywhere,
    ...'requests request_duration_seconds response_duration_seconds connect_duration_seconds header_duration_seconds request_size response_size config_last_reload_successful config_last_reload_successful_timestamp_seconds success nginx_process_connections nginx_process_requests_total'
      .split(' ')
      .map((name) => `nginx_ingress_controller_${name}`),
  ],
  [`https://${node}:4443/metrics`]: [
    ...everywhere,
    'metrics_server_kubelet_request_total',
    'metrics_server_kubelet_request_duration_seconds',
    'metrics_server_manager_tick_duration_seconds',
    'metrics_server_storage_points',
  ],
}

/** Upstream's own names of counters that do not end as they should. */
const counters = new Set([
  'authenticated_user_requests',
  'authentication_attempts',
  'container_memory_failcnt',
  'endpoint_slice_controller_changes',
  'endpoint_slice_controller_syncs',
  'kubelet_certificate_manager_client_expiration_renew_errors',
  'kubelet_evictions',
  'kubelet_server_expiration_renew_errors',
  'nginx_ingress_controller_errors',
  'nginx_ingress_controller_requests',
  'nginx_ingress_controller_success',
])

const labels = { app: 'web' }
const objects = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'prometheus' } },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'prometheus' },
    rules: [
      { nonResourceURLs: ['/metrics', '/metrics/*'], verbs: ['get'] },
      { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
    ],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'prometheus' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'prometheus' },
    subjects: [{ kind: 'ServiceAccount', name: 'prometheus', namespace: 'default' }],
  },
  { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { selector: labels, ports: [{ port: 80 }] } },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web' },
    spec: {
      ingressClassName: 'nginx',
      rules: [{ host: 'web.example.com', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] } }],
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'web' },
    spec: {
      serviceName: 'web',
      replicas: 1,
      selector: { matchLabels: labels },
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Mi' } } } }],
      template: {
        metadata: { labels },
        spec: {
          nodeSelector: { 'kubernetes.io/hostname': 'node-1' },
          containers: [
            {
              name: 'web',
              image: busybox,
              command: ['sh', '-c', 'echo hello > /data/index.html; nslookup web; httpd -f -p 80 -h /data'],
              resources: { requests: { cpu: '20m', memory: '16Mi' }, limits: { cpu: '200m', memory: '64Mi' } },
              readinessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 1 },
              volumeMounts: [{ name: 'data', mountPath: '/data' }],
            },
          ],
        },
      },
    },
  },
  {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'once' },
    spec: { template: { spec: { nodeName: 'node-1', restartPolicy: 'Never', containers: [{ name: 'once', image: busybox, command: ['true'] }] } } },
  },
]

describe('the metrics of a cluster', () => {
  let cluster: TestCluster
  let token: string
  before(async () => {
    cluster = await startTestCluster({ words: ['--nodes', '2'] })
    const { kubectl } = cluster
    await eventually('the namespace is ready', () => kubectl('get serviceaccount default'))
    await kubectl('apply -f -', { stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) })
    await kubectl('wait --for=condition=Ready pod/web-0 --timeout=40s', { timeoutMs: 45_000 })
    await kubectl('wait --for=condition=Complete job/once --timeout=40s', { timeoutMs: 45_000 })
    token = (await kubectl('create token prometheus')).trim()
    await kubectl('wait --for=condition=Available apiservice/v1beta1.metrics.k8s.io --timeout=40s', { timeoutMs: 45_000 })
    const { httpPort } = cluster.running() ?? {}
    await eventually('the Ingress leads there', async () => {
      const { stdout } = await run('curl', ['-s', '-m', '2', '-H', 'Host: web.example.com', `http://127.0.0.1:${httpPort}/`])
      return stdout === 'hello\n'
    })
  })
  after(() => cluster?.remove())

  /** From inside of the cluster, as a Prometheus in it would. */
  async function scrape(url: string): Promise<string> {
    const server = serverProcess(cluster.running()?.pid ?? 0)
    const { stdout } = await run(
      'nsenter',
      ['-t', String(server), '-n', 'curl', '-sSk', '-m', '10', '-H', `Authorization: Bearer ${token}`, '-w', '%{http_code} %{content_type}', url],
      { maxBuffer: 1 << 26 },
    )
    const end = stdout.lastIndexOf('\n') + 1
    assert.equal(stdout.slice(end), `200 ${expositionType}`, `${url}: ${stdout.slice(0, 300)}`)
    return stdout.slice(0, end)
  }

  for (const [url, names] of Object.entries(pages))
    it(url.replace(node, 'NODE'), async () => {
      const lacking = await eventually('all names are there', async () => {
        const families = parseStrictly(await scrape(url))
        const missing = names.filter((name) => !families.has(name))
        if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}`)
        return {
          misnamed: [...families].filter(([name, { type }]) => type === 'counter' && !name.endsWith('_total') && !counters.has(name)).map(([name]) => name),
        }
      })
      assert.deepEqual(lacking.misnamed, [])
    })

  it('what containers use is told with the labels that queries join by', async () => {
    const page = await scrape(`https://${node}:10250/metrics/cadvisor`)
    const families = parseStrictly(page)
    const of = (name: string) => families.get(name)?.samples.find((one) => one.labels.pod === 'web-0' && one.labels.container === 'web')
    const cpu = of('container_cpu_usage_seconds_total')
    assert.ok(cpu && cpu.value > 0)
    assert.deepEqual(Object.keys(cpu.labels).sort(), ['container', 'cpu', 'id', 'image', 'name', 'namespace', 'pod'])
    assert.equal(cpu.labels.cpu, 'total')
    assert.match(cpu.labels.image ?? '', /busybox:1\.35$/)
    assert.equal(of('container_spec_memory_limit_bytes')?.value, 64 << 20)
    assert.equal(of('container_spec_cpu_quota')?.value, 20_000)
    assert.ok((of('container_memory_working_set_bytes')?.value ?? 0) > 0)
    assert.ok(sumIn(page, 'container_network_receive_bytes_total', { pod: 'web-0', interface: 'eth0' }) > 0)
    assert.ok(valueIn(page, 'container_cpu_usage_seconds_total', { id: '/' }) > 0)
    assert.equal(
      valueIn(await scrape(`https://${node}:10259/metrics/resources`), 'kube_pod_resource_request', { pod: 'web-0', resource: 'cpu', node: 'node-1' }),
      0.02,
    )
    const ingress = await scrape(`http://${node}:10254/metrics`)
    assert.ok(
      valueIn(ingress, 'nginx_ingress_controller_requests', { namespace: 'default', ingress: 'web', service: 'web', host: 'web.example.com', status: '200' }) >
        0,
    )
  })

  it('a node that is a process of its own tells as much of itself, and how long it may still call the API server', async () => {
    const page = await cluster.kubectl('get --raw /api/v1/nodes/node-2/proxy/metrics')
    const families = parseStrictly(page)
    const names = [...everywhere, ...client, 'kubelet_node_name', 'kubelet_pleg_relist_duration_seconds', 'kubelet_runtime_operations_total']
    assert.deepEqual(
      names.filter((name) => !families.has(name)),
      [],
    )
    assert.equal(valueIn(page, 'kubelet_node_name', { node: 'node-2' }), 1)
    for (const use of ['client', 'server']) {
      const left = valueIn(page, `kubelet_certificate_manager_${use}_ttl_seconds`)
      assert.ok(left > 0 && Number.isFinite(left), `${use}: ${left}`)
    }
  })

  it('nobody reads them without the right to', async () => {
    const server = serverProcess(cluster.running()?.pid ?? 0)
    for (const url of Object.keys(pages).filter((one) => one.startsWith('https:'))) {
      const { stdout } = await run('nsenter', ['-t', String(server), '-n', 'curl', '-sk', '-m', '10', '-o', '/dev/null', '-w', '%{http_code}', url])
      assert.match(stdout, /^40[13]$/, url)
    }
  })
})
