/** One reconcile of a Deployment: what it has, and the steps that change it. */
import type { ReconcileContext } from '../client/controller.ts'
import { Deployment, Pod, ReplicaSet } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { V1Deployment, V1DeploymentStatus, V1ReplicaSet } from '../machinery/schema/generated/types.ts'
import { deepEqual } from './deep-equal.ts'
import {
  countIn,
  desiredReplicasAnnotation,
  maxRevision,
  newSetAnnotations,
  revisionAnnotation,
  revisionOf,
  sizeAnnotations,
} from './deployment-annotations.ts'
import { condition, conditionOf, reasons, withCondition } from './deployment-condition.ts'
import { specReplicas } from './deployment-status.ts'
import { controllerReference, isControlledBy } from './owner-reference.ts'
import { isNamespaceEnding } from './pod-control.ts'
import { isFinished } from './pod-state.ts'
import { sameTemplate, templateHash, templateHashLabel } from './pod-template-hash.ts'
import { isRollingUpdate, maxSurge, wantedReplicas } from './rolling-update.ts'

const byAge = (a: V1ReplicaSet, b: V1ReplicaSet): number =>
  Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp) || (a.metadata.name < b.metadata.name ? -1 : 1)

export class Rollout {
  deployment: V1Deployment
  /** The one whose template is the Deployment's, if there is one. */
  newSet: V1ReplicaSet | undefined
  /** The others, oldest first. */
  oldSets: V1ReplicaSet[]
  readonly context: ReconcileContext
  /** What the server has; `deployment` may be ahead of it until {@link writeStatus}. */
  #storedStatus: V1DeploymentStatus | undefined

  constructor(deployment: V1Deployment, sets: readonly V1ReplicaSet[], context: ReconcileContext) {
    this.deployment = deployment
    this.context = context
    this.#storedStatus = deployment.status
    const sorted = [...sets].sort(byAge)
    this.newSet = sorted.find((set) => sameTemplate(set.spec.template, deployment.spec.template))
    this.oldSets = sorted.filter((set) => set !== this.newSet)
  }

  get all(): V1ReplicaSet[] {
    return this.newSet ? [...this.oldSets, this.newSet] : this.oldSets
  }

  get wanted(): number {
    return wantedReplicas(this.deployment)
  }

  /** Pods of the old ReplicaSets that may still run. */
  oldPodsRun(): boolean {
    if (this.oldSets.some((set) => (set.status?.replicas ?? 0) > 0)) return true
    const pods = this.oldSets.flatMap((set) => this.context.informer(Pod).ownedBy(set.metadata.uid))
    return pods.some((pod) => !isFinished(pod))
  }

  /** Whether the Deployment was scaled since its ReplicaSets were sized. */
  wasScaled(): boolean {
    return this.all.some((set) => {
      const desired = countIn(set, desiredReplicasAnnotation)
      return (set.spec.replicas ?? 1) > 0 && desired !== undefined && desired !== this.wanted
    })
  }

  /** Brings the new ReplicaSet's revision up to date, and makes it where it is missing and `create` says so. */
  async syncNewSet(create: boolean): Promise<void> {
    const revision = maxRevision(this.oldSets) + 1n
    if (this.newSet) await this.#refreshNewSet(this.newSet, revision)
    else if (create) await this.#createNewSet(revision)
    await this.#writeRevision()
  }

