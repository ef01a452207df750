import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V2HorizontalPodAutoscaler, V2MetricSpec, V2MetricTarget } from '../../machinery/schema/generated/types.ts'
import { ageColumn, integer, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { positive } from '../formats.ts'
import { quantityOrNothing } from '../resource-list.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'
import { metricsText } from './metric-text.ts'
import { scalingRulesDefaults, validateBehavior } from './scaling-rules.ts'

export const HorizontalPodAutoscaler = defineResource<V2HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  model: 'V2HorizontalPodAutoscaler',
  subresources: [statusSubresource()],
  columns: [
    nameColumn,
    text('Reference', ({ spec }) => `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`),
    text('Targets', metricsText),
    text('MinPods', ({ spec }) => (spec.minReplicas === undefined ? '<unset>' : `${spec.minReplicas}`)),
    integer('MaxPods', ({ spec }) => spec.maxReplicas),
    integer('Replicas', ({ status }) => status?.currentReplicas),
    ageColumn,
  ],
  applyDefaults(autoscaler) {
    autoscaler.spec ??= { maxReplicas: 0, scaleTargetRef: { kind: '', name: '' } }
    const { spec } = autoscaler
    spec.scaleTargetRef ??= { kind: '', name: '' }
    spec.minReplicas ??= 1
    if (!spec.metrics?.length) spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }]
    if (spec.behavior) scalingRulesDefaults(spec.behavior)
  },
  prepareForCreate(autoscaler) {
    autoscaler.status = { currentReplicas: 0, desiredReplicas: 0 }
  },
  prepareForUpdate: keepStatus,
  validate: validateAutoscaler,
  validateUpdate: validateAutoscaler,
})

export function validateAutoscaler({ spec }: V2HorizontalPodAutoscaler): FieldError[] {
  const errors: FieldError[] = []
  const { minReplicas, maxReplicas = 0, scaleTargetRef } = spec
  if (minReplicas !== undefined && minReplicas < 1) errors.push(invalidValue('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'))
  if (maxReplicas < 1) errors.push(invalidValue('spec.maxReplicas', maxReplicas, positive))
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    errors.push(invalidValue('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'))
  for (const field of ['kind', 'name'] as const) if (!scaleTargetRef[field]) errors.push(required(`spec.scaleTargetRef.${field}`))
  spec.metrics?.forEach((metric, index) => {
    errors.push(...validateMetric(metric, `spec.metrics[${index}]`))
  })
  return [...errors, ...validateBehavior(spec.behavior)]
}

const sources: Record<string, 'resource' | 'containerResource' | 'pods' | 'object' | 'external'> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
}

function validateMetric(metric: V2MetricSpec, at: string): FieldError[] {
  if (!metric.type) return [required(`${at}.type`, 'must specify a metric source type')]
  const expected = sources[metric.type]
  if (!expected) return [notSupported(`${at}.type`, metric.type, Object.keys(sources))]
  const errors: FieldError[] = []
  if (!metric[expected]) errors.push(required(`${at}.${expected}`, `must populate information for the given metric source`))
  for (const other of Object.values(sources))
    if (other !== expected && metric[other]) errors.push(forbiddenField(`${at}.${other}`, 'must populate the given metric source only'))
  for (const field of ['resource', 'containerResource'] as const) {
    const source = metric[field]
    if (!source) continue
    if (!source.name) errors.push(required(`${at}.${field}.name`, 'must specify a resource name'))
    if ('container' in source && !source.container) errors.push(required(`${at}.${field}.container`, 'must specify a container name'))
  }
  for (const field of ['pods', 'object', 'external'] as const)
    if (metric[field] && !metric[field]?.metric?.name) errors.push(required(`${at}.${field}.metric.name`, 'must specify a metric name'))
  const target = metric[expected]?.target
  return target ? [...errors, ...validateTarget(target, `${at}.${expected}.target`)] : errors
}

function validateTarget({ type, averageUtilization, averageValue, value }: V2MetricTarget, at: string): FieldError[] {
  const errors: FieldError[] = []
  if (!type) errors.push(required(`${at}.type`, 'must specify a metric target type'))
  else if (!['AverageValue', 'Utilization', 'Value'].includes(type))
    errors.push(invalidValue(`${at}.type`, type, 'must be either Utilization, Value, or AverageValue'))
  if (averageUtilization === undefined && averageValue === undefined && value === undefined)
    errors.push(required(`${at}.averageUtilization`, 'must set either a target raw value or a target utilization'))
  if (averageUtilization !== undefined && averageUtilization < 1)
    errors.push(invalidValue(`${at}.averageUtilization`, averageUtilization, 'must be greater than 0'))
  for (const [field, amount] of Object.entries({ averageValue, value }))
    if (amount !== undefined && (quantityOrNothing(amount)?.nanos ?? 0n) <= 0n) errors.push(invalidValue(`${at}.${field}`, amount, 'must be positive'))
  return errors
}
