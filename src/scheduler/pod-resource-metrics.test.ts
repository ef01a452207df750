import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStrictly } from '../machinery/metrics/testing/strict-parser.ts'
import type { V1Pod } from '../machinery/schema/generated/types.ts'
import { podResourceMetrics } from './pod-resource-metrics.ts'

const pod = (name: string, spec: Partial<V1Pod['spec']>, phase = 'Running') =>
  ({ metadata: { name, namespace: 'default', uid: name }, spec: { containers: [], ...spec }, status: { phase } }) as unknown as V1Pod

test('what pods ask for and may use, each in its unit; what has ended asks for nothing', () => {
  const main = { name: 'main', image: 'i', resources: { requests: { cpu: '250m', memory: '64Mi' }, limits: { cpu: '1', 'example.com/gpu': '2' } } }
  const init = { name: 'init', image: 'i', resources: { requests: { cpu: '500m' }, limits: { cpu: '2' } } }
  const families = parseStrictly(
    podResourceMetrics([
      pod('web', {
        containers: [main],
        initContainers: [init],
        nodeName: 'a',
        schedulerName: 'default-scheduler',
        priority: 5,
        overhead: { cpu: '100m', memory: '1Mi' },
      }),
      pod('idle', { containers: [{ name: 'main', image: 'i' }] }),
      pod('ended', { containers: [main] }, 'Succeeded'),
    ]),
  )
  const samples = (name: string) => families.get(name)?.samples.map(({ labels, value }) => [labels.pod, labels.resource, labels.unit, value])
  assert.deepEqual(samples('kube_pod_resource_request'), [
    ['web', 'cpu', 'cores', 0.6],
    ['web', 'memory', 'bytes', 65 * 2 ** 20],
  ])
  assert.deepEqual(samples('kube_pod_resource_limit'), [
    ['web', 'cpu', 'cores', 2.1],
    ['web', 'example.com/gpu', 'integer', 2],
  ])
  const { labels } = families.get('kube_pod_resource_limit')?.samples[0] ?? {}
  assert.deepEqual([labels?.node, labels?.scheduler, labels?.priority, labels?.namespace], ['a', 'default-scheduler', '5', 'default'])
  assert.equal(podResourceMetrics([]), '')
})
