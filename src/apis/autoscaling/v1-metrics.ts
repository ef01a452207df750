/** Metrics in the form that they have in the annotations of version 1: flat, each kind with field names of its own. */
import type { V2MetricSpec, V2MetricStatus, V2MetricTarget, V2MetricValueStatus } from '../../machinery/schema/generated/types.ts'

type Flat = Record<string, unknown>
type Source = { name?: string; container?: string; metric?: { name: string; selector?: unknown }; describedObject?: unknown }
type Amount = { value?: string; averageValue?: string; averageUtilization?: number }

/** The field of `type`: `containerResource` of `ContainerResource`. */
const fieldOf = (type: string): string => type.charAt(0).toLowerCase() + type.slice(1)

/** What the amounts of a kind are called: `target…` in the specification, `current…` in the status. */
function amountNames(type: string, prefix: 'target' | 'current'): Record<keyof Amount, string> {
  const average = type === 'Object' ? 'averageValue' : `${prefix}AverageValue`
  return { value: `${prefix}Value`, averageValue: average, averageUtilization: `${prefix}AverageUtilization` }
}

function flat(type: string, source: (Source & { amount?: Amount }) | undefined, prefix: 'target' | 'current'): Flat {
  if (!source) return { type }
  const { name, container, metric, describedObject, amount = {} } = source
  const names = amountNames(type, prefix)
  const result: Flat = {}
  if (describedObject) result.target = describedObject
  if (name) result.name = name
  if (container) result.container = container
  if (metric) result.metricName = metric.name
  if (metric?.selector) result[type === 'External' ? 'metricSelector' : 'selector'] = metric.selector
  for (const [field, called] of Object.entries(names)) {
    const value = amount[field as keyof Amount]
    if (value !== undefined) result[called] = value
  }
  // A required field of this kind.
  if (type === 'Object') result[names.value] ??= '0'
  return { type, [fieldOf(type)]: result }
}

function deep(one: Flat, prefix: 'target' | 'current'): { type: string; field: string; source: Source | undefined; amount: Amount } {
  const type = String(one.type ?? '')
  const field = fieldOf(type)
  const found = one[field] as Flat | undefined
  const names = amountNames(type, prefix)
  const amount: Amount = {}
  for (const [key, called] of Object.entries(names)) if (found?.[called] !== undefined) Object.assign(amount, { [key]: found[called] })
  if (amount.averageValue !== undefined && type === 'Object') delete amount.value
  if (!found) return { type, field, source: undefined, amount }
  const selector = found.metricSelector ?? found.selector
  const source: Source = {
    ...(found.name ? { name: String(found.name) } : {}),
    ...(found.container ? { container: String(found.container) } : {}),
    ...(found.metricName ? { metric: { name: String(found.metricName), ...(selector ? { selector } : {}) } } : {}),
    ...(found.target ? { describedObject: found.target } : {}),
  }
  return { type, field, source, amount }
}

const sourceOf = <T>(metric: { type: string }): T | undefined => (metric as unknown as Record<string, T | undefined>)[fieldOf(metric.type)]

export function metricToV1(metric: V2MetricSpec): Flat {
  const source = sourceOf<Source & { target?: V2MetricTarget }>(metric)
  return flat(metric.type, source && { ...source, amount: source.target ?? {} }, 'target')
}

export function metricFromV1(one: Flat): V2MetricSpec {
  const { type, field, source, amount } = deep(one, 'target')
  const kind = amount.averageUtilization !== undefined ? 'Utilization' : amount.averageValue !== undefined ? 'AverageValue' : 'Value'
  return { type, ...(source ? { [field]: { ...source, target: { type: kind, ...amount } } } : {}) } as V2MetricSpec
}

export function currentToV1(status: V2MetricStatus): Flat {
  const source = sourceOf<Source & { current?: V2MetricValueStatus }>(status)
  return flat(status.type, source && { ...source, amount: source.current ?? {} }, 'current')
}

export function currentFromV1(one: Flat): V2MetricStatus {
  const { type, field, source, amount } = deep(one, 'current')
  return { type, ...(source ? { [field]: { ...source, current: amount } } : {}) } as V2MetricStatus
}
