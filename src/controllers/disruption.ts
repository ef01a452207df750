/** Counts, for each PodDisruptionBudget, how many of its pods may be evicted now. */

import { defineController, type Read, type ReconcileContext } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { Deployment, Pod, PodDisruptionBudget, ReplicaSet, ReplicationController, StatefulSet } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import { scaledValue } from '../machinery/int-or-string.ts'
import { keyOf } from '../machinery/object.ts'
import type { V1Condition, V1Pod, V1PodDisruptionBudget } from '../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../machinery/selectors.ts'
import { ScaleTargets } from './autoscaling/scale-target.ts'
import { deepEqual } from './deep-equal.ts'
import { expectedPods } from './expected-pods.ts'
import { isActive, isReady } from './pod-state.ts'
import { printedSelector } from './selector-text.ts'

/** An eviction that was granted must lead to a deletion within this time, or it counts no more. */
const disruptionMs = 120_000

export function disruptionController(): AnyController {
  const targets = new ScaleTargets()
  return defineController<V1PodDisruptionBudget>({
    name: 'disruption-controller',
    reconciles: PodDisruptionBudget,
    watches: [{ resource: Pod, keys: budgetsOf }],
    reads: [ReplicaSet, Deployment, StatefulSet, ReplicationController],
    async reconcile(budget, context) {
      if (!budget) return
      const now = context.clock.now()
      const pods = context
        .informer(Pod)
        .inNamespace(budget.metadata.namespace)
        .filter((pod) => isActive(pod) && matchesLabelSelector(budget.spec.selector, pod.metadata.labels))
      if (pods.length === 0) context.event(budget, 'Normal', 'NoPods', 'No matching pods found')
      const { expected, desired, why } = await wanted(budget, pods, targets, context)
      const pending = Object.entries(budget.status?.disruptedPods ?? {}).filter(([name, time]) => {
        const pod = pods.find(({ metadata }) => metadata.name === name)
        return pod && Date.parse(time) + disruptionMs > now
      })
      const disrupted = new Set(pending.map(([name]) => name))
      const healthy = pods.filter((pod) => isReady(pod) && !disrupted.has(pod.metadata.name)).length
      const allowed = why || expected === 0 ? 0 : Math.max(0, healthy - desired)
      const status = {
        ...(disrupted.size > 0 ? { disruptedPods: Object.fromEntries(pending) } : {}),
        currentHealthy: healthy,
        desiredHealthy: desired,
        expectedPods: expected,
        disruptionsAllowed: allowed,
        observedGeneration: budget.metadata.generation,
        conditions: [condition(budget, allowed > 0, why, now)],
      }
      if (!deepEqual(status, budget.status)) await context.client.updateStatus(PodDisruptionBudget, { ...budget, status })
      if (why) context.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', `Failed to calculate the number of expected pods: ${why}`)
      return disrupted.size > 0 ? { again: disruptionMs } : undefined
    },
  })
}

function budgetsOf(pod: V1Pod, previous: V1Pod | undefined, { informer }: Read): string[] {
  const selects = ({ spec }: V1PodDisruptionBudget) => [pod, previous].some((one) => one && matchesLabelSelector(spec.selector, one.metadata.labels))
  return informer(PodDisruptionBudget).inNamespace(pod.metadata.namespace).filter(selects).map(keyOf)
}

interface Wanted {
  expected: number
  desired: number
  /** Where it cannot be said. */
  why?: string
}

async function wanted(budget: V1PodDisruptionBudget, pods: V1Pod[], targets: ScaleTargets, context: ReconcileContext): Promise<Wanted> {
  const { minAvailable, maxUnavailable, selector = {} } = budget.spec
  if (maxUnavailable === undefined && typeof (minAvailable ?? 0) === 'number') return { expected: pods.length, desired: Number(minAvailable ?? 0) }
  try {
    const { count, unmanaged } = await expectedPods(pods, targets, context)
    if (unmanaged.length > 0) context.event(budget, 'Warning', 'UnmanagedPods', unmanagedWords(printedSelector(selector)))
    if (maxUnavailable === undefined) return { expected: count, desired: scaledValue(minAvailable ?? 0, count, 'up') }
    return { expected: count, desired: Math.max(0, count - scaledValue(maxUnavailable, count, 'up')) }
  } catch (error) {
    return { expected: 0, desired: 0, why: error instanceof Error ? error.message : String(error) }
  }
}

const unmanagedWords = (selector: string) =>
  `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`

function condition({ metadata, status }: V1PodDisruptionBudget, allowed: boolean, why: string | undefined, now: number): V1Condition {
  const next = {
    type: 'DisruptionAllowed',
    status: allowed ? 'True' : 'False',
    reason: why ? 'SyncFailed' : allowed ? 'SufficientPods' : 'InsufficientPods',
    message: why ?? '',
    observedGeneration: metadata.generation,
  }
  const known = status?.conditions?.find(({ type }) => type === next.type)
  return { ...next, lastTransitionTime: known?.status === next.status ? known.lastTransitionTime : timestamp(now) }
}
