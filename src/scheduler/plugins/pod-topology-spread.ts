import { matchesNodeLabels, matchesNodeSelector } from '../../apis/core/node-selector.ts'
import { tolerates } from '../../apis/core/toleration.ts'
import type { V1LabelSelector, V1TopologySpreadConstraint } from '../../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../../machinery/selectors.ts'
import { type Cluster, maxScore, type Plugin } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'
import { TopologyCounts } from '../topology-counts.ts'

interface Constraint {
  key: string
  maxSkew: number
  minDomains: number
  matches(pod: PodInfo): boolean
  /** Matching pods by topology, on the nodes that count. */
  counts: TopologyCounts
  /** The topologies of these nodes. */
  domains: ReadonlyMap<string, number>
}

function selectorOf(pod: PodInfo, constraint: V1TopologySpreadConstraint): V1LabelSelector | undefined {
  if (!constraint.matchLabelKeys?.length) return constraint.labelSelector
  const extra = constraint.matchLabelKeys.flatMap((key) => {
    const value = pod.labels[key]
    return value === undefined ? [] : [{ key, operator: 'In', values: [value] }]
  })
  return { ...constraint.labelSelector, matchExpressions: [...(constraint.labelSelector?.matchExpressions ?? []), ...extra] }
}

/** Whether a node counts; undefined where all of them do. */
function restriction(pod: PodInfo, constraint: V1TopologySpreadConstraint): ((node: NodeInfo) => boolean) | undefined {
  const affinity = constraint.nodeAffinityPolicy !== 'Ignore' && (pod.nodeSelector !== undefined || pod.requiredNodeAffinity !== undefined)
  const taints = constraint.nodeTaintsPolicy === 'Honor'
  if (!affinity && !taints) return undefined
  const suits = (node: NodeInfo) =>
    matchesNodeLabels(pod.nodeSelector, node) && (!pod.requiredNodeAffinity || matchesNodeSelector(pod.requiredNodeAffinity, node))
  const tolerated = (node: NodeInfo) =>
    node.taints.every((taint) => taint.effect === 'PreferNoSchedule' || pod.tolerations.some((toleration) => tolerates(toleration, taint)))
  return (node) => (!affinity || suits(node)) && (!taints || tolerated(node))
}

function prepare(pod: PodInfo, constraints: V1TopologySpreadConstraint[], cluster: Cluster): Constraint[] {
  const all = cluster.nodes().length
  const areEverywhere = constraints.every(({ topologyKey }) => cluster.index.topology(topologyKey).nodes === all)
  return constraints.map((constraint) => {
    const selector = selectorOf(pod, constraint)
    const key = constraint.topologyKey
    const matches = (other: PodInfo) =>
      other.namespace === pod.namespace && selector !== undefined && !other.isEnding && matchesLabelSelector(selector, other.labels)
    const groups = [...cluster.groups.inNamespace(pod.namespace)].filter(({ sample }) => matches(sample))
    const prepared = { key, maxSkew: constraint.maxSkew, minDomains: constraint.minDomains ?? 1, matches, counts: new TopologyCounts(key, cluster) }
    const counts = restriction(pod, constraint)
    if (!counts && areEverywhere) {
      for (const group of groups) prepared.counts.include(group)
      return { ...prepared, domains: cluster.index.topology(key).values }
    }
    const found = new Map<string, number>()
    for (const node of cluster.nodes()) {
      // A node without one of the topologies is no place for this pod, and its pods do not count.
      if (!constraints.every(({ topologyKey }) => node.labels[topologyKey] !== undefined) || counts?.(node) === false) continue
      const value = node.labels[key] ?? ''
      found.set(
        value,
        groups.reduce((sum, group) => sum + group.on(node), found.get(value) ?? 0),
      )
    }
    prepared.counts.includeCounts(found)
    return { ...prepared, domains: found }
  })
}

/** The least that any topology has. */
function least({ counts, domains, minDomains }: Constraint): number {
  if (domains.size < minDomains) return 0
  let found = Number.POSITIVE_INFINITY
  for (const value of domains.keys()) {
    found = Math.min(found, counts.of(value))
    if (found === 0) break
  }
  return domains.size === 0 ? 0 : found
}

