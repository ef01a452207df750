import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { V1Node, V1Pod, V1PodSpec } from '../machinery/schema/generated/types.ts'
import { VirtualClock } from '../machinery/virtual-clock.ts'
import { SchedulerCache } from './cache.ts'
import { balancedAllocation } from './plugins/balanced-allocation.ts'
import { dynamicResources } from './plugins/dynamic-resources.ts'
import { imageLocality } from './plugins/image-locality.ts'
import { interPodAffinity } from './plugins/inter-pod-affinity.ts'
import { nodeAffinity } from './plugins/node-affinity.ts'
import { nodeName } from './plugins/node-name.ts'
import { nodePorts } from './plugins/node-ports.ts'
import { nodeResourcesFit } from './plugins/node-resources-fit.ts'
import { nodeUnschedulable } from './plugins/node-unschedulable.ts'
import { podTopologySpread } from './plugins/pod-topology-spread.ts'
import { taintToleration } from './plugins/taint-toleration.ts'
import { podInfo } from './pod-info.ts'
import { SchedulingCycle } from './scheduling-cycle.ts'

const plugins = [
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResourcesFit,
  dynamicResources,
  podTopologySpread,
  interPodAffinity,
  balancedAllocation,
  imageLocality,
]

function node(name: string, more: { cpu?: string; labels?: Record<string, string>; spec?: V1Node['spec']; images?: [string, number][] } = {}): V1Node {
  return {
    metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '', labels: { 'kubernetes.io/hostname': name, ...more.labels } },
    spec: more.spec ?? {},
    status: {
      allocatable: { cpu: more.cpu ?? '4', memory: '8Gi', pods: '110' },
      images: (more.images ?? []).map(([image, sizeBytes]) => ({ names: [image], sizeBytes })),
    },
  }
}

function pod(name: string, spec: Partial<V1PodSpec> = {}, labels: Record<string, string> = {}): V1Pod {
  return {
    metadata: { name, namespace: 'x', uid: name, resourceVersion: '1', creationTimestamp: '', labels },
    spec: { containers: [{ name: 'main', image: 'app', resources: { requests: { cpu: '1' } } }], ...spec },
  }
}

function schedule(nodes: V1Node[], placed: V1Pod[], wanted: V1Pod) {
  const cache = new SchedulerCache()
  for (const one of nodes) cache.setNode(one)
  for (const one of placed) cache.setPod(one)
  return new SchedulingCycle(plugins, new VirtualClock()).run(podInfo(wanted), cache)
}

const chosen = (result: ReturnType<typeof schedule>) => (result.ok ? result.node.name : result.message)
const on = (nodeName: string, name: string, spec: Partial<V1PodSpec> = {}, labels: Record<string, string> = {}) => pod(name, { ...spec, nodeName }, labels)

