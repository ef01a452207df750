/** Keeps the pods of a StatefulSet: each with a name of its own and its volumes; one after the other, unless told. */

import { defineController, type ReconcileContext } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { V1ControllerRevision, V1PersistentVolumeClaim, V1Pod, V1StatefulSet, V1StatefulSetStatus } from '../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../machinery/selectors.ts'
import { claim } from './claim.ts'
import { currentRevision, forgetRevisions, type RevisionOwner, revisionsOf, templateOf } from './controller-revision.ts'
import { deepEqual } from './deep-equal.ts'
import { isAvailable, isFinished, isReady } from './pod-state.ts'
import { isLeaving, settleOwners } from './stateful-claims.ts'
import { ordinalOf, revisionLabel, statefulClaims, statefulPod } from './stateful-pod.ts'

export const statefulSetController: AnyController = defineController<V1StatefulSet>({
  name: 'statefulset-controller',
  reconciles: StatefulSet,
  owns: [Pod],
  reads: [ControllerRevision],
  watches: [
    {
      resource: PersistentVolumeClaim,
      // A claim that has gone may be made anew.
      keys: ({ metadata }: V1PersistentVolumeClaim, previous, { informer }) =>
        previous && !metadata.deletionTimestamp
          ? []
          : informer(StatefulSet)
              .inNamespace(metadata.namespace)
              .filter((set) =>
                (set.spec.volumeClaimTemplates ?? []).some((template) => metadata.name.startsWith(`${template.metadata.name}-${set.metadata.name}-`)),
              )
              .map((set) => `${set.metadata.namespace}/${set.metadata.name}`),
    },
  ],
  async reconcile(set, context) {
    if (!set) return
    const { client, clock, informer } = context
    const matches = (pod: V1Pod) => matchesLabelSelector(set.spec.selector, pod.metadata.labels) && ordinalOf(set, pod.metadata.name) >= 0
    const candidates = informer(Pod).inNamespace(set.metadata.namespace)
    const pods = await claim(candidates, { client, resource: Pod, ownerResource: StatefulSet, owner: set, matches })
    const owner: RevisionOwner = {
      resource: StatefulSet,
      object: set,
      template: set.spec.template,
      selector: set.spec.selector,
      collisionCount: set.status?.collisionCount,
      hashLabel: 'controller.kubernetes.io/hash',
      collided: (collisionCount) => client.updateStatus(StatefulSet, { ...set, status: { replicas: 0, ...set.status, collisionCount } }),
    }
    const update = await currentRevision(owner, context)
    const current = revisionsOf(owner, context).find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update
    const status = statusOf(set, pods, current, update, clock.now())
    if (!deepEqual(status, set.status)) await client.updateStatus(StatefulSet, { ...set, status })
    if (!set.metadata.deletionTimestamp) await new Step({ ...set, status }, pods, current, update, context).take()
    const live = new Set([current.metadata.name, update.metadata.name, ...pods.map((pod) => pod.metadata.labels?.[revisionLabel] ?? '')])
    await forgetRevisions(owner, live, set.spec.revisionHistoryLimit ?? 10, context)
    const waiting = pods.some((pod) => isReady(pod) && !isAvailable(pod, set.spec.minReadySeconds ?? 0, clock.now()))
    return waiting ? { again: 1000 } : undefined
  },
})

const wantedReplicas = (set: V1StatefulSet): number => set.spec.replicas ?? 1
const isGoing = (pod: V1Pod): boolean => pod.metadata.deletionTimestamp !== undefined

function statusOf(set: V1StatefulSet, pods: V1Pod[], current: V1ControllerRevision, update: V1ControllerRevision, now: number): V1StatefulSetStatus {
  const count = (holds: (pod: V1Pod) => boolean) => pods.filter(holds).length
  const at = (revision: V1ControllerRevision) => count((pod) => !isGoing(pod) && pod.metadata.labels?.[revisionLabel] === revision.metadata.name)
  const readyReplicas = count(isReady)
  const updatedReplicas = at(update)
  const wanted = wantedReplicas(set)
  // All are at the new revision: from now on it is the current one.
  const isDone = updatedReplicas === wanted && readyReplicas === wanted && pods.length === wanted
  return {
    replicas: pods.length,
    ...(readyReplicas ? { readyReplicas } : {}),
    availableReplicas: count((pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, now)),
    currentReplicas: isDone ? updatedReplicas : at(current),
    ...(updatedReplicas ? { updatedReplicas } : {}),
    currentRevision: (isDone ? update : current).metadata.name,
    updateRevision: update.metadata.name,
    observedGeneration: set.metadata.generation,
    collisionCount: set.status?.collisionCount ?? 0,
    ...(set.status?.conditions ? { conditions: set.status.conditions } : {}),
  }
}

/** What can be done now. With ordered management that is one thing, and the next comes when it has worked out. */
class Step {
  readonly #set: V1StatefulSet
  readonly #byOrdinal: Map<number, V1Pod>
  readonly #current: V1ControllerRevision
  readonly #update: V1ControllerRevision
  readonly #context: ReconcileContext
  readonly #first: number
  readonly #end: number

  constructor(set: V1StatefulSet, pods: V1Pod[], current: V1ControllerRevision, update: V1ControllerRevision, context: ReconcileContext) {
    this.#set = set
    this.#byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod.metadata.name), pod]))
    this.#current = current
    this.#update = update
    this.#context = context
    this.#first = set.spec.ordinals?.start ?? 0
    this.#end = this.#first + wantedReplicas(set)
  }

