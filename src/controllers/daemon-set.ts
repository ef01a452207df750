/** Keeps one pod of a DaemonSet on each node that it is for. */

import { defineController, type ReconcileContext } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { ControllerRevision, DaemonSet, Node, Pod } from '../client/resources.ts'
import { scaledValue } from '../machinery/int-or-string.ts'
import { keyOf, type New } from '../machinery/object.ts'
import type { V1DaemonSet, V1DaemonSetStatus, V1Node, V1Pod, V1Toleration } from '../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../machinery/selectors.ts'
import { claim } from './claim.ts'
import { currentRevision, forgetRevisions, type RevisionOwner } from './controller-revision.ts'
import { deepEqual } from './deep-equal.ts'
import { FailedPodBackoff } from './failed-pod-backoff.ts'
import { nodeFit } from './node-fit.ts'
import { createPod, deletePod, podFrom } from './pod-control.ts'
import { isAvailable, isFinished, isReady } from './pod-state.ts'
import { slowStart } from './slow-start.ts'
import { revisionLabel } from './stateful-pod.ts'

export function daemonSetController(): AnyController {
  const backoff = new FailedPodBackoff()
  return defineController<V1DaemonSet>({
    name: 'daemonset-controller',
    reconciles: DaemonSet,
    owns: [Pod],
    reads: [ControllerRevision],
    watches: [
      {
        resource: Node,
        keys: (node: V1Node, previous, { informer }) => (previous && sameForPods(node, previous) ? [] : informer(DaemonSet).list().map(keyOf)),
      },
    ],
    async reconcile(set, context) {
      if (!set || set.metadata.deletionTimestamp) return
      const { client, clock, informer } = context
      const matches = (pod: V1Pod) => matchesLabelSelector(set.spec.selector, pod.metadata.labels)
      const candidates = informer(Pod).inNamespace(set.metadata.namespace)
      const pods = await claim(candidates, { client, resource: Pod, ownerResource: DaemonSet, owner: set, matches })
      const owner: RevisionOwner = {
        resource: DaemonSet,
        object: set,
        template: set.spec.template,
        selector: set.spec.selector,
        collisionCount: set.status?.collisionCount,
        hashLabel: revisionLabel,
        collided: (collisionCount) => {
          const none = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 }
          return client.updateStatus(DaemonSet, { ...set, status: { ...none, ...set.status, collisionCount } })
        },
      }
      const revision = await currentRevision(owner, context)
      const hash = revision.metadata.labels?.[revisionLabel] ?? ''
      const plan = new Plan(set, pods, informer(Node).list(), hash, clock.now())
      const status = plan.status()
      if (!deepEqual(status, set.status)) await client.updateStatus(DaemonSet, { ...set, status })
      const failedAgain = await carryOut(plan, set, backoff, context)
      const live = new Set([revision.metadata.name, ...pods.map((pod) => `${set.metadata.name}-${pod.metadata.labels?.[revisionLabel]}`)])
      await forgetRevisions(owner, live, set.spec.revisionHistoryLimit ?? 10, context)
      const waiting = pods.some((pod) => isReady(pod) && !isAvailable(pod, set.spec.minReadySeconds ?? 0, clock.now()))
      const again = Math.min(waiting ? 1000 : Number.POSITIVE_INFINITY, failedAgain)
      return Number.isFinite(again) ? { again } : undefined
    },
  })
}

const sameForPods = (a: V1Node, b: V1Node): boolean => deepEqual(a.metadata.labels, b.metadata.labels) && deepEqual(a.spec.taints, b.spec.taints)

/** Daemons run where others may not: they are what makes a node well again. */
function tolerationsOf({ spec }: V1DaemonSet): V1Toleration[] {
  const condition = (name: string, effect: string) => ({ key: `node.kubernetes.io/${name}`, operator: 'Exists', effect })
  const { tolerations = [], hostNetwork } = spec.template.spec ?? { containers: [] }
  return [
    ...tolerations,
    condition('not-ready', 'NoExecute'),
    condition('unreachable', 'NoExecute'),
    condition('disk-pressure', 'NoSchedule'),
    condition('memory-pressure', 'NoSchedule'),
    condition('pid-pressure', 'NoSchedule'),
    condition('unschedulable', 'NoSchedule'),
    ...(hostNetwork ? [condition('network-unavailable', 'NoSchedule')] : []),
  ]
}

