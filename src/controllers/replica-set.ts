/** Keeps as many pods of a ReplicaSet as it says: creates what is missing, deletes what is too much. */
import type { ResourceRef } from '../client/client.ts'
import { defineController, type ReconcileContext } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { Pod, ReplicaSet } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { V1Pod, V1ReplicaSet, V1ReplicaSetStatus } from '../machinery/schema/generated/types.ts'
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

/** A kind that keeps pods as a ReplicaSet does. */
export interface ReplicaKeeper<T extends KubeObject> {
  name: string
  resource: ResourceRef<T>
  /** The object, told in the terms of a ReplicaSet. */
  asSet(object: T): V1ReplicaSet
  withStatus(object: T, status: V1ReplicaSetStatus): T
}

export const replicaSetController = keepReplicas<V1ReplicaSet>({
  name: 'replicaset-controller',
  resource: ReplicaSet,
  asSet: (set) => set,
  withStatus: (set, status) => ({ ...set, status }),
})

export function keepReplicas<T extends KubeObject>({ name, resource, asSet, withStatus }: ReplicaKeeper<T>): AnyController {
  return defineController<T>({
    name,
    reconciles: resource,
    owns: [Pod],
    watches: [
      {
        resource: Pod,
        // An orphan may be one that is wanted.
        keys: (pod: V1Pod, _previous, read) =>
          controllerOf(pod)
            ? []
            : read
                .informer(resource)
                .inNamespace(pod.metadata.namespace)
                .filter((object) => matchesLabelSelector(asSet(object).spec.selector, pod.metadata.labels))
                .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
      },
    ],
    async reconcile(object, context) {
      if (!object) return
      const set = asSet(object)
      const owner = resource as unknown as ResourceRef
      const pods = await claim(candidates(set, context), {
        client: context.client,
        resource: Pod,
        ownerResource: owner,
        owner: set,
        matches: (pod) => matchesLabelSelector(set.spec.selector, pod.metadata.labels),
        mayAdopt: isActive,
      })
      const active = pods.filter(isActive)
      const failure = set.metadata.deletionTimestamp ? undefined : await manage(owner, set, active, context).then(noFailure, asFailure)

      const now = context.clock.now()
      const terminating = pods.filter((pod) => pod.metadata.deletionTimestamp && !isFinished(pod))
      const next = withStatus(object, replicaSetStatus(set, active, terminating.length, failure?.error, now))
      if (!deepEqual(asSet(next).status, set.status)) await context.client.updateStatus(resource, next)
      if (failure) throw failure.error
      return whenNextAvailable(set, active, now)
    },
  })
}

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

async function manage(resource: ResourceRef, set: V1ReplicaSet, active: V1Pod[], context: ReconcileContext): Promise<void> {
  const owner = { resource, object: set }
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