  async take(): Promise<void> {
    await this.#settleClaims()
    const ordered = this.#set.spec.podManagementPolicy !== 'Parallel'
    for (let ordinal = this.#first; ordinal < this.#end; ordinal++) {
      const isSettled = await this.#keep(ordinal)
      if (!isSettled && ordered) return
    }
    const surplus = [...this.#byOrdinal].filter(([ordinal]) => ordinal < this.#first || ordinal >= this.#end).sort(([a], [b]) => b - a)
    const firstUnwell = surplus.findLast(([, pod]) => !this.#isWell(pod))?.[1]
    for (const [, pod] of surplus) {
      // Nothing moves while another pod is unwell: its members may need this one.
      if (ordered && !this.#isWell(pod) && pod !== firstUnwell) return
      if (!isGoing(pod)) await this.#delete(pod)
      if (ordered) return
    }
    if (this.#set.spec.updateStrategy?.type !== 'OnDelete') await this.#roll()
  }

  /** Before a pod goes that takes its claims with it, they have to be its own. */
  async #settleClaims(): Promise<void> {
    const { client, cached } = this.#context
    for (const [ordinal, pod] of this.#byOrdinal) {
      const isSurplus = ordinal < this.#first || ordinal >= this.#end
      for (const { metadata } of statefulClaims(this.#set, ordinal)) {
        const claim = cached(PersistentVolumeClaim, `${metadata.namespace}/${metadata.name}`)
        if (claim) await settleOwners(client, this.#set, claim, pod, isSurplus)
      }
    }
  }

  /** Whether the pod is there and well, so that the next may follow. */
  async #keep(ordinal: number): Promise<boolean> {
    const pod = this.#byOrdinal.get(ordinal)
    if (!pod) await this.#create(ordinal)
    else if (isFinished(pod) && !isGoing(pod)) await this.#delete(pod)
    return pod !== undefined && this.#isWell(pod)
  }

  #isWell(pod: V1Pod): boolean {
    return !isGoing(pod) && pod.status?.phase === 'Running' && isAvailable(pod, this.#set.spec.minReadySeconds ?? 0, this.#context.clock.now())
  }

  /** From the last to the first, down to the partition; one that is not well holds the rest up. */
  async #roll(): Promise<void> {
    const { partition = 0 } = this.#set.spec.updateStrategy?.rollingUpdate ?? {}
    for (let ordinal = this.#end - 1; ordinal >= this.#first + partition; ordinal--) {
      const pod = this.#byOrdinal.get(ordinal)
      if (!pod) return
      const isOld = pod.metadata.labels?.[revisionLabel] !== this.#update.metadata.name
      if (isOld && !isGoing(pod)) return this.#delete(pod)
      if (!this.#isWell(pod)) return
    }
  }

  /** Ordinals that the rollout has not come to are made as they were. */
  #revisionFor(ordinal: number): V1ControllerRevision {
    const rolling = this.#set.spec.updateStrategy?.type !== 'OnDelete'
    if (!rolling) return this.#update
    const { partition = 0 } = this.#set.spec.updateStrategy?.rollingUpdate ?? {}
    const untouched = Math.max(partition, partition > 0 ? 0 : this.#stillCurrent())
    return ordinal < this.#first + untouched ? this.#current : this.#update
  }

  #stillCurrent(): number {
    return this.#current === this.#update ? 0 : (this.#set.status?.currentReplicas ?? 0)
  }

  async #create(ordinal: number): Promise<void> {
    const { client, event, cached } = this.#context
    const { name, namespace } = this.#set.metadata
    const revision = this.#revisionFor(ordinal)
    const pod = statefulPod(this.#set, templateOf(revision), revision.metadata.name, ordinal)
    const about = `Pod ${pod.metadata.name} in StatefulSet ${name}`
    try {
      for (const wanted of statefulClaims(this.#set, ordinal)) {
        const existing = cached(PersistentVolumeClaim, `${namespace}/${wanted.metadata.name}`)
        // The garbage collector takes it; then there will be a new one.
        if (existing && isLeaving(existing, pod.metadata.name ?? '')) return
        if (existing) continue
        await client.create(PersistentVolumeClaim, wanted).catch(unlessThere)
        event(this.#set, 'Normal', 'SuccessfulCreate', `create Claim ${wanted.metadata.name} ${about} success`)
      }
      await client.create(Pod, pod)
      event(this.#set, 'Normal', 'SuccessfulCreate', `create ${about} successful`)
    } catch (error) {
      if (isApiError(error, 'AlreadyExists')) throw error
      event(this.#set, 'Warning', 'FailedCreate', `create ${about} failed error: ${error instanceof Error ? error.message : String(error)}`)
      throw error
    }
  }

  async #delete({ metadata }: V1Pod): Promise<void> {
    const { client, event } = this.#context
    const { name, namespace, uid } = metadata
    try {
      await client.delete(Pod, { name, namespace }, { preconditions: { uid } })
      event(this.#set, 'Normal', 'SuccessfulDelete', `delete Pod ${name} in StatefulSet ${this.#set.metadata.name} successful`)
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error
    }
  }
}

function unlessThere(error: unknown): undefined {
  if (isApiError(error, 'AlreadyExists')) return undefined
  throw error
}
