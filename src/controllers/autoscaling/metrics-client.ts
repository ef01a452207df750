/** Reads metrics from the APIs that serve them, whoever that is: resource, custom and external metrics. */
import type { Client } from '../../client/client.ts'
import { ApiError } from '../../machinery/errors.ts'
import type { Status } from '../../machinery/object.ts'
import { isObject } from '../../machinery/patch/json-value.ts'
import { toMilli } from '../../machinery/quantity.ts'
import { parseDuration } from './duration.ts'
import type { PodMetrics } from './pod-metrics.ts'

export interface MetricsSource {
  client: Client
  /** When nobody waits for an answer any more. */
  signal: AbortSignal
}

interface MetricsOfPod {
  metadata: { name: string; namespace: string }
  timestamp: string
  window: string
  containers?: { name: string; usage?: Record<string, string> | null }[] | null
}

interface MetricValue {
  describedObject?: { name: string }
  value?: string
  timestamp?: string
  windowSeconds?: number
}

const usualWindowMs = 60_000

export async function resourceMetrics(from: MetricsSource, namespace: string, selector: string, resource: string, container?: string): Promise<PodMetrics> {
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`
  const items = await list<MetricsOfPod>(from, path, { labelSelector: selector }, 'pods.metrics.k8s.io').catch(
    because('unable to fetch metrics from resource metrics API'),
  )
  if (items.length === 0) throw new Error('no metrics returned from resource metrics API')
  const metrics: PodMetrics = new Map()
  for (const { metadata, timestamp, window, ...rest } of items) {
    const containers = rest.containers ?? []
    const counted = container === undefined ? containers : containers.filter(({ name }) => name === container)
    if (container !== undefined && counted.length === 0)
      throw new Error(`failed to get container metrics: container ${container} not present in metrics for pod ${metadata.namespace}/${metadata.name}`)
    const amounts = counted.map(({ usage }) => usage?.[resource])
    if (counted.length === 0 || !amounts.every((amount) => amount !== undefined)) continue
    const value = amounts.reduce((sum, amount) => sum + toMilli(amount), 0)
    metrics.set(metadata.name, { value, at: Date.parse(timestamp), windowMs: parseDuration(window) })
  }
  return metrics
}

export async function podsMetrics(from: MetricsSource, namespace: string, selector: string, metric: string, metricSelector: string): Promise<PodMetrics> {
  const items = await customMetrics(from, `namespaces/${namespace}/pods/*/${metric}`, { labelSelector: selector, ...metricLabels(metricSelector) })
  const metrics: PodMetrics = new Map()
  for (const { describedObject, value, timestamp, windowSeconds } of items)
    metrics.set(describedObject?.name ?? '', {
      value: milliOf(value),
      at: timestamp ? Date.parse(timestamp) : 0,
      windowMs: windowSeconds === undefined ? usualWindowMs : windowSeconds * 1000,
    })
  return metrics
}

/** In thousandths. `resource` is `ingresses.networking.k8s.io`; undefined for the namespace itself. */
export async function objectMetric(
  from: MetricsSource,
  namespace: string,
  resource: string | undefined,
  name: string,
  metric: string,
  metricSelector: string,
): Promise<number> {
  const path = resource === undefined ? `namespaces/${namespace}/metrics/${metric}` : `namespaces/${namespace}/${resource}/${name}/${metric}`
  const [found] = await customMetrics(from, path, metricLabels(metricSelector))
  return milliOf(found?.value)
}

/** The sum of all series, in thousandths. */
export async function externalMetric(from: MetricsSource, namespace: string, metric: string, selector: string): Promise<number> {
  const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/${metric}`
  const items = await list<MetricValue>(from, path, selector ? { labelSelector: selector } : {}, `${metric}.external.metrics.k8s.io`).catch(
    because('unable to fetch metrics from external metrics API'),
  )
  if (items.length === 0) throw new Error('no metrics returned from external metrics API')
  return items.reduce((sum, { value }) => sum + milliOf(value), 0)
}

/** An amount of nothing may be left out. */
const milliOf = (value: string | undefined) => toMilli(value ?? '0')

const metricLabels = (selector: string): Record<string, string> => (selector ? { metricLabelSelector: selector } : {})

async function customMetrics(from: MetricsSource, path: string, query: Record<string, string>): Promise<MetricValue[]> {
  const unfetched = because('unable to fetch metrics from custom metrics API')
  const group = 'custom.metrics.k8s.io'
  const { preferredVersion } = (await read(from, `/apis/${group}`, {}, group).catch(unfetched)) as { preferredVersion?: { groupVersion: string } }
  const root = preferredVersion?.groupVersion ?? `${group}/v1beta2`
  const items = await list<MetricValue>(from, `/apis/${root}/${path}`, query, group).catch(unfetched)
  if (items.length === 0) throw new Error('no metrics returned from custom metrics API')
  return items
}

/** Servers write an empty list as null, too. */
async function list<Item>(from: MetricsSource, path: string, query: Record<string, string>, what: string): Promise<Item[]> {
  const answer = (await read(from, path, query, what)) as { items?: unknown }
  const items = answer.items ?? []
  if (!Array.isArray(items) || !items.every(isObject)) throw new Error(`the answer is not a list of metrics (get ${what})`)
  return items as Item[]
}

async function read({ client, signal }: MetricsSource, path: string, query: Record<string, string>, what: string): Promise<unknown> {
  const { status, object } = await client.raw({ method: 'GET', path, query, signal })
  if (status < 300 && isObject(object)) return object
  if (status < 300) throw new Error(`the answer is not a JSON object (get ${what})`)
  const failure = object as Status | undefined
  if (failure?.kind === 'Status' && failure.details?.name) throw new ApiError(failure)
  const words =
    status === 404 ? 'the server could not find the requested resource' : status === 503 ? 'the server is currently unable to handle the request' : undefined
  throw new Error(words ? `${words} (get ${what})` : (failure?.message ?? `the server answered with HTTP status ${status}`))
}

const because = (words: string) => (error: unknown) => {
  throw new Error(`${words}: ${error instanceof Error ? error.message : String(error)}`)
}
