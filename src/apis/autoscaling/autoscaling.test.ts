import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { V1HorizontalPodAutoscaler, V2HorizontalPodAutoscaler, V2MetricSpec, V2MetricStatus } from '../../machinery/schema/generated/types.ts'
import { created, problems, row } from '../testing/draft.ts'
import { HorizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts'
import { HorizontalPodAutoscalerV1 } from './horizontal-pod-autoscaler-v1.ts'
import { currentFromV1, currentToV1, metricFromV1, metricToV1 } from './v1-metrics.ts'

const metadata = { name: 'web', namespace: 'shop' }
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }

test('version 1 is stored as version 2 and comes back the same', () => {
  const one = created(HorizontalPodAutoscalerV1, {
    apiVersion: 'autoscaling/v1',
    metadata,
    spec: { scaleTargetRef, maxReplicas: 5, targetCPUUtilizationPercentage: 50 },
  })
  const stored = HorizontalPodAutoscalerV1.storedAs?.toStored(one)
  assert.deepEqual(stored, {
    apiVersion: 'autoscaling/v2',
    metadata,
    spec: {
      scaleTargetRef,
      minReplicas: 1,
      maxReplicas: 5,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }],
    },
    status: { currentReplicas: 0, desiredReplicas: 0 },
  })
  assert.deepEqual(stored && HorizontalPodAutoscalerV1.storedAs?.fromStored(stored), one)
})

test('what version 1 cannot say goes along', () => {
  const two = created(HorizontalPodAutoscaler, {
    apiVersion: 'autoscaling/v2',
    metadata,
    spec: {
      scaleTargetRef,
      maxReplicas: 5,
      metrics: [{ type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '100Mi' } } }],
      behavior: {},
    },
  })
  const one = HorizontalPodAutoscalerV1.storedAs?.fromStored(two as never) as V1HorizontalPodAutoscaler
  assert.ok(one.metadata.annotations?.['autoscaling.alpha.kubernetes.io/metrics'])
  assert.deepEqual(HorizontalPodAutoscalerV1.storedAs?.toStored(one), two)
})

test('a behavior has the form that clients of version 1 know, and is understood in any case; what it leaves out is as usual', () => {
  const annotation = 'autoscaling.alpha.kubernetes.io/behavior'
  const text =
    '{"ScaleUp":null,"ScaleDown":{"StabilizationWindowSeconds":60,"SelectPolicy":null,"Policies":[{"Type":"Pods","Value":1,"PeriodSeconds":30}],"Tolerance":null}}'
  const one = created(HorizontalPodAutoscalerV1, { metadata: { ...metadata, annotations: { [annotation]: text } }, spec: { scaleTargetRef, maxReplicas: 5 } })
  assert.deepEqual(problems(HorizontalPodAutoscalerV1, one), [])
  const stored = HorizontalPodAutoscalerV1.storedAs?.toStored(one) as unknown as V2HorizontalPodAutoscaler
  assert.deepEqual(stored.spec.behavior?.scaleDown, { stabilizationWindowSeconds: 60, policies: [{ type: 'Pods', value: 1, periodSeconds: 30 }] })
  assert.equal(stored.spec.behavior?.scaleUp?.policies?.length, 2)
  const back = HorizontalPodAutoscalerV1.storedAs?.fromStored(stored as never) as V1HorizontalPodAutoscaler
  const { ScaleDown, ScaleUp } = JSON.parse(back.metadata.annotations?.[annotation] ?? '')
  assert.deepEqual(ScaleDown, JSON.parse(text).ScaleDown)
  assert.deepEqual(ScaleUp.Policies[1], { Type: 'Percent', Value: 100, PeriodSeconds: 15 })
})

test('every kind of metric has the form of version 1 in its annotation, and comes back the same', () => {
  const selector = { matchLabels: { tier: 'front' } }
  const described = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'front' }
  const metrics: V2MetricSpec[] = [
    { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '100Mi' } } },
    { type: 'ContainerResource', containerResource: { name: 'cpu', container: 'main', target: { type: 'Utilization', averageUtilization: 60 } } },
    { type: 'Pods', pods: { metric: { name: 'requests', selector }, target: { type: 'AverageValue', averageValue: '10' } } },
    { type: 'Object', object: { describedObject: described, metric: { name: 'hits' }, target: { type: 'Value', value: '50' } } },
    { type: 'Object', object: { describedObject: described, metric: { name: 'hits' }, target: { type: 'AverageValue', averageValue: '5' } } },
    { type: 'External', external: { metric: { name: 'queue', selector }, target: { type: 'AverageValue', averageValue: '3' } } },
  ]
  const flat = metrics.map(metricToV1)
  assert.deepEqual(flat, [
    { type: 'Resource', resource: { name: 'memory', targetAverageValue: '100Mi' } },
    { type: 'ContainerResource', containerResource: { name: 'cpu', container: 'main', targetAverageUtilization: 60 } },
    { type: 'Pods', pods: { metricName: 'requests', selector, targetAverageValue: '10' } },
    { type: 'Object', object: { target: described, metricName: 'hits', targetValue: '50' } },
    { type: 'Object', object: { target: described, metricName: 'hits', averageValue: '5', targetValue: '0' } },
    { type: 'External', external: { metricName: 'queue', metricSelector: selector, targetAverageValue: '3' } },
  ])
  assert.deepEqual(flat.map(metricFromV1), metrics)
  const current: V2MetricStatus[] = [
    { type: 'External', external: { metric: { name: 'queue' }, current: { averageValue: '3' } } },
    { type: 'Object', object: { describedObject: described, metric: { name: 'hits' }, current: { value: '7' } } },
    { type: '' },
  ]
  assert.deepEqual(current.map(currentToV1).map(currentFromV1), current)
})

test('columns and validation', () => {
  const two = created(HorizontalPodAutoscaler, { metadata, spec: { scaleTargetRef, maxReplicas: 5 } })
  assert.deepEqual(row(HorizontalPodAutoscaler, two), {
    Name: 'web',
    Reference: 'Deployment/web',
    Targets: 'cpu: <unknown>/80%',
    MinPods: '1',
    MaxPods: 5,
    Replicas: 0,
    Age: '<unknown>',
  })
  assert.deepEqual(problems(HorizontalPodAutoscaler, { metadata, spec: { scaleTargetRef, minReplicas: 3, maxReplicas: 2 } }), [
    'spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`',
  ])
})
