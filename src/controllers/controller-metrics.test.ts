/** What controllers tell of their work: each number changes with what it is about. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { changeTimeAnnotation } from '../apis/discovery/endpoint-slice.ts'
import type { Component } from '../client/component.ts'
import {
  ConfigMap,
  CronJob,
  EndpointSlice,
  Job,
  Lease,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Service,
  StatefulSet,
} from '../client/resources.ts'
import { microTimestamp, timestamp } from '../machinery/clock.ts'
import { MetricRegistry } from '../machinery/metrics/registry.ts'
import { type Labels, sumIn, valueIn } from '../machinery/metrics/testing/read-metrics.ts'
import { startControllerManager } from './all-controllers.ts'
import { Bench } from './testing/bench.ts'

const namespace = 'default'
const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'work', image: 'work:1' }] } }

describe('what controllers tell', () => {
  let bench: Bench
  let controllers: Component
  let metrics: MetricRegistry
  const value = (name: string, labels?: Labels) => valueIn(metrics.text(), name, labels)
  const sum = (name: string, labels?: Labels) => sumIn(metrics.text(), name, labels)
  beforeEach(async () => {
    bench = await Bench.start()
    metrics = new MetricRegistry()
    await bench.client.create(Namespace, { metadata: { name: 'kube-node-lease' }, spec: {} })
    controllers = bench.runWith((context) =>
      startControllerManager({ ...context, metrics }, { clusterCa: 'certificate', podGarbage: { terminatedThreshold: 2 } }),
    )
    await bench.settle()
  })
  afterEach(async () => {
    await controllers.stop()
    await bench.stop()
  })

  async function end(phase: 'Succeeded' | 'Failed'): Promise<void> {
    for (const pod of await bench.pods())
      if (pod.status?.phase === 'Pending') await bench.client.updateStatus(Pod, { ...pod, status: { ...pod.status, phase } })
    await bench.settle()
  }

  it('Jobs: looks, pods that have ended, those that are over and why', async () => {
    await bench.client.create(Job, { metadata: { name: 'good', namespace }, spec: { completions: 2, parallelism: 2, completionMode: 'Indexed', template } })
    await bench.settle()
    const indexed = { completion_mode: 'Indexed', result: 'succeeded' }
    assert.equal(value('job_controller_job_syncs_total', { completion_mode: 'Indexed', result: 'success', action: 'pods_created' }), 1)
    assert.equal(value('job_controller_job_pods_finished_total', indexed), 0)
    await end('Succeeded')
    assert.equal(value('job_controller_job_pods_finished_total', indexed), 2)
    assert.equal(value('job_controller_jobs_finished_total', { ...indexed, reason: 'CompletionsReached' }), 1)
    assert.equal(sum('job_controller_job_sync_duration_seconds_count'), sum('job_controller_job_syncs_total'))

    await bench.client.create(Job, { metadata: { name: 'bad', namespace }, spec: { backoffLimit: 0, ttlSecondsAfterFinished: 60, template } })
    await bench.settle()
    await end('Failed')
    const failed = { completion_mode: 'NonIndexed', result: 'failed' }
    assert.equal(value('job_controller_job_pods_finished_total', failed), 1)
    assert.equal(value('job_controller_jobs_finished_total', { ...failed, reason: 'BackoffLimitExceeded' }), 1)
    assert.equal(value('ttl_after_finished_controller_job_deletion_duration_seconds_count'), 0)
    await bench.settle(61_000)
    assert.equal(value('ttl_after_finished_controller_job_deletion_duration_seconds_count'), 1)
  })

  it('CronJobs: how late their Jobs were', async () => {
    const jobTemplate = { spec: { template } }
    await bench.client.create(CronJob, { metadata: { name: 'often', namespace }, spec: { schedule: '* * * * *', jobTemplate } })
    await bench.settle(130_000)
    assert.equal(value('cronjob_controller_job_creation_skew_duration_seconds_count'), 2)
    assert.ok(value('cronjob_controller_job_creation_skew_duration_seconds_sum') < 2)
  })

  it('EndpointSlices: how many, how full, what was changed', async () => {
    await bench.client.create(Service, { metadata: { name: 'web', namespace }, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } })
    await bench.settle()
    assert.equal(value('endpoint_slice_controller_changes', { operation: 'create' }), 1)
    assert.deepEqual([value('endpoint_slice_controller_num_endpoint_slices'), value('endpoint_slice_controller_endpoints_desired')], [1, 0])
    const pod = await bench.client.create(Pod, {
      metadata: { name: 'web', namespace, labels: { app: 'web' } },
      spec: { nodeName: 'a', containers: [{ name: 'web', image: 'web:1' }] },
    })
    await bench.client.updateStatus(Pod, { ...pod, status: { phase: 'Running', podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] } })
    await bench.settle(2000)
    assert.equal(value('endpoint_slice_controller_endpoints_desired'), 1)
    assert.equal(value('endpoint_slice_controller_desired_endpoint_slices'), 1)
    // One with ports took the place of the empty one.
    const changes = ['create', 'update', 'delete'].map((operation) => value('endpoint_slice_controller_changes', { operation }))
    assert.deepEqual(changes, [2, 0, 1])
    assert.equal(value('endpoint_slice_controller_endpoints_added_per_sync_sum'), 1)
    const triggers = async () => (await bench.client.list(EndpointSlice)).items.map(({ metadata }) => metadata.annotations?.[changeTimeAnnotation])
    assert.deepEqual(await triggers(), [undefined], 'a pod that is not ready yet tells no time')
    const readyAt = bench.clock.now()
    await bench.makeReady(await bench.pods())
    await bench.settle(2000)
    assert.deepEqual(await triggers(), [new Date(Math.floor(readyAt / 1000) * 1000).toISOString()])
    const syncs = value('endpoint_slice_controller_syncs', { result: 'success' })
    assert.equal(value('endpoint_slice_controller_endpointslices_changed_per_sync_count'), syncs)
    bench.transport.intercept = ({ method, path }) => {
      if (method === 'GET' || !path.includes('endpointslices')) return undefined
      throw new Error('the server is out of order')
    }
    const [slice] = (await bench.client.list(EndpointSlice)).items
    assert.ok(slice)
    await bench.client.delete(EndpointSlice, slice.metadata)
    await bench.settle(1000)
    assert.ok(value('endpoint_slice_controller_syncs', { result: 'error' }) > 0)
  })

  async function node(name: string, zone: string): Promise<void> {
    await bench.client.create(Node, { metadata: { name, labels: { 'topology.kubernetes.io/zone': zone } }, spec: {} })
    const lastHeartbeatTime = timestamp(bench.clock.now())
    const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime, lastTransitionTime: lastHeartbeatTime }]
    await bench.client.patch(Node, { name }, 'merge', { status: { conditions } }, { subresource: 'status' })
    await bench.client.create(Lease, { metadata: { name, namespace: 'kube-node-lease' }, spec: { holderIdentity: name } })
  }

  it('nodes that fall silent, and pods that have to go because of it', async () => {
    await node('a', 'north')
    await node('b', 'north')
    const tolerations = [{ key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 }]
    await bench.client.create(Pod, {
      metadata: { name: 'web', namespace },
      spec: { nodeName: 'a', tolerations, containers: [{ name: 'web', image: 'web:1' }] },
    })
    await bench.settle(6000)
    const north = { zone: ':north' }
    const zone = () => ['zone_size', 'zone_health', 'unhealthy_nodes_in_zone', 'evictions_total'].map((name) => value(`node_collector_${name}`, north))
    assert.deepEqual(zone(), [2, 100, 0, 0])
    assert.ok(value('node_collector_update_node_health_duration_seconds_count') > 0)
    for (let passed = 0; passed < 120; passed += 10) {
      await bench.client.patch(Lease, { namespace: 'kube-node-lease', name: 'b' }, 'merge', { spec: { renewTime: microTimestamp(bench.clock.now()) } })
      await bench.settle(10_000)
    }
    assert.deepEqual(zone(), [2, 50, 1, 1])
    assert.equal(value('taint_eviction_controller_pod_deletions_total'), 1)
    assert.equal(value('taint_eviction_controller_pod_deletion_duration_seconds_count'), 1)
    assert.ok(value('taint_eviction_controller_pod_deletion_duration_seconds_sum') < 1)
  })

  it('pods that nobody will end, and why they went', async () => {
    await node('a', 'north')
    const pod = (name: string, nodeName?: string) =>
      bench.client.create(Pod, { metadata: { name, namespace }, spec: { ...(nodeName ? { nodeName } : {}), containers: [{ name: 'web', image: 'web:1' }] } })
    for (const name of ['one', 'two', 'three']) {
      const made = await pod(name, 'a')
      await bench.client.updateStatus(Pod, { ...made, status: { phase: 'Succeeded' } })
    }
    await pod('lost', 'gone')
    await bench.settle(90_000)
    const collected = (reason: string) => value('pod_gc_collector_force_delete_pods_total', { namespace, reason })
    assert.deepEqual([collected('terminated'), collected('orphaned'), collected('unscheduled')], [1, 1, 0])
  })

  it('volumes, claims, StatefulSets, and controllers that run', async () => {
    const claim = (name: string) => ({
      metadata: { name, namespace },
      spec: { storageClassName: 'slow', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    })
    const labels = { namespace, storage_class: 'slow' }
    await bench.client.create(PersistentVolumeClaim, claim('one'))
    await bench.settle()
    assert.deepEqual([value('pv_collector_unbound_pvc_count', labels), value('pv_collector_bound_pvc_count', labels)], [1, 0])
    await bench.client.create(PersistentVolume, {
      metadata: { name: 'disk' },
      spec: { storageClassName: 'slow', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/disk' } },
    })
    await bench.settle(20_000)
    assert.deepEqual([value('pv_collector_unbound_pvc_count', labels), value('pv_collector_bound_pvc_count', labels)], [0, 1])
    assert.equal(value('pv_collector_bound_pv_count', { storage_class: 'slow' }), 1)
    assert.equal(value('pv_collector_total_pv_count', { plugin_name: 'kubernetes.io/host-path', volume_mode: 'Filesystem' }), 1)

    await bench.client.create(StatefulSet, {
      metadata: { name: 'db', namespace },
      spec: {
        serviceName: 'db',
        replicas: 3,
        podManagementPolicy: 'Parallel',
        selector: { matchLabels: { app: 'db' } },
        template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'db', image: 'db:1' }] } },
      },
    })
    await bench.settle()
    const db = { statefulset_namespace: namespace, statefulset_name: 'db', pod_management_policy: 'Parallel' }
    assert.equal(value('statefulset_controller_statefulset_unavailable_replicas', db), 3)
    await bench.makeReady((await bench.pods()).slice(0, 2))
    await bench.settle()
    assert.equal(value('statefulset_controller_statefulset_unavailable_replicas', db), 1)
    assert.equal(value('running_managed_controllers', { name: 'statefulset-controller', manager: 'kube-controller-manager' }), 1)
  })

  it('namespaces that were given the CA', async () => {
    const before = value('root_ca_cert_publisher_sync_total', { code: '200' })
    await bench.client.delete(ConfigMap, { name: 'kube-root-ca.crt', namespace })
    await bench.settle()
    assert.equal(value('root_ca_cert_publisher_sync_total', { code: '200' }), before + 1)
    assert.equal(value('root_ca_cert_publisher_sync_duration_seconds_count', { code: '200' }), before + 1)
  })
})
