/** Reads metrics from the APIs that serve them, whoever that is: resource, custom and external metrics. */
import type { Client } from '../../client/client.ts'
import { ApiError } from '../../machinery/errors.ts'
import type { Status } from '../../machinery/object.ts'
import { toMilli } from '../../machinery/quantity.ts'
import { parseDuration } from './duration.ts'
import type { PodMetrics } from './pod-metrics.ts'

interface ResourceMetricsList {
  items?: {
    metadata: { name: string; namespace: string }
    timestamp: string
    window: string
    containers?: { name: string; usage: Record<string, string> }[]
  }[]
}

interface MetricValues {
  items?: { describedObject?: { name: string }; value: string; timestamp?: string; windowSeconds?: number }[]
}

const usualWindowMs = 60_000

export async function resourceMetrics(client: Client, namespace: string, selector: string, resource: string, container?: string): Promise<PodMetrics> {
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`
  const { items = [] } = (await read(client, path, { labelSelector: selector }, 'pods.metrics.k8s.io').catch(
    because('unable to fetch metrics from resource metrics API'),
  )) as ResourceMetricsList
  if (items.length === 0) throw new Error('no metrics returned from resource metrics API')
  const metrics: PodMetrics = new Map()
  for (const { metadata, timestamp, window, containers = [] } of items) {
    const counted = container === undefined ? containers : containers.filter(({ name }) => name === container)
    if (container !== undefined && counted.length === 0)
      throw new Error(`failed to get container metrics: container ${container} not present in metrics for pod ${metadata.namespace}/${metadata.name}`)
    const amounts = counted.map(({ usage }) => usage[resource])
    if (counted.length === 0 || !amounts.every((amount) => amount !== undefined)) continue
    const value = amounts.reduce((sum, amount) => sum + toMilli(amount), 0)
    metrics.set(metadata.name, { value, at: Date.parse(timestamp), windowMs: parseDuration(window) })
  }
  return metrics
}

export async function podsMetrics(client: Client, namespace: string, selector: string, metric: string, metricSelector: string): Promise<PodMetrics> {
  const items = await customMetrics(client, `namespaces/${namespace}/pods/*/${metric}`, { labelSelector: selector, ...metricLabels(metricSelector) })
  const metrics: PodMetrics = new Map()
  for (const { describedObject, value, timestamp, windowSeconds } of items)
    metrics.set(describedObject?.name ?? '', {
      value: toMilli(value),
      at: timestamp ? Date.parse(timestamp) : 0,
      windowMs: windowSeconds === undefined ? usualWindowMs : windowSeconds * 1000,
    })
  return metrics
}

/** In thousandths. `resource` is `ingresses.networking.k8s.io`; undefined for the namespace itself. */
export async function objectMetric(
  client: Client,
  namespace: string,
  resource: string | undefined,
  name: string,
  metric: string,
  metricSelector: string,
): Promise<number> {
  const path = resource === undefined ? `namespaces/${namespace}/metrics/${metric}` : `namespaces/${namespace}/${resource}/${name}/${metric}`
  const [found] = await customMetrics(client, path, metricLabels(metricSelector))
  return toMilli(found?.value ?? '0')
}

/** The sum of all series, in thousandths. */
export async function externalMetric(client: Client, namespace: string, metric: string, selector: string): Promise<number> {
  const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/${metric}`
  const { items = [] } = (await read(client, path, selector ? { labelSelector: selector } : {}, `${metric}.external.metrics.k8s.io`).catch(
    because('unable to fetch metrics from external metrics API'),
  )) as MetricValues
  if (items.length === 0) throw new Error('no metrics returned from external metrics API')
  return items.reduce((sum, { value }) => sum + toMilli(value), 0)
}

const metricLabels = (selector: string): Record<string, string> => (selector ? { metricLabelSelector: selector } : {})

async function customMetrics(client: Client, path: string, query: Record<string, string>): Promise<NonNullable<MetricValues['items']>> {
  const from = because('unable to fetch metrics from custom metrics API')
  const group = 'custom.metrics.k8s.io'
  const { preferredVersion } = (await read(client, `/apis/${group}`, {}, group).catch(from)) as { preferredVersion?: { groupVersion: string } }
  const root = preferredVersion?.groupVersion ?? `${group}/v1beta2`
  const { items = [] } = (await read(client, `/apis/${root}/${path}`, query, group).catch(from)) as MetricValues
  if (items.length === 0) throw new Error('no metrics returned from custom metrics API')
  return items
}

async function read(client: Client, path: string, query: Record<string, string>, what: string): Promise<unknown> {
  const { status, object } = await client.raw({ method: 'GET', path, query })
  if (status < 300 && object !== undefined) return object
  const failure = object as Status | undefined
  if (failure?.kind === 'Status' && failure.details?.name) throw new ApiError(failure)
  const words =
    status === 404 ? 'the server could not find the requested resource' : status === 503 ? 'the server is currently unable to handle the request' : undefined
  throw new Error(words ? `${words} (get ${what})` : (failure?.message ?? `the server answered with HTTP status ${status}`))
}

const because = (words: string) => (error: unknown) => {
  throw new Error(`${words}: ${error instanceof Error ? error.message : String(error)}`)
}