/** The node that a pod is on, or was made for: its affinity names it until the scheduler has bound it. */
function targetOf({ spec }: V1Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  return terms.flatMap(({ matchFields = [] }) => matchFields).find(({ key }) => key === 'metadata.name')?.values?.[0]
}

class Plan {
  readonly create: string[] = []
  readonly delete: V1Pod[] = []
  /** They run no more, and hold their places until they are gone. */
  readonly finished: V1Pod[] = []
  readonly #set: V1DaemonSet
  readonly #hash: string
  readonly #now: number
  /** The pod that counts, of each node that is to have one. */
  readonly #kept = new Map<string, V1Pod | undefined>()
  #misscheduled = 0
  /** Pods beside those that an update replaces, until the new ones are available; without surge old ones go first. */
  readonly #pairs = new Map<string, { old?: V1Pod; fresh?: V1Pod }>()

  constructor(set: V1DaemonSet, pods: readonly V1Pod[], nodes: readonly V1Node[], hash: string, now: number) {
    this.#set = set
    this.#hash = hash
    this.#now = now
    const byNode = Map.groupBy(pods, (pod) => targetOf(pod) ?? '')
    const tolerations = tolerationsOf(set)
    for (const node of nodes) {
      const there = byNode.get(node.metadata.name) ?? []
      const { run, stay } = nodeFit(set.spec.template.spec ?? { containers: [] }, tolerations, node)
      this.#decide(node.metadata.name, there, run, stay)
    }
    if (this.#surges) this.#surge()
    else if (set.spec.updateStrategy?.type !== 'OnDelete') this.#roll()
  }

  #decide(node: string, pods: V1Pod[], run: boolean, stay: boolean): void {
    const living = pods.filter((pod) => !isFinished(pod) && !pod.metadata.deletionTimestamp).sort((a, b) => age(a) - age(b))
    if (!run) {
      if (living.length > 0) this.#misscheduled++
      if (!stay) this.delete.push(...living)
      return
    }
    this.finished.push(...pods.filter((pod) => isFinished(pod) && !pod.metadata.deletionTimestamp))
    if (this.#surges) return this.#pair(node, pods, living)
    const [kept, ...surplus] = living
    this.#kept.set(node, kept)
    this.delete.push(...surplus)
    // What is ending holds its place until it is gone.
    if (pods.length === 0) this.create.push(node)
  }

  get #surges(): boolean {
    const { type, rollingUpdate } = this.#set.spec.updateStrategy ?? {}
    return type !== 'OnDelete' && scaledValue(rollingUpdate?.maxSurge ?? 0, 100, 'up') > 0
  }

