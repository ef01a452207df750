/** One look at an autoscaler: what its metrics ask for, what of that is done, and what is said about it. */
import type { ReconcileContext } from '../../client/controller.ts'
import { Pod } from '../../client/resources.ts'
import { timestamp } from '../../machinery/clock.ts'
import { keyOf } from '../../machinery/object.ts'
import { toNumber } from '../../machinery/quantity.ts'
import type { V1Pod, V1Scale, V2HorizontalPodAutoscaler, V2HorizontalPodAutoscalerStatus, V2MetricStatus } from '../../machinery/schema/generated/types.ts'
import { type LabelSelector, parseLabelSelector } from '../../machinery/selectors.ts'
import { type AutoscalerMetrics, actionOf } from './autoscaler-metrics.ts'
import { Conditions } from './conditions.ts'
import { limitByBehavior, limitPlainly } from './limits.ts'
import { type MetricContext, MetricFailure, propose } from './metric-proposal.ts'
import type { ReadinessTimes } from './pod-metrics.ts'
import { ScaleTargets } from './scale-target.ts'
import type { ScalingHistory } from './scaling-history.ts'
import { byLabel, labelKeyOf, labelKeys, type SelectorClaims } from './selector-claims.ts'

export interface EvaluationOptions {
  tolerance: number
  downStabilizationMs: number
  times: ReadinessTimes
}

export interface Evaluation {
  autoscaler: V2HorizontalPodAutoscaler
  context: ReconcileContext
  history: ScalingHistory
  targets: ScaleTargets
  options: EvaluationOptions
  metrics: AutoscalerMetrics
  claims: SelectorClaims
}

export async function evaluate(evaluation: Evaluation): Promise<V2HorizontalPodAutoscalerStatus> {
  const { autoscaler, context } = evaluation
  const now = context.clock.now()
  const conditions = new Conditions(autoscaler.status?.conditions, now)
  const status: V2HorizontalPodAutoscalerStatus = { ...autoscaler.status, desiredReplicas: autoscaler.status?.desiredReplicas ?? 0 }
  const { generation } = autoscaler.metadata
  if (generation !== undefined) status.observedGeneration = generation
  const scaled = await scaleOf(evaluation, conditions, now)
  if (scaled) Object.assign(status, await decide(evaluation, scaled, conditions, now))
  if (status.currentMetrics?.length === 0) delete status.currentMetrics
  status.conditions = conditions.list()
  return status
}

type Scaled = { scale: V1Scale; write(replicas: number): Promise<unknown> }