  async #refreshNewSet(set: V1ReplicaSet, revision: bigint): Promise<void> {
    const annotations = newSetAnnotations(this.deployment, set, revision)
    const { minReadySeconds } = this.deployment.spec
    if (!deepEqual(annotations, set.metadata.annotations) || (minReadySeconds ?? 0) !== (set.spec.minReadySeconds ?? 0)) {
      const changed = { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, minReadySeconds } }
      this.newSet = await this.context.client.update(ReplicaSet, changed)
    }
    const message = `Found new replica set "${set.metadata.name}"`
    if (this.#hasDeadline() && !conditionOf(this.deployment.status, 'Progressing')) this.#setProgressing('True', reasons.found, message)
  }

  async #createNewSet(revision: bigint): Promise<void> {
    const { deployment, context } = this
    const { template, selector, minReadySeconds } = deployment.spec
    const hash = templateHash(template, deployment.status?.collisionCount)
    const name = `${deployment.metadata.name}-${hash}`
    const labels = { ...template.metadata?.labels, [templateHashLabel]: hash }
    const replicas = this.newSetSize(0)
    const set = {
      metadata: {
        name,
        namespace: deployment.metadata.namespace,
        labels,
        annotations: {
          ...newSetAnnotations(deployment, undefined, revision),
          ...sizeAnnotations(this.wanted, this.wanted + maxSurge(deployment)),
        },
        ownerReferences: [controllerReference(Deployment, deployment)],
      },
      spec: {
        replicas,
        ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [templateHashLabel]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    }
    try {
      this.newSet = await context.client.create(ReplicaSet, set)
    } catch (error) {
      if (isApiError(error, 'AlreadyExists')) this.newSet = await this.#foundUnderName(name)
      else await this.#couldNotCreate(name, error)
      if (!this.newSet) throw error
      return
    }
    if (replicas > 0) context.event(deployment, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${name} from 0 to ${replicas}`)
    if (this.#hasDeadline()) this.#setProgressing('True', reasons.created, `Created new replica set "${name}"`)
  }

  /** The set of that name is ours, and the cache was late; or the hash of another template collides. */
  async #foundUnderName(name: string): Promise<V1ReplicaSet | undefined> {
    const { deployment, context } = this
    const found = await context.client.get(ReplicaSet, { name, namespace: deployment.metadata.namespace })
    if (isControlledBy(found, deployment) && sameTemplate(found.spec.template, deployment.spec.template)) return found
    await this.writeStatus({ ...deployment.status, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 })
    return undefined
  }

  async #couldNotCreate(name: string, error: unknown): Promise<void> {
    if (isNamespaceEnding(error)) throw error
    const message = `Failed to create new replica set "${name}": ${error instanceof Error ? error.message : String(error)}`
    if (this.#hasDeadline()) this.#setProgressing('False', reasons.createError, message)
    await this.writeStatus(this.deployment.status ?? {})
    this.context.event(this.deployment, 'Warning', reasons.createError, message)
  }

  #hasDeadline(): boolean {
    const { progressDeadlineSeconds } = this.deployment.spec
    return progressDeadlineSeconds !== undefined && progressDeadlineSeconds !== 0x7fffffff
  }

  /** Is written with the rest of the status. */
  #setProgressing(status: 'True' | 'False', reason: string, message: string): void {
    const next = condition('Progressing', status, reason, message, this.context.clock.now())
    this.deployment = { ...this.deployment, status: withCondition(this.deployment.status ?? {}, next) }
  }

  /** `kubectl rollout history` and others look for the current revision on the Deployment. */
  async #writeRevision(): Promise<void> {
    const revision = this.newSet && revisionOf(this.newSet)
    if (!revision || this.deployment.metadata.annotations?.[revisionAnnotation] === String(revision)) return
    const annotations = { ...this.deployment.metadata.annotations, [revisionAnnotation]: String(revision) }
    const changed = { ...this.deployment, metadata: { ...this.deployment.metadata, annotations } }
    this.deployment = { ...(await this.context.client.update(Deployment, changed)), status: this.deployment.status }
  }

  async writeStatus(status: V1DeploymentStatus): Promise<void> {
    if (deepEqual(status, this.#storedStatus)) return
    this.deployment = await this.context.client.updateStatus(Deployment, { ...this.deployment, status })
    this.#storedStatus = this.deployment.status
  }

  /** How large the new ReplicaSet of `current` size may be made. */
  newSetSize(current: number): number {
    if (!isRollingUpdate(this.deployment)) return this.wanted
    const room = this.wanted + maxSurge(this.deployment) - specReplicas(this.all)
    return room <= 0 ? current : current + Math.min(room, Math.max(0, this.wanted - current))
  }

  /** Returns whether the size changed. The size that the whole has now is written beside it. */
  async scale(set: V1ReplicaSet, replicas: number): Promise<boolean> {
    const { deployment, context } = this
    const before = set.spec.replicas ?? 1
    const annotations = { ...set.metadata.annotations, ...sizeAnnotations(this.wanted, this.wanted + maxSurge(deployment)) }
    if (before === replicas && deepEqual(annotations, set.metadata.annotations)) return false
    const changed = { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas } }
    this.#replace(await context.client.update(ReplicaSet, changed))
    if (before === replicas) return false
    const direction = before < replicas ? 'up' : 'down'
    context.event(deployment, 'Normal', 'ScalingReplicaSet', `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${replicas}`)
    return true
  }

  #replace(changed: V1ReplicaSet): void {
    const { uid } = changed.metadata
    if (this.newSet?.metadata.uid === uid) this.newSet = changed
    else this.oldSets = this.oldSets.map((set) => (set.metadata.uid === uid ? changed : set))
  }

  /** Deletes ReplicaSets that are at rest and older than the history that is to be kept. */
  async forgetOldRevisions(): Promise<void> {
    const limit = this.deployment.spec.revisionHistoryLimit ?? 10
    const kept = this.oldSets.filter((set) => !set.metadata.deletionTimestamp).sort((a, b) => Number(revisionOf(a) - revisionOf(b)) || byAge(a, b))
    for (const set of kept.slice(0, Math.max(0, kept.length - limit))) {
      const atRest = (set.status?.replicas ?? 0) === 0 && (set.spec.replicas ?? 1) === 0
      if (!atRest || (set.metadata.generation ?? 0) > (set.status?.observedGeneration ?? 0)) continue
      const { name, namespace, uid } = set.metadata
      try {
        await this.context.client.delete(ReplicaSet, { name, namespace }, { preconditions: { uid } })
      } catch (error) {
        if (!isApiError(error, 'NotFound')) throw error
      }
    }
  }
}
