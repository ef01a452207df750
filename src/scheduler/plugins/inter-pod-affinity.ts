import type { V1PodAffinityTerm } from '../../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../../machinery/selectors.ts'
import { type Cluster, maxScore, type Plugin } from '../framework.ts'
import type { PodGroup } from '../pod-groups.ts'
import type { PodInfo } from '../pod-info.ts'
import { TopologyCounts } from '../topology-counts.ts'
import { bounds } from './pod-topology-spread.ts'

/** Whether a term of `owner` means pods of this namespace: those it names, those whose labels it selects, else its own. */
function meansNamespace(term: V1PodAffinityTerm, owner: PodInfo, namespace: string, cluster: Cluster): boolean {
  if (!term.namespaces?.length && !term.namespaceSelector) return namespace === owner.namespace
  if (term.namespaces?.includes(namespace)) return true
  return term.namespaceSelector !== undefined && matchesLabelSelector(term.namespaceSelector, cluster.namespaceLabels(namespace))
}

function matchesTerm(term: V1PodAffinityTerm, owner: PodInfo, other: PodInfo, cluster: Cluster): boolean {
  if (term.labelSelector === undefined || !matchesLabelSelector(term.labelSelector, other.labels)) return false
  return meansNamespace(term, owner, other.namespace, cluster)
}

/** The groups of pods that a term of `owner` may mean. */
function* groupsOf(term: V1PodAffinityTerm, owner: PodInfo, cluster: Cluster): Iterable<PodGroup> {
  const isElsewhere = term.namespaces?.length || term.namespaceSelector
  for (const group of isElsewhere ? cluster.groups.all() : cluster.groups.inNamespace(owner.namespace))
    if (matchesTerm(term, owner, group.sample, cluster)) yield group
}

/** Where the pods are that a term means. */
function whereabouts(term: V1PodAffinityTerm, owner: PodInfo, cluster: Cluster): TopologyCounts {
  const counts = new TopologyCounts(term.topologyKey, cluster)
  for (const group of groupsOf(term, owner, cluster)) counts.include(group)
  return counts
}

interface FilterState {
  cluster: Cluster
  /** Where the pods are that required affinity wants, for each term. */
  affinity: TopologyCounts[]
  /** Where the pods are that required anti-affinity does not want, for each term. */
  antiAffinity: TopologyCounts[]
  /** Where pods are that do not want this one, by topology. */
  refusedBy: Map<string, TopologyCounts>
  /** Nobody is there whom its affinity wants, but it would want itself; worked out again when pods are supposed elsewhere. */
  isFirst: boolean | undefined
}

function countsFor(counts: Map<string, TopologyCounts>, key: string, cluster: Cluster): TopologyCounts {
  const found = counts.get(key) ?? new TopologyCounts(key, cluster)
  counts.set(key, found)
  return found
}

function filterState(pod: PodInfo, cluster: Cluster): FilterState {
  const refusedBy = new Map<string, TopologyCounts>()
  for (const group of cluster.groups.withAffinity())
    for (const term of group.sample.requiredAntiAffinity)
      if (matchesTerm(term, group.sample, pod, cluster)) countsFor(refusedBy, term.topologyKey, cluster).include(group)
  return {
    cluster,
    affinity: pod.requiredAffinity.map((term) => whereabouts(term, pod, cluster)),
    antiAffinity: pod.requiredAntiAffinity.map((term) => whereabouts(term, pod, cluster)),
    refusedBy,
    isFirst: undefined,
  }
}

/** The first of a group whose members want each other may go anywhere that has the topology. */
function isFirst(pod: PodInfo, { affinity, cluster }: FilterState): boolean {
  return affinity.every((counts) => counts.isEmpty) && pod.requiredAffinity.every((term) => matchesTerm(term, pod, pod, cluster))
}

