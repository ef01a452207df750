import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { V1HorizontalPodAutoscaler } from '../../machinery/schema/generated/types.ts'
import { created, problems, row } from '../testing/draft.ts'
import { HorizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts'
import { HorizontalPodAutoscalerV1 } from './horizontal-pod-autoscaler-v1.ts'

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
