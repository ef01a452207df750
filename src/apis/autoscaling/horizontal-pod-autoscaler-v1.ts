import type { AnyObject } from '../../machinery/object.ts'
import type { V1HorizontalPodAutoscaler, V2HorizontalPodAutoscaler, V2MetricSpec } from '../../machinery/schema/generated/types.ts'
import { ageColumn, integer, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import type { Resource } from '../resource.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'
import { behaviorFromParsed, behaviorToText } from './behavior-annotation.ts'
import { HorizontalPodAutoscaler, validateAutoscaler } from './horizontal-pod-autoscaler.ts'
import { currentFromV1, currentToV1, metricFromV1, metricToV1 } from './v1-metrics.ts'

/** What version 1 has no field for goes along in annotations, so that nothing is lost on the way there and back. */
const metricsAnnotation = 'autoscaling.alpha.kubernetes.io/metrics'
const behaviorAnnotation = 'autoscaling.alpha.kubernetes.io/behavior'
const conditionsAnnotation = 'autoscaling.alpha.kubernetes.io/conditions'
const currentAnnotation = 'autoscaling.alpha.kubernetes.io/current-metrics'

export const HorizontalPodAutoscalerV1 = defineResource<V1HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  model: 'V1HorizontalPodAutoscaler',
  subresources: [statusSubresource()],
  storedAs: {
    resource: HorizontalPodAutoscaler as unknown as Resource,
    toStored: (autoscaler) => toV2(autoscaler) as unknown as AnyObject,
    fromStored: (autoscaler) => fromV2(autoscaler as unknown as V2HorizontalPodAutoscaler),
  },
  columns: [
    nameColumn,
    text('Reference', ({ spec }) => `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`),
    text('Targets', ({ spec, status }) => {
      if (spec.targetCPUUtilizationPercentage === undefined) return '<none>'
      const used = status?.currentCPUUtilizationPercentage
      return `cpu: ${used === undefined ? '<unknown>' : `${used}%`}/${spec.targetCPUUtilizationPercentage}%`
    }),
    text('MinPods', ({ spec }) => (spec.minReplicas === undefined ? '<unset>' : `${spec.minReplicas}`)),
    integer('MaxPods', ({ spec }) => spec.maxReplicas),
    integer('Replicas', ({ status }) => status?.currentReplicas),
    ageColumn,
  ],
  applyDefaults(autoscaler) {
    autoscaler.spec ??= { maxReplicas: 0, scaleTargetRef: { kind: '', name: '' } }
    autoscaler.spec.scaleTargetRef ??= { kind: '', name: '' }
    autoscaler.spec.minReplicas ??= 1
    if (!autoscaler.metadata.annotations?.[metricsAnnotation]) autoscaler.spec.targetCPUUtilizationPercentage ??= 80
  },
  prepareForCreate(autoscaler) {
    autoscaler.status = { currentReplicas: 0, desiredReplicas: 0 }
  },
  prepareForUpdate: keepStatus,
  validate: (autoscaler) => validateAutoscaler(toV2(autoscaler)),
  validateUpdate: (draft) => validateAutoscaler(toV2(draft)),
})

const isCpu = (metric: V2MetricSpec): boolean => metric.type === 'Resource' && metric.resource?.name === 'cpu' && metric.resource.target.type === 'Utilization'

function toV2({ apiVersion: _, metadata, spec, status, ...rest }: V1HorizontalPodAutoscaler): V2HorizontalPodAutoscaler {
  const { targetCPUUtilizationPercentage: cpu, ...sameSpec } = spec
  const annotations = { ...metadata.annotations }
  const metrics: V2MetricSpec[] = (taken<Record<string, unknown>[]>(annotations, metricsAnnotation) ?? []).map(metricFromV1)
  if (cpu !== undefined) metrics.unshift({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpu } } })
  const behavior = behaviorFromParsed(taken(annotations, behaviorAnnotation))
  const conditions: NonNullable<V2HorizontalPodAutoscaler['status']>['conditions'] = taken(annotations, conditionsAnnotation)
  const current = (taken<Record<string, unknown>[]>(annotations, currentAnnotation) ?? []).map(currentFromV1)
  const { currentCPUUtilizationPercentage: used, ...sameStatus } = status ?? { currentReplicas: 0, desiredReplicas: 0 }
  if (used !== undefined) current.unshift({ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: used } } })
  return {
    ...rest,
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(metadata, annotations),
    spec: { ...sameSpec, ...(metrics.length > 0 && { metrics }), ...(behavior && { behavior }) },
    status: { ...sameStatus, ...(conditions && { conditions }), ...(current.length > 0 && { currentMetrics: current }) },
  }
}

function fromV2({ apiVersion: _, metadata, spec, status, ...rest }: V2HorizontalPodAutoscaler): V1HorizontalPodAutoscaler {
  const { metrics = [], behavior, ...sameSpec } = spec
  const { conditions, currentMetrics = [], currentReplicas = 0, ...sameStatus } = status ?? { desiredReplicas: 0 }
  const annotations = { ...metadata.annotations }
  const cpu = metrics.find(isCpu)
  const other = metrics.filter((metric) => metric !== cpu)
  const used = currentMetrics.find((metric) => metric.resource?.name === 'cpu' && metric.resource.current.averageUtilization !== undefined)
  const otherCurrent = currentMetrics.filter((metric) => metric !== used)
  if (other.length > 0) annotations[metricsAnnotation] = JSON.stringify(other.map(metricToV1))
  if (behavior) annotations[behaviorAnnotation] = behaviorToText(behavior)
  if (conditions?.length) annotations[conditionsAnnotation] = JSON.stringify(conditions)
  if (otherCurrent.length > 0) annotations[currentAnnotation] = JSON.stringify(otherCurrent.map(currentToV1))
  const target = cpu?.resource?.target.averageUtilization
  const utilization = used?.resource?.current.averageUtilization
  return {
    ...rest,
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(metadata, annotations),
    spec: { ...sameSpec, ...(target !== undefined && { targetCPUUtilizationPercentage: target }) },
    status: { ...sameStatus, currentReplicas, ...(utilization !== undefined && { currentCPUUtilizationPercentage: utilization }) },
  }
}

/** The JSON of an annotation, which is taken out. Text that is no JSON stays an annotation like any other. */
function taken<T>(annotations: Record<string, string>, key: string): T | undefined {
  const text = annotations[key]
  if (text === undefined) return undefined
  try {
    const value = JSON.parse(text) as T
    delete annotations[key]
    return value
  } catch {
    return undefined
  }
}

function withAnnotations<T extends { annotations?: Record<string, string> }>(metadata: T, annotations: Record<string, string>): T {
  const { annotations: _, ...rest } = metadata
  return (Object.keys(annotations).length > 0 ? { ...rest, annotations } : rest) as T
}