const name = 'InterPodAffinity'
const scoreState = 'InterPodAffinity/score'
/** What an existing pod's required affinity to the new one is worth. */
const hardAffinityWeight = 1

/** Pods near to, or away from, other pods, by topology. */
export const interPodAffinity: Plugin = {
  name,
  weight: 2,
  wakenBy: ['node-added', 'node-labels', 'pod-assigned', 'pod-deleted', 'pod-updated', 'namespace-labels'],
  preFilter(pod, cluster, state) {
    const filtered = filterState(pod, cluster)
    if (pod.requiredAffinity.length === 0 && pod.requiredAntiAffinity.length === 0 && filtered.refusedBy.size === 0) return 'skip'
    state.set(name, filtered)
    return undefined
  },
  filter(pod, node, state) {
    const filtered = state.get(name) as FilterState
    const { affinity, antiAffinity, refusedBy } = filtered
    const isNear = () => {
      if (affinity.every((counts) => counts.at(node) > 0)) return true
      filtered.isFirst ??= isFirst(pod, filtered)
      return filtered.isFirst && pod.requiredAffinity.every((term) => node.labels[term.topologyKey] !== undefined)
    }
    if (!isNear()) return { reason: "node(s) didn't match pod affinity rules", unresolvable: true }
    // What the pod itself asks for is told first: of replicas that keep apart, both hold.
    if (antiAffinity.some((counts) => counts.at(node) > 0)) return { reason: "node(s) didn't match pod anti-affinity rules" }
    for (const counts of refusedBy.values()) if (counts.at(node) > 0) return { reason: "node(s) didn't satisfy existing pods anti-affinity rules" }
    return undefined
  },
  suppose(pod, other, node, amount, state) {
    const filtered = state.get(name) as FilterState
    const { affinity, antiAffinity, refusedBy, cluster } = filtered
    filtered.isFirst = undefined
    pod.requiredAffinity.forEach((term, index) => {
      if (matchesTerm(term, pod, other, cluster)) affinity[index]?.suppose(node, amount)
    })
    pod.requiredAntiAffinity.forEach((term, index) => {
      if (matchesTerm(term, pod, other, cluster)) antiAffinity[index]?.suppose(node, amount)
    })
    for (const term of other.requiredAntiAffinity)
      if (matchesTerm(term, other, pod, cluster)) countsFor(refusedBy, term.topologyKey, cluster).suppose(node, amount)
  },
  preScore(pod, _nodes, cluster, state) {
    const counts = new Map<string, TopologyCounts>()
    const wish = (term: V1PodAffinityTerm, weight: number) => {
      for (const group of groupsOf(term, pod, cluster)) countsFor(counts, term.topologyKey, cluster).include(group, weight)
    }
    for (const { weight, term } of pod.preferredAffinity) wish(term, weight)
    for (const { weight, term } of pod.preferredAntiAffinity) wish(term, -weight)
    for (const group of cluster.groups.withAffinity()) {
      const { sample } = group
      const wished = (term: V1PodAffinityTerm, weight: number) => {
        if (matchesTerm(term, sample, pod, cluster)) countsFor(counts, term.topologyKey, cluster).include(group, weight)
      }
      for (const term of sample.requiredAffinity) wished(term, hardAffinityWeight)
      for (const { weight, term } of sample.preferredAffinity) wished(term, weight)
      for (const { weight, term } of sample.preferredAntiAffinity) wished(term, -weight)
    }
    if ([...counts.values()].every((one) => one.isEmpty)) return 'skip'
    state.set(scoreState, [...counts.values()])
    return undefined
  },
  score(_pod, node, state) {
    let sum = 0
    for (const counts of state.get(scoreState) as TopologyCounts[]) sum += counts.at(node)
    return sum
  },
  normalize(scores) {
    const [min, max] = bounds(scores)
    scores.forEach((score, index) => {
      scores[index] = max > min ? Math.floor((maxScore * (score - min)) / (max - min)) : 0
    })
  },
}
