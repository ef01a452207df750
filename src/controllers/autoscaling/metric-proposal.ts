/** What one metric of an autoscaler asks for: how many replicas, and what it measured. */
import type { Client } from '../../client/client.ts'
import { formatQuantity, fromMilli, toMilli } from '../../machinery/quantity.ts'
import type { V1LabelSelector, V2HorizontalPodAutoscaler, V2MetricSpec, V2MetricStatus, V2MetricTarget } from '../../machinery/schema/generated/types.ts'
import { labelSelectorToString } from '../../machinery/selectors.ts'
import { printedSelector } from '../selector-text.ts'
import { externalMetric, objectMetric, podsMetrics, resourceMetrics } from './metrics-client.ts'
import { requestsOf } from './pod-metrics.ts'
import { byAverage, byUtilization, byValue, byValuePerPod, type Situation } from './replica-calculator.ts'
import type { ScaleTargets } from './scale-target.ts'

export interface Proposal {
  replicas: number
  /** As events name it: `cpu resource utilization (percentage of request)`. */
  name: string
  status: V2MetricStatus
}

export interface MetricContext {
  client: Client
  /** When the autoscaler's controller stops. */
  signal: AbortSignal
  autoscaler: V2HorizontalPodAutoscaler
  /** Of the pods, as it is written in a query. */
  selector: string
  situation: Situation
  /** How many there are, as the scale's status says. */
  statusReplicas: number
  targets: ScaleTargets
}

/** Why a metric says nothing; `reason` is the condition's. */
export class MetricFailure extends Error {
  readonly reason: string
  /** Without what it was about. */
  readonly bare: string
  constructor(reason: string, about: string, bare: string) {
    super(about ? `${about}: ${bare}` : bare)
    this.name = 'MetricFailure'
    this.reason = reason
    this.bare = bare
  }
}

export async function propose(metric: V2MetricSpec, context: MetricContext): Promise<Proposal> {
  switch (metric.type) {
    case 'Resource':
      return resourceProposal(metric, context)
    case 'ContainerResource':
      return resourceProposal(metric, context)
    case 'Pods':
      return failing('FailedGetPodsMetric', 'failed to get pods metric value', '', () => podsProposal(metric, context))
    case 'Object':
      return failing('FailedGetObjectMetric', 'failed to get object metric value', '', () => objectProposal(metric, context))
    case 'External':
      return failing('FailedGetExternalMetric', `failed to get ${metric.external?.metric.name} external metric value`, '', () =>
        externalProposal(metric, context),
      )
    default:
      throw new MetricFailure('InvalidMetricSourceType', '', `unknown metric source type ${JSON.stringify(metric.type)}`)
  }
}

async function failing<T>(reason: string, about: string, words: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new MetricFailure(reason, about, words ? `${words}: ${messageOf(error)}` : messageOf(error))
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

async function unable<T>(words: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new Error(`${words}: ${messageOf(error)}`)
  }
}

const milli = (amount: number) => formatQuantity(fromMilli(amount))

function resourceProposal(metric: V2MetricSpec, from: MetricContext): Promise<Proposal> {
  const { autoscaler, selector, situation } = from
  const source = metric.containerResource ?? metric.resource
  const container = metric.containerResource?.container
  const { name = '', target = {} as V2MetricTarget } = source ?? {}
  const reason = container === undefined ? 'FailedGetResourceMetric' : 'FailedGetContainerResourceMetric'
  const about = `failed to get ${name} ${container === undefined ? 'resource' : 'container'} metric value`
  const fetch = () =>
    unable(`unable to get metrics for resource ${name}`, () => resourceMetrics(from, autoscaler.metadata.namespace, selector, name, container))
  const status = (current: { averageUtilization?: number; averageValue: string }): V2MetricStatus =>
    container === undefined ? { type: metric.type, resource: { name, current } } : { type: metric.type, containerResource: { name, container, current } }
  if (target.averageValue !== undefined) {
    const goal = toMilli(target.averageValue)
    return failing(reason, about, `failed to get ${name} usage`, async () => {
      const { replicas, measure } = byAverage(situation, await fetch(), name, goal)
      return { replicas, name: `${name} resource`, status: status({ averageValue: milli(measure) }) }
    })
  }
  const goal = target.averageUtilization
  if (goal === undefined)
    throw new MetricFailure(reason, about, 'invalid resource metric source: neither an average utilization nor an average value (usage) target was set')
  return failing(reason, about, `failed to get ${name} utilization`, async () => {
    const metrics = await fetch()
    if (situation.pods.length === 0) throw new Error('no pods returned by selector while calculating replica count')
    const { replicas, measure } = byUtilization(situation, metrics, name, requestsOf(situation.pods, name, container, toMilli), goal)
    const used = container === undefined ? `${name} resource utilization` : `${name} container resource utilization`
    return {
      replicas,
      name: `${used} (percentage of request)`,
      status: status({ averageUtilization: measure.percent, averageValue: milli(measure.average) }),
    }
  })
}