/** Labels in which the pods of one StatefulSet, or of two of its revisions, differ. */
const ofOnePod = ['statefulset.kubernetes.io/pod-name', 'apps.kubernetes.io/pod-index', 'controller-revision-hash']

/**
 * What upstream spreads by where a pod says nothing: hosts and zones, softly. Upstream takes the selectors of the
 * pod's Services and of its owner; we the labels that its owner gives to each of its pods.
 */
function defaultConstraints(pod: PodInfo): V1TopologySpreadConstraint[] {
  const owner = pod.pod.metadata.ownerReferences?.find((reference) => reference.controller)
  const matchLabels = Object.fromEntries(Object.entries(pod.labels).filter(([label]) => !ofOnePod.includes(label)))
  if (!owner || Object.keys(matchLabels).length === 0) return []
  const labelSelector: V1LabelSelector = { matchLabels }
  const soft = { whenUnsatisfiable: 'ScheduleAnyway', labelSelector }
  return [
    { ...soft, maxSkew: 3, topologyKey: 'kubernetes.io/hostname' },
    { ...soft, maxSkew: 5, topologyKey: 'topology.kubernetes.io/zone' },
  ]
}

interface FilterState {
  constraints: Constraint[]
  /** Of each constraint; worked out again when pods are supposed elsewhere. */
  least: number[] | undefined
}

const name = 'PodTopologySpread'
const scoreState = 'PodTopologySpread/score'

/** Spreads pods over topologies so that no two differ by more than `maxSkew`. */
export const podTopologySpread: Plugin = {
  name,
  weight: 2,
  wakenBy: ['node-added', 'node-labels', 'pod-assigned', 'pod-deleted', 'pod-updated'],
  preFilter(pod, cluster, state) {
    const hard = (pod.pod.spec.topologySpreadConstraints ?? []).filter((constraint) => constraint.whenUnsatisfiable === 'DoNotSchedule')
    if (hard.length === 0) return 'skip'
    state.set(name, { constraints: prepare(pod, hard, cluster), least: undefined } satisfies FilterState)
    return undefined
  },
  filter(pod, node, state) {
    const spread = state.get(name) as FilterState
    spread.least ??= spread.constraints.map(least)
    for (const [index, constraint] of spread.constraints.entries()) {
      const value = node.labels[constraint.key]
      if (value === undefined) return { reason: "node(s) didn't match pod topology spread constraints (missing required label)", unresolvable: true }
      const self = constraint.matches(pod) ? 1 : 0
      if (constraint.counts.of(value) + self - (spread.least[index] ?? 0) > constraint.maxSkew)
        return { reason: "node(s) didn't match pod topology spread constraints" }
    }
    return undefined
  },
  suppose(_pod, other, node, amount, state) {
    const spread = state.get(name) as FilterState
    spread.least = undefined
    for (const constraint of spread.constraints) if (constraint.matches(other)) constraint.counts.suppose(node, amount)
  },
  preScore(pod, _nodes, cluster, state) {
    const own = pod.pod.spec.topologySpreadConstraints ?? []
    const soft = own.length > 0 ? own.filter((constraint) => constraint.whenUnsatisfiable === 'ScheduleAnyway') : defaultConstraints(pod)
    const known = soft.filter(({ topologyKey }) => cluster.index.topology(topologyKey).nodes > 0)
    if (known.length === 0) return 'skip'
    // Each topology weighs by the logarithm of its size, so that zones and hosts can be compared.
    const prepared = prepare(pod, known, cluster).map((constraint) => ({ ...constraint, weight: Math.log(constraint.domains.size + 2) }))
    state.set(scoreState, prepared)
    return undefined
  },
  score(_pod, node, state) {
    let sum = 0
    for (const { key, counts, weight, maxSkew } of state.get(scoreState) as (Constraint & { weight: number })[]) {
      if (node.labels[key] !== undefined) sum += counts.at(node) * weight + (maxSkew - 1)
    }
    return sum
  },
  normalize(scores) {
    const [min, max] = bounds(scores)
    scores.forEach((score, index) => {
      scores[index] = max === 0 ? maxScore : Math.floor((maxScore * (max + min - score)) / max)
    })
  },
}

export function bounds(scores: readonly number[]): [number, number] {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const score of scores) {
    if (score < min) min = score
    if (score > max) max = score
  }
  return [min, max]
}
