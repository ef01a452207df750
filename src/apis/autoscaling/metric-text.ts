import type { V2HorizontalPodAutoscaler, V2MetricSpec, V2MetricStatus, V2MetricTarget, V2MetricValueStatus } from '../../machinery/schema/generated/types.ts'

const shown = 2

/** `cpu: 12%/80%, memory: 50Mi/100Mi`: what is measured of what is aimed at. */
export function metricsText({ spec, status }: V2HorizontalPodAutoscaler): string {
  const metrics = spec.metrics ?? []
  if (metrics.length === 0) return '<none>'
  const texts = metrics.map((metric, index) => metricText(metric, status?.currentMetrics?.[index]))
  return texts.length > shown ? `${texts.slice(0, shown).join(', ')} + ${texts.length - shown} more...` : texts.join(', ')
}

function metricText(metric: V2MetricSpec, status: V2MetricStatus | undefined): string {
  switch (metric.type) {
    case 'Resource':
      return `${metric.resource?.name}: ${resourceText(metric.resource?.target, status?.resource?.current)}`
    case 'ContainerResource':
      return `${metric.containerResource?.name}: ${resourceText(metric.containerResource?.target, status?.containerResource?.current)}`
    case 'Pods':
      return pair(status?.pods?.current.averageValue, metric.pods?.target.averageValue)
    case 'Object':
      return valueText(metric.object?.target, status?.object?.current)
    case 'External':
      return valueText(metric.external?.target, status?.external?.current)
    default:
      return '<unknown type>'
  }
}

function resourceText(target: V2MetricTarget | undefined, current: V2MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return pair(current?.averageValue, target.averageValue)
  const used = current?.averageUtilization
  return pair(used === undefined ? undefined : `${used}%`, target?.averageUtilization === undefined ? '<auto>' : `${target.averageUtilization}%`)
}

const valueText = (target: V2MetricTarget | undefined, current: V2MetricValueStatus | undefined): string =>
  target?.averageValue !== undefined ? `${pair(current?.averageValue, target.averageValue)} (avg)` : pair(current?.value, target?.value)

const pair = (current: string | undefined, target: string | undefined): string => `${current ?? '<unknown>'}/${target ?? '<unknown>'}`