describe('scheduling cycle', () => {
  it('prefers the emptier node', () => {
    assert.equal(chosen(schedule([node('a'), node('b')], [on('a', 'p1'), on('a', 'p2')], pod('new'))), 'b')
  })

  it('says of each reason how many nodes have it, in the words of upstream', () => {
    const result = schedule(
      [
        node('a', { cpu: '1' }),
        node('b', { cpu: '1' }),
        node('c', { spec: { taints: [{ key: 'gpu', effect: 'NoSchedule', value: 'yes' }] } }),
        node('d', { spec: { unschedulable: true } }),
      ],
      [on('a', 'p1'), on('b', 'p2')],
      pod('new'),
    )
    assert.equal(chosen(result), '0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 2 Insufficient cpu.')
    assert.ok(!result.ok && result.wakenBy.has('pod-deleted') && result.wakenBy.has('node-taints'))
  })

  it('says that there is no node', () => {
    assert.equal(chosen(schedule([], [], pod('new'))), 'no nodes available to schedule pods')
  })

  it('tolerates what the pod tolerates', () => {
    const tainted = node('a', { spec: { taints: [{ key: 'gpu', effect: 'NoSchedule', value: 'yes' }] } })
    for (const tolerations of [
      [{ operator: 'Exists' }],
      [{ key: 'gpu', operator: 'Equal', value: 'yes' }],
      [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }],
    ])
      assert.equal(chosen(schedule([tainted], [], pod('new', { tolerations }))), 'a')
    for (const tolerations of [[{ key: 'gpu', value: 'no' }], [{ key: 'gpu', operator: 'Exists', effect: 'NoExecute' }]])
      assert.match(chosen(schedule([tainted], [], pod('new', { tolerations }))), /untolerated taint/)
  })

  it('honours selectors and affinity to nodes', () => {
    const nodes = [node('a', { labels: { disk: 'hdd', zone: '1' } }), node('b', { labels: { disk: 'ssd', zone: '9' } })]
    assert.equal(chosen(schedule(nodes, [], pod('new', { nodeSelector: { disk: 'ssd' } }))), 'b')
    const required = (key: string, operator: string, values?: string[]) => ({
      affinity: {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }] } },
      },
    })
    assert.equal(chosen(schedule(nodes, [], pod('new', required('zone', 'Gt', ['5'])))), 'b')
    assert.equal(chosen(schedule(nodes, [], pod('new', required('disk', 'NotIn', ['ssd'])))), 'a')
    assert.match(chosen(schedule(nodes, [], pod('new', required('gpu', 'Exists')))), /2 node\(s\) didn't match Pod's node affinity\/selector/)
    const preferred = {
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 100, preference: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] } },
          ],
        },
      },
    }
    assert.equal(chosen(schedule(nodes, [on('b', 'p1')], pod('new', preferred))), 'b')
  })

  it('gives a port of a node once', () => {
    const port = { containers: [{ name: 'main', ports: [{ containerPort: 80, hostPort: 80 }] }] }
    assert.equal(chosen(schedule([node('a'), node('b')], [on('a', 'p1', port)], pod('new', port))), 'b')
    assert.match(chosen(schedule([node('a')], [on('a', 'p1', port)], pod('new', port))), /didn't have free ports/)
  })

  it('keeps pods apart by anti-affinity, both ways, and together by affinity', () => {
    const term = { labelSelector: { matchLabels: { app: 'db' } }, topologyKey: 'kubernetes.io/hostname' }
    const apart = { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }
    const together = { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }
    const nodes = [node('a'), node('b')]
    assert.equal(chosen(schedule(nodes, [on('a', 'p1', {}, { app: 'db' })], pod('new', apart))), 'b')
    assert.equal(chosen(schedule(nodes, [on('a', 'p1', apart, { app: 'db' })], pod('new', {}, { app: 'db' }))), 'b')
    assert.match(chosen(schedule([node('a')], [on('a', 'p1', apart)], pod('new', {}, { app: 'db' }))), /didn't satisfy existing pods anti-affinity rules/)
    assert.match(
      chosen(schedule([node('a')], [on('a', 'p1', apart, { app: 'db' })], pod('new', apart, { app: 'db' }))),
      /didn't match pod anti-affinity rules/,
      'where both hold, what the pod itself asks for is told',
    )
    assert.equal(chosen(schedule(nodes, [on('b', 'p1', {}, { app: 'db' }), on('b', 'p2'), on('b', 'p3')], pod('new', together))), 'b')
    assert.equal(chosen(schedule([node('a')], [], pod('new', together, { app: 'db' }))), 'a', 'the first of its group')
    assert.match(chosen(schedule([node('a')], [], pod('new', together))), /didn't match pod affinity rules/)
  })

  it('spreads by topology', () => {
    const spread = {
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } } }],
    }
    const web = { app: 'web' }
    const nodes = [node('a', { labels: { zone: '1' } }), node('b', { labels: { zone: '2' } })]
    assert.equal(chosen(schedule(nodes, [on('a', 'p1', {}, web)], pod('new', spread, web))), 'b')
    assert.match(chosen(schedule([node('a')], [], pod('new', spread, web))), /missing required label/)
  })

  it('replicas of one owner spread over hosts by themselves', () => {
    const web = { app: 'web' }
    const owned = (one: V1Pod, kind = 'ReplicaSet'): V1Pod => ({
      ...one,
      metadata: { ...one.metadata, ownerReferences: [{ apiVersion: 'apps/v1', kind, name: 'web', uid: 'u', controller: true }] },
    })
    const nodes = [node('a', { cpu: '64' }), node('b', { cpu: '8' })]
    assert.equal(chosen(schedule(nodes, [owned(on('a', 'p1', {}, web))], owned(pod('new', {}, web)))), 'b')
    // The labels that tell one pod of a StatefulSet from another do not make it a stranger.
    const labels = (index: number) => ({ ...web, 'statefulset.kubernetes.io/pod-name': `web-${index}`, 'apps.kubernetes.io/pod-index': String(index) })
    const first = owned(on('a', 'web-0', {}, labels(0)), 'StatefulSet')
    assert.equal(chosen(schedule(nodes, [first], owned(pod('web-1', {}, labels(1)), 'StatefulSet'))), 'b')
  })

  it('prefers nodes that have the image', () => {
    const big: [string, number][] = [['app:latest', 900 * 1024 * 1024]]
    assert.equal(chosen(schedule([node('a'), node('b', { images: big })], [], pod('new'))), 'b')
  })

  it('lets a pod wait that claims devices', () => {
    const wanted = pod('new', { resourceClaims: [{ name: 'gpu', resourceClaimName: 'gpu' }] })
    assert.match(String(chosen(schedule([node('a')], [], wanted))), /^0\/1 nodes are available: 1 cannot allocate all claims/)
    assert.equal(chosen(schedule([node('a')], [], pod('other', { resourceClaims: [] }))), 'a')
  })

  it('counts init containers and sidecars as KEP-753 says', () => {
    const wanted = pod('new', {
      containers: [{ name: 'main', resources: { requests: { cpu: '1' } } }],
      initContainers: [
        { name: 'side', restartPolicy: 'Always', resources: { requests: { cpu: '500m' } } },
        { name: 'init', resources: { requests: { cpu: '2' } } },
      ],
    })
    assert.equal(podInfo(wanted).requests.get('cpu'), 2500)
  })

  it('counts what a pod has and what it asks for while it is resized, as KEP-1287 says', () => {
    const holds = (asked: string, given: string, reason?: string) => {
      const resized = pod('resized', { containers: [{ name: 'main', resources: { requests: { cpu: asked } } }] })
      const status = {
        name: 'main',
        allocatedResources: { cpu: given },
        resources: { requests: { cpu: given } },
        image: '',
        imageID: '',
        ready: true,
        restartCount: 0,
      }
      const conditions = reason ? [{ type: 'PodResizePending', status: 'True', reason }] : []
      return podInfo({ ...resized, status: { containerStatuses: [status], conditions } }).requests.get('cpu')
    }
    assert.deepEqual([holds('2', '1'), holds('1', '2'), holds('2', '1', 'Deferred'), holds('500', '1', 'Infeasible')], [2000, 2000, 2000, 1000])
  })
})