async function podsProposal({ type, pods }: V2MetricSpec, from: MetricContext): Promise<Proposal> {
  const { autoscaler, selector, situation } = from
  if (!pods?.target.averageValue) throw new Error('invalid pods metric source: no average value target was set')
  const { metric, target } = pods
  const metrics = await unable(`unable to get metric ${metric.name}`, () =>
    podsMetrics(from, autoscaler.metadata.namespace, selector, metric.name, textOf(metric.selector)),
  )
  const { replicas, measure } = byAverage(situation, metrics, '', toMilli(target.averageValue ?? '0'))
  return { replicas, name: `pods metric ${metric.name}`, status: { type, pods: { metric, current: { averageValue: milli(measure) } } } }
}

async function objectProposal({ type, object }: V2MetricSpec, context: MetricContext): Promise<Proposal> {
  if (!object) throw new Error('invalid object metric source')
  const { client, autoscaler, situation, statusReplicas, targets } = context
  const { metric, target, describedObject } = object
  const { namespace } = autoscaler.metadata
  const usage = await unable(`unable to get metric ${metric.name}: ${describedObject.kind} on ${namespace} ${describedObject.name}`, async () => {
    const isNamespace = describedObject.kind === 'Namespace' && !(describedObject.apiVersion ?? '').includes('/')
    const { group, plural } = isNamespace ? { group: '', plural: '' } : await targets.resourceOf(client, describedObject, situation.now)
    const resource = isNamespace ? undefined : group ? `${plural}.${group}` : plural
    return objectMetric(context, namespace, resource, describedObject.name, metric.name, textOf(metric.selector))
  })
  if (target.type === 'Value' && target.value !== undefined) {
    const replicas = byValue(situation, usage, toMilli(target.value))
    return {
      replicas,
      name: `${describedObject.kind} metric ${metric.name}`,
      status: { type, object: { metric, describedObject, current: { value: milli(usage) } } },
    }
  }
  if (target.type !== 'AverageValue' || target.averageValue === undefined)
    throw new Error('invalid object metric source: neither a value target nor an average value target was set')
  const { replicas, average } = byValuePerPod(situation, usage, toMilli(target.averageValue), statusReplicas)
  return {
    replicas,
    name: `external metric ${metric.name}(${printed(metric.selector)})`,
    status: { type, object: { metric, describedObject, current: { averageValue: milli(average) } } },
  }
}

async function externalProposal({ type, external }: V2MetricSpec, context: MetricContext): Promise<Proposal> {
  if (!external) throw new Error('invalid external metric source')
  const { autoscaler, situation, statusReplicas } = context
  const { metric, target } = external
  const { namespace } = autoscaler.metadata
  if (target.averageValue === undefined && target.value === undefined)
    throw new Error('invalid external metric source: neither a value target nor an average value target was set')
  const usage = await unable(`unable to get external metric ${namespace}/${metric.name}/${printed(metric.selector)}`, () =>
    externalMetric(context, namespace, metric.name, textOf(metric.selector)),
  )
  const name = `external metric ${metric.name}(${printed(metric.selector)})`
  if (target.averageValue !== undefined) {
    const { replicas, average } = byValuePerPod(situation, usage, toMilli(target.averageValue), statusReplicas)
    return { replicas, name, status: { type, external: { metric, current: { averageValue: milli(average) } } } }
  }
  const replicas = byValue(situation, usage, toMilli(target.value ?? '0'))
  return { replicas, name, status: { type, external: { metric, current: { value: milli(usage) } } } }
}

const textOf = (selector: V1LabelSelector | undefined): string => (selector ? labelSelectorToString(selector) : '')

const printed = (selector: V1LabelSelector | undefined): string => (selector ? printedSelector(selector) : 'nil')
