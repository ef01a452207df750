/** Counts, for each PodDisruptionBudget, how many of its pods may be evicted now. */

import { defineController, type Read } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { Deployment, Pod, PodDisruptionBudget, ReplicaSet, ReplicationController, StatefulSet } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import { scaledValue } from '../machinery/int-or-string.ts'
import { keyOf } from '../machinery/object.ts'
import type { V1Condition, V1Pod, V1PodDisruptionBudget } from '../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../machinery/selectors.ts'
import { deepEqual } from './deep-equal.ts'
import { controllerOf } from './owner-reference.ts'
import { isActive, isReady } from './pod-state.ts'

/** An eviction that was granted must lead to a deletion within this time, or it counts no more. */
const disruptionMs = 120_000

export const disruptionController: AnyController = defineController<V1PodDisruptionBudget>({
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
    const { expected, desired, why } = wanted(budget, pods, context)
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

function budgetsOf(pod: V1Pod, previous: V1Pod | undefined, { informer }: Read): string[] {
  const selects = ({ spec }: V1PodDisruptionBudget) => [pod, previous].some((one) => one && matchesLabelSelector(spec.selector, one.metadata.labels))
  return informer(PodDisruptionBudget).inNamespace(pod.metadata.namespace).filter(selects).map(keyOf)
}

function wanted(budget: V1PodDisruptionBudget, pods: V1Pod[], read: Read): { expected: number; desired: number; why?: string } {
  const { minAvailable, maxUnavailable } = budget.spec
  if (maxUnavailable === undefined && typeof (minAvailable ?? 0) === 'number') return { expected: pods.length, desired: Number(minAvailable ?? 0) }
  const scale = expectedByControllers(pods, read)
  if ('why' in scale) return { expected: 0, desired: 0, why: scale.why }
  const { expected } = scale
  if (maxUnavailable === undefined) return { expected, desired: scaledValue(minAvailable ?? 0, expected, 'up') }
  return { expected, desired: Math.max(0, expected - scaledValue(maxUnavailable, expected, 'up')) }
}

/** The sum of what the pods' controllers want; each counts once. */
function expectedByControllers(pods: V1Pod[], read: Read): { expected: number } | { why: string } {
  const sizes = new Map<string, number>()
  for (const pod of pods) {
    const owner = controllerOf(pod)
    if (!owner) return { why: `found no controller ref for pod "${pod.metadata.name}"` }
    const scale = scaleOf(pod.metadata.namespace, owner, read)
    if (!scale) return { why: `found no controllers for pod "${pod.metadata.name}"` }
    sizes.set(scale.uid, scale.replicas)
  }
  return { expected: [...sizes.values()].reduce((sum, size) => sum + size, 0) }
}

function scaleOf(namespace: string, owner: { kind: string; name: string; uid: string }, { cached }: Read): { uid: string; replicas: number } | undefined {
  const key = `${namespace}/${owner.name}`
  const found =
    owner.kind === 'ReplicaSet'
      ? cached(ReplicaSet, key)
      : owner.kind === 'StatefulSet'
        ? cached(StatefulSet, key)
        : owner.kind === 'ReplicationController'
          ? cached(ReplicationController, key)
          : undefined
  if (found?.metadata.uid !== owner.uid) return undefined
  const above = controllerOf(found)
  const deployment = above?.kind === 'Deployment' ? cached(Deployment, `${namespace}/${above.name}`) : undefined
  const top = deployment && deployment.metadata.uid === above?.uid ? deployment : found
  return { uid: top.metadata.uid, replicas: top.spec?.replicas ?? 1 }
}

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