async function scaleOf({ autoscaler, context, targets }: Evaluation, conditions: Conditions, now: number): Promise<Scaled | undefined> {
  const { scaleTargetRef } = autoscaler.spec
  const { namespace } = autoscaler.metadata
  try {
    const resource = await targets.resourceOf(context.client, scaleTargetRef, now)
    const scale = await ScaleTargets.scale(context.client, resource, namespace, scaleTargetRef.name)
    conditions.set('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale")
    const at = { namespace, name: scaleTargetRef.name }
    const write = (replicas: number) => context.client.subresource(resource, at, 'scale', 'update', { ...scale, spec: { ...scale.spec, replicas } })
    return { scale, write }
  } catch (error) {
    const message = messageOf(error)
    context.event(autoscaler, 'Warning', 'FailedGetScale', message)
    conditions.set('AbleToScale', 'False', 'FailedGetScale', `the HPA controller was unable to get the target's current scale: ${message}`)
    return undefined
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

async function decide(
  evaluation: Evaluation,
  { scale, write }: Scaled,
  conditions: Conditions,
  now: number,
): Promise<Partial<V2HorizontalPodAutoscalerStatus>> {
  const { autoscaler, context, history, options } = evaluation
  const { spec } = autoscaler
  const current = scale.spec?.replicas ?? 0
  const [min, max] = [spec.minReplicas ?? 1, spec.maxReplicas]
  if (history.recommendations.length === 0) history.recommend(now, current)

  let desired: number
  let reason = ''
  let currentMetrics = autoscaler.status?.currentMetrics
  if (current === 0 && min !== 0) {
    desired = 0
    conditions.set('ScalingActive', 'False', 'ScalingDisabled', 'scaling is disabled since the replica count of the target is zero')
  } else if (current > max) {
    desired = max
    reason = 'Current number of replicas above Spec.MaxReplicas'
  } else if (current < min) {
    desired = min
    reason = 'Current number of replicas below Spec.MinReplicas'
  } else {
    const chosen = podsOfTarget(evaluation, scale, conditions)
    if (chosen === undefined) return { currentReplicas: current, currentMetrics: [] }
    const asked = await askMetrics(evaluation, scale, chosen, conditions, now)
    currentMetrics = asked.statuses
    if (asked.replicas === undefined) return { currentReplicas: current, currentMetrics }
    if (asked.replicas > current) reason = `${asked.name} above target`
    else if (asked.replicas < current) reason = 'All metrics below target'
    const wish = { current, desired: asked.replicas, min, max, now, history, downStabilizationMs: options.downStabilizationMs }
    const limited = spec.behavior ? limitByBehavior(wish, spec.behavior) : limitPlainly(wish)
    conditions.set('AbleToScale', 'True', limited.able.reason, limited.able.message)
    conditions.set('ScalingLimited', limited.limited.status, limited.limited.reason, limited.limited.message)
    desired = limited.replicas
  }
  const told = { currentReplicas: current, ...(currentMetrics ? { currentMetrics } : {}) }
  if (desired === current) return { ...told, desiredReplicas: desired }
  try {
    await write(desired)
  } catch (error) {
    const message = messageOf(error)
    context.event(autoscaler, 'Warning', 'FailedRescale', `New size: ${desired}; reason: ${reason}; error: ${message}`)
    conditions.set('AbleToScale', 'False', 'FailedUpdateScale', `the HPA controller was unable to update the target scale: ${message}`)
    return told
  }
  history.scaled(now, current, desired)
  conditions.set('AbleToScale', 'True', 'SucceededRescale', `the HPA controller was able to update the target scale to ${desired}`)
  context.event(autoscaler, 'Normal', 'SuccessfulRescale', `New size: ${desired}; reason: ${reason}`)
  return { ...told, desiredReplicas: desired, lastScaleTime: timestamp(now) }
}

interface Chosen {
  pods: V1Pod[]
  /** As it is written in a query. */
  selector: string
}

/** Undefined when it cannot be said which they are, or when they are another autoscaler's, too. */
function podsOfTarget(evaluation: Evaluation, scale: V1Scale, conditions: Conditions): Chosen | undefined {
  const { autoscaler, context, claims } = evaluation
  const refuse = (reason: string, message: string, condition = message, conditionReason = reason): undefined => {
    context.event(autoscaler, 'Warning', reason, message)
    context.event(autoscaler, 'Warning', 'FailedComputeMetricsReplicas', message)
    conditions.set('ScalingActive', 'False', conditionReason, condition)
  }
  const text = scale.status?.selector
  if (!text) return refuse('SelectorRequired', 'selector is required', "the HPA target's scale is missing a selector", 'InvalidSelector')
  let selector: LabelSelector
  try {
    selector = parseLabelSelector(text)
  } catch (error) {
    return refuse('InvalidSelector', `couldn't convert selector into a corresponding internal selector object: ${messageOf(error)}`)
  }
  claims.claim(keyOf(autoscaler), autoscaler.metadata.namespace, selector)
  const pods = podsOf(evaluation, selector)
  const claimants = claims.claimants(pods)
  if (claimants.length <= 1) return { pods, selector: text }
  return refuse('AmbiguousSelector', `pods by selector ${text} are controlled by multiple HPAs: [${claimants.join(' ')}]`)
}

interface Asked {
  /** Undefined when nothing can be said. */
  replicas: number | undefined
  name: string
  statuses: V2MetricStatus[]
}

async function askMetrics(evaluation: Evaluation, scale: V1Scale, chosen: Chosen, conditions: Conditions, now: number): Promise<Asked> {
  const { autoscaler, context, targets } = evaluation
  const metrics = autoscaler.spec.metrics ?? []
  const current = scale.spec?.replicas ?? 0
  const asking: MetricContext = {
    client: context.client,
    signal: context.signal,
    autoscaler,
    selector: chosen.selector,
    statusReplicas: scale.status?.replicas ?? 0,
    targets,
    situation: { current, pods: chosen.pods, now, tolerance: toleranceOf(evaluation), times: evaluation.options.times },
  }
  let [replicas, name] = [0, '']
  const statuses: V2MetricStatus[] = []
  const failures: MetricFailure[] = []
  for (const metric of metrics) {
    const start = context.clock.monotonic()
    const took = () => context.clock.monotonic() - start
    try {
      const proposal = await propose(metric, asking)
      evaluation.metrics.computed(metric.type, actionOf(current, proposal.replicas), 'none', took())
      statuses.push(proposal.status)
      if (name === '' || proposal.replicas > replicas) [replicas, name] = [proposal.replicas, proposal.name]
    } catch (error) {
      if (context.signal.aborted || !(error instanceof MetricFailure)) throw error
      failures.push(error)
      evaluation.metrics.computed(metric.type, 'none', error.reason === 'InvalidMetricSourceType' ? 'spec' : 'internal', took())
      // The place is kept: statuses stand in the order of the metrics.
      statuses.push({ type: '' })
      context.event(autoscaler, 'Warning', error.reason, error.bare)
    }
  }
  const [failure] = failures
  // While something is not known, it is not known either that fewer would do.
  if (failure && (failures.length >= metrics.length || replicas < current)) {
    conditions.set('ScalingActive', 'False', failure.reason, `the HPA was unable to compute the replica count: ${failure.bare}`)
    const message = `invalid metrics (${failures.length} invalid out of ${metrics.length}), first error is: ${failure.message}`
    context.event(autoscaler, 'Warning', 'FailedComputeMetricsReplicas', message)
    return { replicas: undefined, name, statuses }
  }
  conditions.set('ScalingActive', 'True', 'ValidMetricFound', `the HPA was able to successfully calculate a replica count from ${name}`)
  return { replicas, name, statuses }
}

function podsOf({ autoscaler, context }: Evaluation, selector: LabelSelector): V1Pod[] {
  const { namespace } = autoscaler.metadata
  const informer = context.informer(Pod)
  informer.addIndex(byLabel, labelKeys)
  const label = labelKeyOf(namespace, selector)
  const candidates = label ? informer.indexed(byLabel, label) : informer.inNamespace(namespace)
  return candidates.filter(({ metadata }) => selector.matches(metadata.labels))
}

function toleranceOf({ autoscaler, options }: Evaluation) {
  const { scaleUp, scaleDown } = autoscaler.spec.behavior ?? {}
  const of = (text: string | undefined) => (text === undefined ? options.tolerance : toNumber(text))
  return { up: of(scaleUp?.tolerance), down: of(scaleDown?.tolerance) }
}
