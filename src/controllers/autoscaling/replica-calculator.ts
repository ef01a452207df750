/**
 * From what is measured to how many pods are wanted, as the published algorithm says: in proportion to the ratio of
 * usage to target; nothing for a ratio near one; what is not known is assumed so that it dampens.
 */

import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import { groupPods, isReadyPod, type PodMetrics, type ReadinessTimes } from './pod-metrics.ts'

export interface Tolerance {
  up: number
  down: number
}

export interface Situation {
  /** `spec.replicas` of the scale. */
  current: number
  pods: readonly V1Pod[]
  now: number
  tolerance: Tolerance
  times: ReadinessTimes
}

const within = (ratio: number, { up, down }: Tolerance) => ratio >= 1 - down && ratio <= 1 + up

/** Usage of the target: the ratio, and the target's own measure of usage. */
interface Ratio<M> {
  ratio: number
  measure: M
}

/** What a pod without numbers is taken to use when the others use less than the target. */
type Assumed = (name: string) => number

function proportional<M>(situation: Situation, metrics: PodMetrics, resource: string, ratioOf: (metrics: PodMetrics) => Ratio<M>, full: Assumed) {
  const { current, pods, now, tolerance, times } = situation
  if (pods.length === 0) throw new Error('no pods returned by selector while calculating replica count')
  const { ready, unready, missing } = groupPods(pods, metrics, resource, now, times)
  if (metrics.size === 0) throw new Error('did not receive metrics for any targeted pods (pods might be unready)')
  const { ratio, measure } = ratioOf(metrics)
  const addsUnready = unready.length > 0 && ratio > 1
  if (!addsUnready && missing.length === 0) return { replicas: within(ratio, tolerance) ? current : Math.ceil(ratio * ready), measure }

  const assume = (names: string[], value: Assumed) => {
    for (const name of names) metrics.set(name, { value: value(name), at: now, windowMs: 0 })
  }
  if (ratio < 1) assume(missing, full)
  else if (ratio > 1) assume(missing, () => 0)
  if (addsUnready) assume(unready, () => 0)

  const { ratio: damped } = ratioOf(metrics)
  const turned = (ratio < 1 && damped > 1) || (ratio > 1 && damped < 1)
  if (within(damped, tolerance) || turned) return { replicas: current, measure }
  const replicas = Math.ceil(damped * metrics.size)
  // Another number of pods than the scale's must not turn the direction either.
  if ((damped < 1 && replicas > current) || (damped > 1 && replicas < current)) return { replicas: current, measure }
  return { replicas, measure }
}

export interface Utilization {
  percent: number
  /** Thousandths, on average. */
  average: number
}

export function byUtilization(situation: Situation, metrics: PodMetrics, resource: string, requests: ReadonlyMap<string, number>, target: number) {
  const ratioOf = (of: PodMetrics): Ratio<Utilization> => {
    let [used, requested, count] = [0, 0, 0]
    for (const [name, { value }] of of) {
      const request = requests.get(name)
      if (request === undefined) continue
      used += value
      requested += request
      count++
    }
    if (requested === 0) throw new Error('no metrics returned matched known pods')
    const percent = Math.trunc((used * 100) / requested)
    return { ratio: percent / target, measure: { percent, average: Math.trunc(used / count) } }
  }
  return proportional(situation, metrics, resource, ratioOf, (name) => requests.get(name) ?? 0)
}

/** `target` in thousandths; `resource` is empty for metrics of another kind. */
export function byAverage(situation: Situation, metrics: PodMetrics, resource: string, target: number) {
  const ratioOf = (of: PodMetrics): Ratio<number> => {
    let sum = 0
    for (const { value } of of.values()) sum += value
    const average = Math.trunc(sum / of.size)
    return { ratio: average / target, measure: average }
  }
  return proportional(situation, metrics, resource, ratioOf, () => target)
}

/** One value for all pods together, against a target for all. */
export function byValue({ current, pods, tolerance }: Situation, usage: number, target: number): number {
  const ratio = usage / target
  if (current === 0) return Math.ceil(ratio)
  if (within(ratio, tolerance)) return current
  if (pods.length === 0) throw new Error('unable to calculate ready pods: no pods returned by selector while calculating replica count')
  return Math.ceil(ratio * pods.filter(isReadyPod).length)
}

/** One value for all pods together, against a target for each. `statusReplicas` is how many there are. */
export function byValuePerPod({ tolerance }: Situation, usage: number, target: number, statusReplicas: number): { replicas: number; average: number } {
  const ratio = usage / (target * statusReplicas)
  const replicas = statusReplicas > 0 && within(ratio, tolerance) ? statusReplicas : Math.ceil(usage / target)
  return { replicas, average: statusReplicas > 0 ? Math.ceil(usage / statusReplicas) : 0 }
}
