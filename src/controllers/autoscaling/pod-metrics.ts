/** Sorts an autoscaler's pods by what their numbers are worth. */
import type { V1Pod } from '../../machinery/schema/generated/types.ts'

export interface PodMetric {
  /** In thousandths. */
  value: number
  at: number
  windowMs: number
}

export type PodMetrics = Map<string, PodMetric>

export interface ReadinessTimes {
  /** While a pod is this young, its processor time is counted only over windows in which it was ready. */
  initializationMs: number
  /** A pod that became unready within this time of its start was never ready. */
  readinessDelayMs: number
}

export interface PodGroups {
  ready: number
  /** Names of pods whose numbers say nothing yet. */
  unready: string[]
  /** Names of pods without numbers. */
  missing: string[]
}

const readyCondition = (pod: V1Pod) => pod.status?.conditions?.find(({ type }) => type === 'Ready')

export const isReadyPod = (pod: V1Pod): boolean => pod.status?.phase === 'Running' && readyCondition(pod)?.status === 'True'

/** Takes the numbers of pods that do not count out of `metrics`. */
export function groupPods(pods: readonly V1Pod[], metrics: PodMetrics, resource: string, now: number, times: ReadinessTimes): PodGroups {
  const groups: PodGroups = { ready: 0, unready: [], missing: [] }
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata
    if (deletionTimestamp || pod.status?.phase === 'Failed') {
      metrics.delete(name)
      continue
    }
    const metric = metrics.get(name)
    if (pod.status?.phase === 'Pending') groups.unready.push(name)
    else if (!metric) groups.missing.push(name)
    else if (resource === 'cpu' && !countsForCpu(pod, metric, now, times)) groups.unready.push(name)
    else groups.ready++
  }
  for (const name of groups.unready) metrics.delete(name)
  return groups
}

function countsForCpu(pod: V1Pod, metric: PodMetric, now: number, { initializationMs, readinessDelayMs }: ReadinessTimes): boolean {
  const condition = readyCondition(pod)
  if (!condition || !pod.status?.startTime) return false
  const started = Date.parse(pod.status.startTime)
  const changed = Date.parse(condition.lastTransitionTime ?? pod.status.startTime)
  const unready = condition.status === 'False'
  if (started + initializationMs > now) return !unready && metric.at >= changed + metric.windowMs
  return !(unready && started + readinessDelayMs > changed)
}

/** Thousandths that each pod asks for; throws for one that asks for none. `container` counts alone, where one is named. */
export function requestsOf(pods: readonly V1Pod[], resource: string, container: string | undefined, milli: (quantity: string) => number): Map<string, number> {
  const requests = new Map<string, number>()
  for (const pod of pods) {
    const { containers, initContainers = [], resources } = pod.spec
    const whole = container === undefined ? resources?.requests?.[resource] : undefined
    let sum = 0
    if (whole !== undefined) sum = milli(whole)
    else
      for (const one of [...containers, ...initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always')]) {
        if (container !== undefined && one.name !== container) continue
        const request = one.resources?.requests?.[resource]
        if (request === undefined) throw new Error(`missing request for ${resource} in container ${one.name} of Pod ${pod.metadata.name}`)
        sum += milli(request)
      }
    requests.set(pod.metadata.name, sum)
  }
  return requests
}
