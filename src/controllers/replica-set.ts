/** Keeps as many pods of a ReplicaSet as it says: creates what is missing, deletes what is too much. */
import { defineController, type ReconcileContext } from '../client/controller.ts'
import { Pod, ReplicaSet } from '../client/resources.ts'
import type { V1Pod, V1ReplicaSet } from '../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../machinery/selectors.ts'
import { claim } from './claim.ts'
import { deepEqual } from './deep-equal.ts'
import { controllerOf } from './owner-reference.ts'
import { createPod, deletePod, isNamespaceEnding, podFrom } from './pod-control.ts'
import { inDeletionOrder } from './pod-deletion-order.ts'
import { isActive, isAvailable, isFinished, isReady } from './pod-state.ts'
import { replicaSetStatus } from './replica-set-status.ts'
import { slowStart } from './slow-start.ts'

/** Of one reconcile; what is beyond comes with the next. */
const burst = 500

export const replicaSetController = defineController<V1ReplicaSet>({
  name: 'replicaset-controller',
  reconciles: ReplicaSet,
  owns: [Pod],
  watches: [
    {
      resource: Pod,
      // An orphan may be one that a ReplicaSet wants.
      keys: (pod: V1Pod, _previous, read) =>
        controllerOf(pod)
          ? []
          : read
              .informer(ReplicaSet)
              .inNamespace(pod.metadata.namespace)
              .filter((set) => matchesLabelSelector(set.spec.selector, pod.metadata.labels))
              .map((set) => `${set.metadata.namespace}/${set.metadata.name}`),
    },
  ],
  async reconcile(set, context) {
    if (!set) return
    const pods = await claim(candidates(set, context), {
      client: context.client,
      resource: Pod,
      ownerResource: ReplicaSet,
      owner: set,
      matches: (pod) => matchesLabelSelector(set.spec.selector, pod.metadata.labels),
      mayAdopt: isActive,
    })
    const active = pods.filter(isActive)
    const failure = set.metadata.deletionTimestamp ? undefined : await manage(set, active, context).then(noFailure, asFailure)

    const now = context.clock.now()
    const terminating = pods.filter((pod) => pod.metadata.deletionTimestamp && !isFinished(pod))
    const status = replicaSetStatus(set, active, terminating.length, failure?.error, now)
    if (!deepEqual(status, set.status)) await context.client.updateStatus(ReplicaSet, { ...set, status })
    if (failure) throw failure.error
    return whenNextAvailable(set, active, now)
  },
})

const noFailure = () => undefined
const asFailure = (error: unknown) => ({ error })

/** Pods that are the set's, and those that nobody controls. */
function candidates(set: V1ReplicaSet, { informer }: ReconcileContext): V1Pod[] {
  const mine = informer(Pod).ownedBy(set.metadata.uid)
  const orphans = informer(Pod)
    .inNamespace(set.metadata.namespace)
    .filter((pod) => !controllerOf(pod) && matchesLabelSelector(set.spec.selector, pod.metadata.labels))
  return [...mine, ...orphans.filter((pod) => !mine.includes(pod))]
}

async function manage(set: V1ReplicaSet, active: V1Pod[], context: ReconcileContext): Promise<void> {
  const owner = { resource: ReplicaSet, object: set }
  const surplus = active.length - (set.spec.replicas ?? 1)
  if (surplus < 0) {
    const pod = podFrom(set.spec.template ?? {}, owner)
    const { error } = await slowStart(Math.min(-surplus, burst), () => createPod(pod, owner, context))
    if (error && !isNamespaceEnding(error)) throw error
  } else if (surplus > 0) {
    const doomed = inDeletionOrder(active, context.clock.now(), crowdOn(set, context)).slice(0, Math.min(surplus, burst))
    const results = await Promise.allSettled(doomed.map((pod) => deletePod(pod, owner, context)))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }
}

/** Counts the pods of all ReplicaSets of the same Deployment on each node. */
function crowdOn(set: V1ReplicaSet, { informer }: ReconcileContext): (pod: V1Pod) => number {
  const deployment = controllerOf(set)
  const related = deployment ? informer(ReplicaSet).ownedBy(deployment.uid) : [set]
  const counts = new Map<string, number>()
  for (const { metadata } of related) {
    for (const { spec } of informer(Pod).ownedBy(metadata.uid).filter(isActive)) {
      if (spec.nodeName) counts.set(spec.nodeName, (counts.get(spec.nodeName) ?? 0) + 1)
    }
  }
  return (pod) => counts.get(pod.spec.nodeName ?? '') ?? 0
}

/** No event tells that a pod has been ready for long enough. */
function whenNextAvailable(set: V1ReplicaSet, active: V1Pod[], now: number): { again: number } | undefined {
  const minReadySeconds = set.spec.minReadySeconds ?? 0
  if (minReadySeconds === 0) return undefined
  const waits = active
    .filter((pod) => isReady(pod) && !isAvailable(pod, minReadySeconds, now))
    .map((pod) => Date.parse(pod.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '') + minReadySeconds * 1000 - now)
  return waits.length > 0 ? { again: Math.max(1, Math.min(...waits)) } : undefined
}
