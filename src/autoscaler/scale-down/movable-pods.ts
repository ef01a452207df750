/** Which pods of a node would have to move if it went, or which of them forbids that. Rules as upstream's drain. */

import type { V1Pod, V1PodDisruptionBudget, V1Volume } from '../../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../../machinery/selectors.ts'
import type { AutoscalerSettings } from '../settings.ts'

const prefix = 'cluster-autoscaler.kubernetes.io'
const mirror = 'kubernetes.io/config.mirror'
const replicating = new Set(['ReplicationController', 'ReplicaSet', 'Job', 'StatefulSet'])

const controllerKind = ({ metadata }: V1Pod) => metadata.ownerReferences?.find(({ controller }) => controller)?.kind
const evictable = ({ metadata }: V1Pod) => metadata.annotations?.[`${prefix}/safe-to-evict`]

/** Of a DaemonSet, or by its own word like one. */
const isDaemonPod = (pod: V1Pod) => controllerKind(pod) === 'DaemonSet' || pod.metadata.annotations?.[`${prefix}/daemonset-pod`] === 'true'

/** Whether it stays with its node to the end: of a DaemonSet, the node's own, or ended. */
export function staysWithNode(pod: V1Pod): boolean {
  if (pod.metadata.annotations?.[mirror] !== undefined || isDaemonPod(pod)) return true
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

/** The same, and what is about to end. */
export const needsNoPlace = (pod: V1Pod): boolean => staysWithNode(pod) || pod.metadata.deletionTimestamp !== undefined

const isLocal = ({ hostPath, emptyDir }: V1Volume) => hostPath !== undefined || (emptyDir !== undefined && emptyDir.medium !== 'Memory')

export const budgetsOf = (pod: V1Pod, budgets: readonly V1PodDisruptionBudget[]): V1PodDisruptionBudget[] =>
  budgets.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.metadata.namespace && spec.selector !== undefined && matchesLabelSelector(spec.selector, pod.metadata.labels ?? {}),
  )

/** Why the pod may not be moved; undefined where it may, if its budgets let it. */
export function forbidsRemoval(pod: V1Pod, budgets: readonly V1PodDisruptionBudget[], settings: AutoscalerSettings): string | undefined {
  const word = evictable(pod)
  if (word === 'true') return undefined
  if (word === 'false') return 'NotSafeToEvictAnnotation'
  const kind = controllerKind(pod)
  if (kind === undefined || !replicating.has(kind)) return 'NotReplicated'
  if (settings.skipNodesWithSystemPods && pod.metadata.namespace === 'kube-system' && budgetsOf(pod, budgets).length === 0) return 'UnmovableKubeSystemPod'
  if (settings.skipNodesWithLocalStorage) {
    const safe = (pod.metadata.annotations?.[`${prefix}/safe-to-evict-local-volumes`] ?? '').split(',').map((name) => name.trim())
    if ((pod.spec.volumes ?? []).some((volume) => isLocal(volume) && !safe.includes(volume.name))) return 'LocalStorageRequested'
  }
  return undefined
}

/** Disruptions that budgets still allow, counted down as pods are meant to move. */
export class BudgetsLeft {
  readonly #budgets: readonly V1PodDisruptionBudget[]
  readonly #left: Map<V1PodDisruptionBudget, number>

  constructor(budgets: readonly V1PodDisruptionBudget[]) {
    this.#budgets = budgets
    this.#left = new Map(budgets.map((budget) => [budget, budget.status?.disruptionsAllowed ?? 0]))
  }

  /** Whether all of them may move together; counts them if so. */
  allow(pods: readonly V1Pod[]): boolean {
    const wanted = new Map<V1PodDisruptionBudget, number>()
    for (const pod of pods) for (const budget of budgetsOf(pod, this.#budgets)) wanted.set(budget, (wanted.get(budget) ?? 0) + 1)
    for (const [budget, count] of wanted) if (count > (this.#left.get(budget) ?? 0)) return false
    for (const [budget, count] of wanted) this.#left.set(budget, (this.#left.get(budget) ?? 0) - count)
    return true
  }
}