  #isOld(pod: V1Pod): boolean {
    return pod.metadata.labels?.[revisionLabel] !== this.#hash
  }

  #pair(node: string, pods: V1Pod[], living: V1Pod[]): void {
    const [old, ...oldSurplus] = living.filter((pod) => this.#isOld(pod))
    const [fresh, ...freshSurplus] = living.filter((pod) => !this.#isOld(pod))
    this.#kept.set(node, old ?? fresh)
    this.#pairs.set(node, { ...(old ? { old } : {}), ...(fresh ? { fresh } : {}) })
    this.delete.push(...oldSurplus, ...freshSurplus)
    if (pods.length === 0) this.create.push(node)
  }

  /** New pods come beside old ones, as many at once as may be; an old one goes when the new one serves, or when it does not itself. */
  #surge(): void {
    const { maxSurge = 0 } = this.#set.spec.updateStrategy?.rollingUpdate ?? {}
    let room = scaledValue(maxSurge, this.#kept.size, 'up')
    const waiting: string[] = []
    for (const [node, { old, fresh }] of this.#pairs) {
      if (!old) continue
      if (!fresh) {
        if (this.#isAvailable(old)) waiting.push(node)
        else this.create.push(node)
        continue
      }
      room--
      if (this.#isAvailable(fresh)) this.delete.push(old)
    }
    this.create.push(...waiting.slice(0, Math.max(0, room)))
  }

  /** Old pods go: those that do not serve at once, others as far as enough go on serving. */
  #roll(): void {
    const { maxUnavailable = 1 } = this.#set.spec.updateStrategy?.rollingUpdate ?? {}
    let room = scaledValue(maxUnavailable, this.#kept.size, 'up')
    const old: V1Pod[] = []
    for (const pod of this.#kept.values()) {
      const isOld = pod && pod.metadata.labels?.[revisionLabel] !== this.#hash
      if (pod && this.#isAvailable(pod)) {
        if (isOld) old.push(pod)
      } else {
        room--
        if (pod && isOld) this.delete.push(pod)
      }
    }
    this.delete.push(...old.slice(0, Math.max(0, room)))
  }

  #isAvailable(pod: V1Pod): boolean {
    return isAvailable(pod, this.#set.spec.minReadySeconds ?? 0, this.#now)
  }

  status(): V1DaemonSetStatus {
    const kept = [...this.#kept.values()].filter((pod) => pod !== undefined)
    const desired = this.#kept.size
    const available = kept.filter((pod) => this.#isAvailable(pod)).length
    const updated = kept.filter((pod) => pod.metadata.labels?.[revisionLabel] === this.#hash).length
    const { collisionCount } = this.#set.status ?? {}
    return {
      currentNumberScheduled: kept.length,
      numberMisscheduled: this.#misscheduled,
      desiredNumberScheduled: desired,
      numberReady: kept.filter(isReady).length,
      observedGeneration: this.#set.metadata.generation,
      ...(updated ? { updatedNumberScheduled: updated } : {}),
      ...(available ? { numberAvailable: available } : {}),
      ...(desired > available ? { numberUnavailable: desired - available } : {}),
      ...(collisionCount === undefined ? {} : { collisionCount }),
    }
  }

  podFor(node: string): New<V1Pod> {
    const pod = podFrom(this.#set.spec.template, { resource: DaemonSet, object: this.#set })
    const onlyThere = { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }] }
    const nodeAffinity = { ...pod.spec.affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: onlyThere }
    return {
      metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, [revisionLabel]: this.#hash } },
      spec: { ...pod.spec, affinity: { ...pod.spec.affinity, nodeAffinity }, tolerations: tolerationsOf(this.#set) },
    }
  }
}

const age = (pod: V1Pod): number => Date.parse(pod.metadata.creationTimestamp)

/** Returns after how many milliseconds the next failed pod may go, if one has to wait. */
async function carryOut(plan: Plan, set: V1DaemonSet, backoff: FailedPodBackoff, context: ReconcileContext): Promise<number> {
  const owner = { resource: DaemonSet, object: set }
  const { uid, generation } = set.metadata
  let again = Number.POSITIVE_INFINITY
  const gone: V1Pod[] = []
  for (const pod of plan.finished) {
    const { metadata, status } = pod
    const node = targetOf(pod) ?? ''
    const found = (what: string, end: string) => `Found ${what} daemon pod ${metadata.namespace}/${metadata.name} on node ${node}, will try to ${end} it`
    if (status?.phase === 'Succeeded') context.event(set, 'Normal', 'SucceededDaemonPod', found('succeeded', 'delete'))
    else {
      const wait = backoff.waitFor(`${uid}/${generation}/${node}`, context.clock.monotonic())
      again = Math.min(again, wait > 0 ? wait : again)
      if (wait > 0) continue
      context.event(set, 'Warning', 'FailedDaemonPod', found('failed', 'kill'))
    }
    gone.push(pod)
  }
  const results = await Promise.allSettled([...gone, ...plan.delete].map((pod) => deletePod(pod, owner, context)))
  const { error } = await slowStart(plan.create.length, (index) => createPod(plan.podFor(plan.create[index] ?? ''), owner, context))
  const failed = results.find((result) => result.status === 'rejected')
  if (error ?? failed) throw error ?? failed?.reason
  return again
}
